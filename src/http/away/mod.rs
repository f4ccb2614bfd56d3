//! Requests that the application takes away, to answer them later: from this thread or from another one.
//!
//! The loop keeps the input half of a connection; the output half has one owner at a time:
//!
//! | who           | until                                                                                  |
//! |---------------|----------------------------------------------------------------------------------------|
//! | the loop      | a request is handed over: an `Exchange`                                                |
//! | the exchange  | it ends (`Letter::Done`), or leaves what the kernel had no room for (`Letter::Rest`)    |
//! | the loop      | the rest is sent (`Stirred::Room`), or the connection has another request               |
//!
//! Nothing is shared but letters (`mailbox`), the body as it arrives (`inflow`), and one bit per connection that says
//! who owns the output half while an exchange is out (`Link`). The socket outlives the exchange, so that its number
//! is nobody else's while somebody may still write to it.

mod exchange;
mod inflow;
mod mailbox;
#[cfg(test)]
mod mailbox_tests;
mod primitives;
mod websocket;

pub use exchange::Exchange;
pub(crate) use exchange::Taken;
pub use inflow::{Inflow, Piece};
pub(crate) use mailbox::{Mailbox, Repose};
pub use websocket::session_clock;

use crate::output::Output;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use sys::waker::Waker;

/// What an exchange leaves for the loop.
#[derive(Debug)]
pub(crate) enum Letter {
    /// It has ended.
    Done(Box<Taken>),
    /// The connection with this key has bytes to send, and the exchange goes on.
    Rest(usize, Output),
    /// The connection with this key speaks something else from now on, which goes there.
    Switched(usize, Arc<Inflow>),
    /// There is room again for the body that arrives on the connection with this key.
    More(usize),
}

/// Where exchanges leave their letters.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) mailbox: Mailbox<Letter>,
    waker: Waker,
}

impl Post {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { mailbox: Mailbox::default(), waker: Waker::new()? })
    }

    /// Leaves a letter. One that is not urgent is found when the loop wakes for another reason, which it does soon.
    fn leave(&self, letter: Letter, urgent: bool) {
        self.mailbox.put(letter);
        if self.mailbox.must_wake(urgent) {
            self.waker.wake();
        }
    }

    /// The loop has woken.
    pub(crate) fn heard(&self) {
        self.waker.heard();
    }
}

impl AsFd for Post {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.waker.as_fd()
    }
}

/// The socket of a connection, and who owns its output half while an exchange is out.
#[derive(Debug)]
pub(crate) struct Link {
    fd: OwnedFd,
    /// The loop still sends what the exchange left. Only the exchange sets it, only the loop clears it.
    rest_at_loop: AtomicBool,
    /// The client has gone away: nothing that is written will be read. Only the loop sets it.
    gone: AtomicBool,
}

impl Link {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd, rest_at_loop: AtomicBool::new(false), gone: AtomicBool::new(false) }
    }

    /// Loop only: the client has gone away.
    pub(crate) fn lose(&self) {
        self.gone.store(true, Release);
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Acquire)
    }

    /// Exchange only: what was left has yet to be sent, so nothing else may be.
    fn has_rest(&self) -> bool {
        self.rest_at_loop.load(Acquire)
    }

    /// Exchange only: the loop is the owner now.
    fn leave_rest(&self) {
        self.rest_at_loop.store(true, Release);
    }

    /// Loop only: everything was sent.
    pub(crate) fn rest_is_sent(&self) {
        self.rest_at_loop.store(false, Release);
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
