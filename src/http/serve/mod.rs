//! The loop that owns the sockets: accept → drive → `App` → write, with time limits, and a clean end.
//!
//! | phase of a connection | waits for                 | time limit                                 | then            |
//! |-----------------------|---------------------------|--------------------------------------------|-----------------|
//! | open, quiet           | a request                 | `keep_alive`, at first `head_timeout`      | closed silently |
//! | open, head arriving   | the rest of it            | `head_timeout` from its first byte         | 408             |
//! | open, body arriving   | the rest of it            | `body_timeout`, and 1 s for each KiB of it | 408             |
//! | request out, body     | the rest of it            | `body_timeout`, unless it is held up       | told to the application |
//! | request out           | the application           | none of ours                               | –               |
//! | output waiting        | room to send              | `write_timeout` without progress           | closed          |
//! | closing, all sent     | the client's end (linger) | 2 s, 64 MiB                                | closed          |

mod accept;
mod connection;
mod drive;
mod ending;
mod handover;
mod held;
mod letters;
mod parting;
mod shared;
mod timers;
mod tokens;

use crate::app::{App, Manner, Observer};
use crate::away::Letter;
use crate::config::Config;
use crate::refusal::Refusal;
use accept::{Calls, Declined, Listener};
use connection::{Client, Connection, Phase};
use drive::{Then, drive};
pub use ending::Farewell;
use handover::client_is;
use shared::Shared;
use slab::Slab;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use sys::poll::{Interest, Poller, Readiness};
use sys::stream;
use sys::waker::Waker;
use timers::Timers;
use tokens::Token;

/// What one read takes; a request that fits is parsed where it lies.
const READ: usize = 64 * 1024;
/// The same of a body that is collected: a file takes much at a time for less.
const READ_OF_BODY: usize = 1024 * 1024;
/// What is read and thrown away of a client that goes on talking after the end.
const LINGER_BYTES: usize = 64 * 1024 * 1024;
/// How long we wait for a client to hang up, in milliseconds.
const LINGER: u64 = 2000;
/// How long a quiet connection is kept at the end: a request may be on its way.
const QUIET_AT_THE_END: u64 = 500;
/// How long the end is put off for a request that has only begun to arrive, or has not even done that.
const LAST_WORD: u64 = 1000;
/// Descriptors reported by one wait.
const BATCH: usize = 256;

/// Listeners and connections of one worker.
#[derive(Debug)]
pub struct Server {
    shared: Shared,
    poller: Poller,
    listeners: Vec<Listener>,
    /// Listeners whose queues are being emptied, with the numbers they had.
    last_listeners: Vec<(usize, Listener)>,
    calls: Calls,
    connections: Slab<Connection>,
    timers: Timers,
    read_buffer: Vec<u8>,
    /// Connections that have more to do without anything new arriving.
    resume: Vec<usize>,
    /// Nothing is accepted before this moment.
    accept_again_at: u64,
    /// What was left to others lately.
    declined: Declined,
    /// Memory for letters that are read.
    letters: Vec<Letter>,
    /// Nothing has come since the loop lay down: now it may sleep.
    napped: bool,
    /// Nothing is accepted, as the application has enough to do.
    holds_back: bool,
    /// By which workers that share the listeners call each other.
    bell: Option<Arc<Waker>>,
    minds_bell: bool,
}

/// What one turn found beside requests.
#[derive(Debug, Default)]
pub struct Turned {
    /// Foreign descriptors that are ready, by the key they were given.
    pub keys: Vec<u32>,
    /// After so many milliseconds at the latest it has to turn again; `None` when something has to happen first.
    pub next: Option<u64>,
}

impl Server {
    /// A server on `listeners`, which do not block. It makes its poller, so call it after the fork.
    pub fn new(config: Config, listeners: Vec<OwnedFd>) -> io::Result<Self> {
        let shared = Shared::new(config)?;
        let mut server = Self {
            timers: Timers::new(shared.now),
            shared,
            poller: Poller::new(BATCH)?,
            listeners: listeners.into_iter().map(Listener::new).collect(),
            last_listeners: Vec::new(),
            calls: Calls::default(),
            connections: Slab::new(),
            // Memory that was never read into is none.
            read_buffer: vec![0; READ_OF_BODY],
            resume: Vec::new(),
            accept_again_at: 0,
            declined: Declined::default(),
            letters: Vec::new(),
            napped: false,
            holds_back: false,
            bell: None,
            minds_bell: false,
        };
        server.poller.add(server.shared.post.as_fd(), tokens::POST, Interest::Read)?;
        server.resume_accepting()?;
        Ok(server)
    }

    /// Watches a foreign descriptor; `turn` tells its key when there is something to read.
    pub fn watch(&mut self, fd: BorrowedFd<'_>, key: u32) -> io::Result<()> {
        self.poller.add(fd, tokens::foreign(key), Interest::Read)
    }

    /// Stops watching it.
    pub fn unwatch(&mut self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.poller.remove(fd)
    }

    /// Waits for something to happen, and does what is to be done about it.
    pub fn turn(&mut self, app: &mut impl App, observer: &mut impl Observer) -> io::Result<Turned> {
        observer.waiting();
        let timeout = self.timeout();
        let timeout = self.lie_down(timeout);
        self.turn_once(timeout, app, observer)
    }

    /// The same without waiting, for whoever turns this loop within a loop of his own: whenever the server's descriptor
    /// is readable, and when `Turned::next` is over. What it calls must not come back here.
    pub fn turn_within(&mut self, app: &mut impl App, observer: &mut impl Observer) -> io::Result<Turned> {
        self.shared.is_within = true;
        let mut turned = self.turn_once(Some(0), app, observer)?;
        observer.waiting();
        let timeout = self.timeout();
        turned.next = self.lie_down(timeout);
        Ok(turned)
    }

    fn turn_once(
        &mut self,
        timeout: Option<u64>,
        app: &mut impl App,
        observer: &mut impl Observer,
    ) -> io::Result<Turned> {
        let before = self.shared.before_wait();
        let most = self.shared.batch(app);
        let ready = match app.release(|| self.poller.wait_for_some(timeout, most)) {
            Ok(ready) => ready,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                app.interrupted();
                0
            }
            Err(error) => return Err(error),
        };
        self.get_up(ready);
        self.shared.after_wait(before);
        // Who was answered while others were waited for may ask for something again.
        self.read_letters(app, observer);
        let mut turned = Turned::default();
        let mut listeners = self.attend_to_all(ready, &mut turned.keys, app, observer);
        if ready == most && most < BATCH && self.shared.has_taken_time() {
            // Behind those who were told of somebody new may wait, who would wait for all of them.
            listeners = self.watched_listeners().collect();
        } else if listeners.is_empty() && self.accept_again_at == 0 {
            self.declined.was_taken();
        }
        for key in std::mem::take(&mut self.resume) {
            self.go_on(key, app, observer);
        }
        self.read_letters(app, observer);
        app.turned();
        self.expire(app, observer);
        // Last, as a new connection may take the place of one that was closed just now; and not when the owner may have
        // been told to accept no more, or others had time to come. Whom nobody took in another turn waits no longer.
        if turned.keys.is_empty() && (!self.shared.is_late() || !self.calls.heard.is_empty()) {
            self.calls.heard.clear();
            for index in listeners {
                self.accept(index, ready, app, observer)?;
            }
        } else if app.full_for().is_none() {
            self.calls.heard = listeners;
        }
        self.accept_last(observer);
        self.look_ahead(app);
        self.reconsider(observer);
        self.resume_accepting()?;
        Ok(turned)
    }

    /// Does what those ask for who are ready, and tells of foreign descriptors: the listeners that are.
    fn attend_to_all(
        &mut self,
        ready: usize,
        foreign: &mut Vec<u32>,
        app: &mut impl App,
        observer: &mut impl Observer,
    ) -> Vec<usize> {
        let mut listeners = Vec::new();
        for index in 0..ready {
            self.shared.held.more_follow = index + 1 < ready;
            let Some(readiness) = self.poller.get(index) else { continue };
            match tokens::read(readiness.token) {
                Token::Connection(key) => self.attend(key, readiness, app, observer),
                Token::Foreign(key) => foreign.push(key),
                Token::Listener(index) => listeners.push(index),
                Token::Post => self.shared.post.heard(),
                Token::Bell => listeners.append(&mut self.answer_bell()),
            }
            self.let_go();
        }
        listeners
    }

    /// How long to wait at the most.
    fn timeout(&self) -> Option<u64> {
        if !self.resume.is_empty() || !self.last_listeners.is_empty() || !self.calls.last.is_empty() {
            return Some(0);
        }
        let accept = (self.accept_again_at != 0).then_some(self.accept_again_at);
        let beat = Some(self.shared.config.beat).filter(|beat| *beat != 0).map(|beat| self.shared.now + beat);
        let next = [self.timers.next(), accept, beat].into_iter().flatten().min()?;
        Some(next.saturating_sub(sys::clock::now() / 1_000_000) + 1)
    }

    fn attend(&mut self, key: usize, ready: Readiness, app: &mut impl App, observer: &mut impl Observer) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if ready.gone || (self.shared.is_late() && stream::is_gone(&connection.as_fd())) {
            return self.lose(key, app, observer);
        }
        if ready.writable && !connection.output.is_empty() {
            return match connection.output.send(connection.link.as_fd()) {
                Ok(sent) => {
                    if sent {
                        self.rest_is_sent(key, app);
                    }
                    self.go_on(key, app, observer);
                }
                Err(_) => self.lose(key, app, observer),
            };
        }
        if ready.readable && !connection.resumes {
            self.read(key, app, observer);
        }
    }

    fn read<A: App>(&mut self, key: usize, app: &mut A, observer: &mut impl Observer) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        // Of what is taken away only the beginning is waited for.
        let most = if A::MANNER == Manner::Inline { READ_OF_BODY } else { READ };
        let most = connection.intake.missing().clamp(READ, most);
        match stream::receive(&connection.as_fd(), &mut self.read_buffer[..most]) {
            Ok(0) => self.end_of_input(key, app, observer),
            Ok(length) => match connection.phase {
                Phase::Lingering(left) if left > length => connection.phase = Phase::Lingering(left - length),
                Phase::Open => {
                    let new = &self.read_buffer[..length];
                    let then = drive(connection, new, &mut self.shared, app, observer);
                    self.settle(key, then, observer);
                }
                Phase::Lingering(_) | Phase::Closing | Phase::Ending | Phase::Torn => {
                    self.close(key, observer);
                }
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.lose(key, app, observer),
        }
    }

    /// Works on without anything new: output was sent, or it is this connection's turn again.
    fn go_on(&mut self, key: usize, app: &mut impl App, observer: &mut impl Observer) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let ready = connection.output.is_empty() || connection.out.is_some();
        let then = if connection.phase == Phase::Open && ready {
            drive(connection, &[], &mut self.shared, app, observer)
        } else {
            Then::Wait
        };
        self.settle(key, then, observer);
    }

    /// The client sends nothing more. What was complete has been answered.
    fn end_of_input(&mut self, key: usize, app: &mut impl App, observer: &mut impl Observer) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.out.is_some() {
            client_is(connection, Client::Silent, &self.shared, app);
            return self.settle(key, Then::Wait, observer);
        }
        if connection.phase == Phase::Open && connection.intake.body_received().is_some() {
            drive::refuse(connection, &[], Refusal::bad("the body ended early"), &mut self.shared, observer);
            return self.settle(key, Then::Wait, observer);
        }
        self.close(key, observer);
    }

    /// After work on a connection: what it waits for now, and how long.
    fn settle(&mut self, key: usize, then: Then, observer: &mut impl Observer) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.resumes = then == Then::Resume;
        if connection.resumes && connection.output.is_empty() {
            self.resume.push(key);
        }
        if connection.output.is_empty() && connection.out.is_none() {
            match connection.phase {
                // Closing while more lies here would be a reset, and that may destroy the answer on its way.
                Phase::Ending if !stream::has_input(&connection.as_fd()) => return self.close(key, observer),
                Phase::Torn => {
                    stream::reset_when_closed(&connection.as_fd());
                    return self.close(key, observer);
                }
                Phase::Closing | Phase::Ending => {
                    stream::finish_sending(&connection.as_fd());
                    connection.phase = Phase::Lingering(LINGER_BYTES);
                }
                Phase::Open | Phase::Lingering(_) => {}
            }
        }
        let interest = connection.wanted_interest();
        if interest != connection.interest {
            connection.interest = interest;
            if self.poller.modify(connection.link.as_fd(), tokens::connection(key), interest).is_err() {
                return self.close(key, observer);
            }
        }
        connection.deadline = self.shared.next_deadline(connection);
        self.timers.set(key, connection.deadline);
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }
}

/// Readable when `turn_within` is to be called.
impl AsFd for Server {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }
}

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod away_tests;
#[cfg(test)]
mod books_tests;
#[cfg(test)]
mod handed_tests;
#[cfg(test)]
mod life_tests;
#[cfg(test)]
mod pressure_tests;
#[cfg(test)]
mod queue_tests;
#[cfg(test)]
mod test_world;
