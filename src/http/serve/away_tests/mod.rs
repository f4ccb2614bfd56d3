//! Requests that are taken away: answered late, from another thread, in pieces, or never; and what their connections
//! do meanwhile. Bodies and clients have rooms of their own.

mod bodies;
mod clients;

use super::test_world::{World, get, read_until, reset, send};
use super::*;
use crate::app::{Manner, Outcome, Share, Stirred};
use crate::away::{Exchange, Inflow, Piece};
use crate::reply::Flow;
use crate::websocket::Handshake;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// So much of a body is waited for.
const GATHERED: u64 = 10;

/// Takes every request away and remembers what it is told of it.
#[derive(Default)]
struct Absent {
    exchanges: Vec<Exchange>,
    told: Vec<(usize, Stirred)>,
    full_for: Option<u64>,
    answers_at_once: bool,
}

impl App for Absent {
    const MANNER: Manner = Manner::Away { gathered: GATHERED };

    fn take(&mut self, exchange: Exchange) {
        if self.answers_at_once {
            return answer(exchange);
        }
        self.exchanges.push(exchange);
    }

    fn stirred(&mut self, key: usize, what: Stirred) {
        self.told.push((key, what));
    }

    fn full_for(&self) -> Option<u64> {
        self.full_for
    }

    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        wait()
    }

    fn interrupted(&mut self) {}
}

fn world(config: Config) -> World<Absent> {
    World::with(Absent::default(), config)
}

/// Answers with the target.
fn answer(mut exchange: Exchange) {
    let (request, mut reply) = exchange.parts();
    reply.begin(b"200 OK").unwrap();
    let _ = reply.write(request.target().as_bytes(), true);
    let _ = reply.finish();
    exchange.end();
}

fn taken(world: &mut World<Absent>) -> Exchange {
    world.turn_until("a request was handed over", |world| !world.app.exchanges.is_empty());
    world.app.exchanges.remove(0)
}

fn post(length: usize, more: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{more}\r\n")
}

#[test]
fn an_answer_may_come_late_and_from_another_thread() {
    let mut world = world(Config::default());
    let (first, second) = (world.connect(), world.connect());
    send(&first, get("/first"));
    let slow = taken(&mut world);
    send(&second, get("/second"));
    let quick = taken(&mut world);
    std::thread::spawn(move || answer(quick)).join().unwrap();
    assert!(read_until(&mut world, &second, |text| text.ends_with("/second")).starts_with("HTTP/1.1 200"));
    world.turn_until("it is in the books", |world| world.books.ended.len() == 1);
    answer(slow);
    read_until(&mut world, &first, |text| text.ends_with("/first"));
    // Both connections are used again.
    send(&first, get("/third"));
    answer(taken(&mut world));
    read_until(&mut world, &first, |text| text.ends_with("/third"));
    world.turn_until("all are in the books", |world| world.books.ended.len() == 3);
    assert_eq!(world.server.shared.out, 0);
}

#[test]
fn an_answer_at_once_lets_the_next_request_follow() {
    let mut world = world(Config::default());
    world.app.answers_at_once = true;
    let client = world.connect();
    send(&client, (0..40).map(|n| get(&format!("/{n}"))).collect::<String>());
    let text = read_until(&mut world, &client, |text| text.ends_with("/39"));
    assert_eq!(text.matches("HTTP/1.1 200").count(), 40);
    assert!((0..38).all(|n| text.find(&format!("\n/{n}H")) < text.find(&format!("\n/{}H", n + 1))));
}

#[test]
fn a_request_behind_one_that_is_out_waits() {
    let mut world = world(Config::default());
    let client = world.connect();
    send(&client, get("/first") + &get("/second"));
    let first = taken(&mut world);
    for _ in 0..5 {
        world.turn();
    }
    assert!(world.app.exchanges.is_empty());
    assert_eq!(world.server.connections.iter().next().unwrap().1.interest, Interest::Nothing);
    answer(first);
    answer(taken(&mut world));
    read_until(&mut world, &client, |text| text.contains("/first") && text.ends_with("/second"));
    world.turn_until("both have ended", |world| world.books.ended.len() == 2);
}

#[test]
fn who_is_dropped_has_failed() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    send(&client, get("/"));
    drop(taken(&mut world));
    assert!(world.read_to_end(&mut client).starts_with("HTTP/1.1 500 "));
    assert_eq!(world.books.ended[0].1, 500);
}

#[test]
fn the_end_waits_for_what_is_out() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    send(&client, get("/last"));
    let exchange = taken(&mut world);
    world.server.end(Farewell::Stop);
    let later = Instant::now() + Duration::from_millis(800);
    world.turn_until("the quiet would have been closed", |_| Instant::now() > later);
    assert!(!world.server.is_idle());
    answer(exchange);
    assert!(world.read_to_end(&mut client).ends_with("/last"));
    world.turn_until("it is over", |world| world.server.is_idle());
}

#[test]
fn who_has_enough_to_do_accepts_nothing_and_calls_others() {
    for (workers, full_for, accepts) in [(2, 1, false), (1, 1, true), (1, 1_000_000_000, false)] {
        let mut world = world(Config::default());
        let bell = Arc::new(Waker::new().unwrap());
        world.server.hear_siblings(Arc::clone(&bell)).unwrap();
        world.books.share = Share { workers, total: 1, others_free: false };
        let client = world.connect();
        send(&client, get("/first"));
        let first = taken(&mut world);
        world.app.full_for = Some(full_for);
        let waiting = world.connect();
        send(&waiting, get("/second"));
        for _ in 0..20 {
            world.turn();
        }
        assert_eq!(world.server.connections() == 2, accepts, "{workers} workers, full for {full_for}");
        world.app.full_for = None;
        answer(first);
        answer(taken(&mut world));
        read_until(&mut world, &waiting, |text| text.ends_with("/second"));
    }
}

#[test]
fn who_is_called_accepts_what_is_there() {
    let mut world = world(Config::default());
    let bell = Arc::new(Waker::new().unwrap());
    world.server.hear_siblings(Arc::clone(&bell)).unwrap();
    bell.wake();
    bell.wake();
    world.turn();
    let _client = world.connect();
    world.turn_until("it is accepted", |world| world.server.connections() == 1);
}

#[test]
fn within_another_loop_it_says_when_to_come_back() {
    let mut world = world(Config::default());
    let Config { head_timeout, .. } = Config::default();
    let turned = world.server.turn_within(&mut world.app, &mut world.books).unwrap();
    assert_eq!(turned.next, None);
    let client = world.connect();
    world.turn_until("it is accepted", |world| world.server.connections() == 1);
    let next = world.server.turn_within(&mut world.app, &mut world.books).unwrap().next.unwrap();
    assert!((head_timeout - 1000..=head_timeout + 1000).contains(&next), "{next}");
    send(&client, get("/"));
    let exchange = taken(&mut world);
    // What ends while nobody turns makes the descriptor readable, at the latest when the nap is over.
    let turned =
        |world: &mut World<Absent>| world.server.turn_within(&mut world.app, &mut world.books).unwrap();
    assert!(turned(&mut world).next.unwrap() <= 50);
    answer(exchange);
    turned(&mut world);
    assert_eq!(world.books.ended.len(), 1);
    let _: TcpStream = client;
}

/// Opens a websocket for this client, which says so much behind its request.
fn websocket(world: &mut World<Absent>, client: &TcpStream, more: &str) -> (Exchange, Arc<Inflow>) {
    let fields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    send(client, format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}{key}\r\n{more}"));
    let mut exchange = taken(world);
    let Handshake::Offered(offer) = Handshake::read(&exchange.request()) else { panic!("no offer") };
    let config = crate::websocket::Config::default();
    let (session, inflow) = exchange.open_websocket(&offer, None, [], &config).unwrap();
    assert!(session.is_open());
    (exchange, inflow)
}

#[test]
fn a_request_may_become_a_websocket() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    let (mut exchange, inflow) = websocket(&mut world, &client, "early");
    read_until(&mut world, &client, |text| text.starts_with("HTTP/1.1 101 ") && text.ends_with("\r\n\r\n"));
    let mut heard = Vec::new();
    let mut hear = |world: &mut World<Absent>, all: &[u8]| {
        world.turn_until("it is heard", |_| {
            if let Ok(Piece::Bytes(bytes)) = inflow.take(100) {
                heard.extend(bytes);
            }
            heard == all
        });
    };
    // What came before the answer, what comes behind it, and nothing of it is a request.
    hear(&mut world, b"early");
    send(&client, get("/late"));
    hear(&mut world, ("early".to_owned() + &get("/late")).as_bytes());
    assert!(world.app.exchanges.is_empty());
    exchange.reply().write(b"frame", false).unwrap();
    exchange.leave_rest();
    exchange.reply().finish().unwrap();
    exchange.end();
    assert!(world.read_to_end(&mut client).ends_with("frame"));
    world.turn_until("it is in the books", |world| world.books.ended.len() == 1);
    assert_eq!((world.books.ended[0].1, world.books.ended[0].2), (101, Outcome::Answered));
}

#[test]
fn a_websocket_whose_client_goes_is_told() {
    let mut world = world(Config { body_timeout: 50, ..Config::default() });
    let client = world.connect();
    let (exchange, inflow) = websocket(&mut world, &client, "");
    let later = Instant::now() + Duration::from_millis(300);
    world.turn_until("the time for a body would be over", |_| Instant::now() > later);
    assert_eq!(inflow.take(9), Ok(Piece::Pending), "a websocket may be silent");
    reset(client);
    world.turn_until("it is told", |world| world.app.told.contains(&(exchange.key(), Stirred::Gone)));
    assert!(inflow.take(9).is_err());
    drop(exchange);
    world.turn_until("it is closed", |world| world.server.connections() == 0);
}
