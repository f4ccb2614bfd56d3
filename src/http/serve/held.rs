//! Answers that wait for each other. A client on this machine sleeps on another core until its answer wakes it up, and
//! that costs the sender more than the answer itself; those of one turn that are sent together wake it once.
//!
//! They wait in the kernel, which has all of each: should the next request get stuck, it sends them by itself after 200 ms,
//! and when the process ends, at once.

use super::Server;
use sys::socket::Address;
use sys::stream;

/// In nanoseconds: where the application answers as fast, nobody has the time to fall asleep.
pub(super) const BRIEF: u64 = 10_000;
/// The longest that an answer waits, but for the request that runs then.
const PATIENCE: u64 = 500_000;

/// The connections whose answers wait.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Others are served in the same turn behind the one that is served now.
    pub(super) more_follow: bool,
    keys: Vec<usize>,
    since: u64,
    now: u64,
}

impl Held {
    /// May the answer on this connection wait, where one takes about so many nanoseconds?
    pub(super) fn suits(&self, peer: &Address, service_time: u64) -> bool {
        // What goes through a unix socket cannot wait.
        let is_here = peer.ip().is_some_and(|ip| ip.to_canonical().is_loopback());
        self.more_follow && (BRIEF..PATIENCE).contains(&service_time) && is_here
    }

    /// A request has ended; does its answer wait?
    pub(super) fn note(&mut self, key: usize, waits: bool, now: u64) {
        self.now = now;
        if waits {
            if self.keys.is_empty() {
                self.since = now;
            }
            self.keys.push(key);
        }
    }

    /// Have they waited long enough?
    fn is_due(&self) -> bool {
        !self.keys.is_empty() && (!self.more_follow || self.now - self.since >= PATIENCE)
    }
}

impl Server {
    /// Sends the answers that wait, when it is time.
    pub(super) fn let_go(&mut self) {
        if !self.shared.held.is_due() {
            return;
        }
        let mut keys = std::mem::take(&mut self.shared.held.keys);
        for connection in keys.drain(..).filter_map(|key| self.connections.get(key)) {
            stream::push(connection);
        }
        self.shared.held.keys = keys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::reply::Reply;
    use crate::serve::test_world::{World, get, send};
    use std::cell::Cell;
    use std::net::TcpStream;
    use std::os::fd::AsFd;
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    /// A server whose requests take 50 µs, says its average, and clients that it has accepted.
    fn world() -> (World, [TcpStream; 2]) {
        let mut world = World::new(Config::default());
        let clients = [world.connect(), world.connect()];
        world.turn_until("both are accepted", |world| world.server.connections() == 2);
        (0..200).for_each(|_| world.server.shared.note_service_time(50_000));
        (world, clients)
    }

    /// Has both ask at once, and serves them in one turn.
    fn ask_at_once(world: &mut World, clients: &[TcpStream; 2]) {
        for (client, target) in clients.iter().zip(["/0", "/1"]) {
            send(client, get(target));
        }
        let both_wait =
            |world: &World| world.server.connections.iter().all(|(_, it)| stream::has_input(&it.as_fd()));
        wait_until("both requests are here", || both_wait(world));
        world.turn();
    }

    /// An answer that has taken some time.
    fn answer(reply: &mut Reply<'_>) {
        let begin = Instant::now();
        while begin.elapsed() <= Duration::from_nanos(BRIEF) {}
        reply.begin(b"204 No Content").unwrap();
        reply.finish().unwrap();
    }

    fn wait_until(what: &str, reached: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !reached() {
            assert!(Instant::now() < deadline, "not reached: {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn an_answer_waits_for_the_next_one_but_not_for_ever() {
        let (mut world, clients) = world();
        let seen = clients.each_ref().map(|client| client.try_clone().unwrap());
        let mut other = None;
        world.answer_by(move |request, reply| {
            let this = usize::from(request.target() == "/1");
            if let Some(other) = other.replace(this) {
                assert!(!stream::has_input(&seen[other]), "the first answer waits");
                wait_until("the kernel sends it by itself", || stream::has_input(&seen[other]));
            }
            answer(reply);
        });
        ask_at_once(&mut world, &clients);
        assert_eq!(world.books.ended.len(), 2);
    }

    #[test]
    fn the_end_of_a_stream_does_not_wait() {
        let (mut world, clients) = world();
        let held = Rc::new(Cell::new(0));
        let seen = Rc::clone(&held);
        world.answer_by(move |_, reply| {
            reply.begin(b"200 OK").unwrap();
            reply.write(b"a piece", false).unwrap();
            let begin = Instant::now();
            while begin.elapsed() <= Duration::from_nanos(BRIEF) {}
            reply.finish().unwrap();
            seen.set(seen.get() + usize::from(reply.waits()));
        });
        ask_at_once(&mut world, &clients);
        assert_eq!((world.books.ended.len(), held.get()), (2, 0));
    }

    #[test]
    fn no_answer_waits_beyond_its_turn() {
        // The kernel would need 200 ms; this machine may be slow, too, but not each time.
        let is_quick = (0..20).any(|_| {
            let (mut world, clients) = world();
            world.answer_by(|_, reply| answer(reply));
            ask_at_once(&mut world, &clients);
            let begin = Instant::now();
            wait_until("both are answered", || clients.iter().all(stream::has_input));
            begin.elapsed() < Duration::from_millis(100)
        });
        assert!(is_quick);
    }

    #[test]
    fn one_waits_where_that_helps() {
        let suits = |peer: &str, more_follow, service_time| {
            let peer = Address::Tcp(format!("{peer}:80").parse().unwrap());
            Held { more_follow, ..Held::default() }.suits(&peer, service_time)
        };
        assert!(suits("127.0.0.1", true, 50_000) && suits("[::1]", true, 50_000));
        assert!(suits("[::ffff:127.0.0.1]", true, 50_000), "as a socket for both families has it");
        assert!(!suits("127.0.0.1", false, 50_000), "it is the last of its turn");
        assert!(!suits("127.0.0.1", true, 1_000) && !suits("127.0.0.1", true, 1_000_000));
        assert!(!suits("192.0.2.1", true, 50_000), "nobody sleeps here");
    }

    #[test]
    fn the_first_waits_for_half_a_millisecond() {
        let mut held = Held { more_follow: true, ..Held::default() };
        held.note(1, false, 0);
        assert!(!held.is_due());
        held.note(1, true, 1_000_000);
        held.note(2, true, 1_400_000);
        assert!(!held.is_due());
        held.note(3, false, 1_500_000);
        assert!(held.is_due());
    }
}
