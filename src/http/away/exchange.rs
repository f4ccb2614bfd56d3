//! A request that the application has taken away, with everything that it takes to answer it: owned, and `Send`.
//!
//! However it ends, the loop hears of it: an exchange that is dropped without an answer is answered with 500.

use super::{Inflow, Letter, Link, Post};
use crate::head::Head;
use crate::output::Output;
use crate::proxy::Proxied;
use crate::reply::{Flow, HIGH_WATER, Reply, Said};
use crate::request::Request;
use crate::spool::{Body, Spool};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use sys::clock;
use sys::socket::Address;

/// A request to be answered.
#[derive(Debug)]
pub struct Exchange(Option<Box<Taken>>);

/// What an exchange consists of.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) key: usize,
    pub(crate) head: Box<Head>,
    pub(crate) bytes: Vec<u8>,
    /// The body, where it was waited for.
    pub(crate) spool: Spool,
    /// The body, where it was not.
    pub(crate) inflow: Option<Arc<Inflow>>,
    pub(crate) peer: Address,
    pub(crate) proxied: Option<Box<Proxied>>,
    pub(crate) listener: usize,
    pub(crate) link: Arc<Link>,
    pub(crate) post: Arc<Post>,
    pub(crate) common: Arc<Vec<u8>>,
    /// Where the head of the response is made.
    pub(crate) buffer: Vec<u8>,
    pub(crate) output: Output,
    /// Bytes that were left for the loop to send, when that was done last.
    pub(crate) left: usize,
    pub(crate) said: Said,
    /// When it was here.
    pub(crate) arrived: u64,
    /// When the application began with it.
    pub(crate) began: u64,
    /// Nanoseconds in the application.
    pub(crate) app_ns: u64,
}

impl Taken {
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            head: &self.head,
            bytes: &self.bytes,
            body: if self.inflow.is_some() { Body::Arriving } else { self.spool.body() },
            peer: &self.peer,
            proxied: self.proxied.as_deref(),
            listener: self.listener,
        }
    }

    fn parts(&mut self) -> (Request<'_>, Reply<'_>) {
        self.output.hold(self.link.has_rest());
        if self.link.is_gone() {
            self.said.client_is_gone();
        }
        let body = if self.inflow.is_some() { Body::Arriving } else { self.spool.body() };
        let Self { head, bytes, peer, proxied, listener, link, output, buffer, common, said, .. } = self;
        let proxied = proxied.as_deref();
        let request = Request { head, bytes, body, peer, proxied, listener: *listener };
        (request, Reply::new((Link::as_fd(link), output), buffer, common, said))
    }

    /// Ends whatever was not ended.
    fn complete(&mut self) {
        let mut reply = self.parts().1;
        if !reply.is_whole() {
            reply.fail(500);
        }
        self.said.is_over();
        if let Some(inflow) = &self.inflow {
            inflow.abandon();
        }
        self.app_ns = clock::now().saturating_sub(self.began);
    }
}

impl Exchange {
    pub(crate) fn new(taken: Taken) -> Self {
        Self(Some(Box::new(taken)))
    }

    fn taken(&self) -> &Taken {
        let Some(taken) = &self.0 else { unreachable!("only drop takes it out") };
        taken
    }

    pub(super) fn taken_mut(&mut self) -> &mut Taken {
        let Some(taken) = &mut self.0 else { unreachable!("only drop takes it out") };
        taken
    }

    /// The number of its connection: no two exchanges that are out have the same.
    pub fn key(&self) -> usize {
        self.taken().key
    }

    /// The request.
    pub fn request(&self) -> Request<'_> {
        self.taken().request()
    }

    /// The body of the request, where that is `Body::Arriving`. It may be kept: later it only says that it is too late.
    pub fn inflow(&self) -> Option<&Arc<Inflow>> {
        self.taken().inflow.as_ref()
    }

    /// The answer, to be written.
    pub fn reply(&mut self) -> Reply<'_> {
        self.taken_mut().parts().1
    }

    /// Both at once.
    pub fn parts(&mut self) -> (Request<'_>, Reply<'_>) {
        self.taken_mut().parts()
    }

    /// The application begins with it only now: it waited for a thread, the one in this lane of `sys::last_word`.
    ///
    /// That thread waits wherever it has to: `Flow::Full` stands behind each piece that the client did not take at
    /// once, and `Reply::wait_for_room` blocks until it has.
    pub fn begin_on_thread(&mut self, lane: usize) {
        let taken = self.taken_mut();
        taken.began = clock::now();
        taken.said.wait_for_each_piece();
        self.answered_if_stuck(lane);
    }

    /// Should the process get stuck before the first byte of the answer, its client hears so: it is in this lane of
    /// `sys::last_word`, which is its own until it has ended.
    pub fn answered_if_stuck(&mut self, lane: usize) {
        let taken = self.taken_mut();
        taken.said.answered_if_stuck(lane, taken.link.as_fd());
    }

    /// When the application began with it, on the monotonic clock.
    pub fn began(&self) -> u64 {
        self.taken().began
    }

    /// For those who do not block, behind everything that they write: what the kernel had no room for is left to the
    /// loop. After `Flow::Full` they are to wait for `Stirred::Room`.
    pub fn leave_rest(&mut self) -> Flow {
        let taken = self.taken_mut();
        if !taken.link.has_rest() {
            taken.left = taken.output.len();
            if taken.left > 0 {
                taken.link.leave_rest();
                let rest = std::mem::take(&mut taken.output);
                taken.post.leave(Letter::Rest(taken.key, rest), true);
            }
        }
        let waiting = taken.left.saturating_add(taken.output.len());
        if waiting > HIGH_WATER { Flow::Full } else { Flow::Ready }
    }

    /// After `Stirred::Room`, or anything else that may have made room: sends what was written meanwhile, and tells whether there is room for more.
    pub fn use_room(&mut self) -> io::Result<Flow> {
        let taken = self.taken_mut();
        if taken.link.is_gone() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if !taken.link.has_rest() {
            taken.output.hold(false);
            taken.output.send(taken.link.as_fd())?;
        }
        Ok(self.leave_rest())
    }

    /// It is answered, or will not be.
    pub fn end(self) {}
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let Some(mut taken) = self.0.take() else { return };
        taken.complete();
        let post = Arc::clone(&taken.post);
        let urgent = !taken.output.is_empty() || taken.link.has_rest() || !taken.said.keeps_connection();
        post.leave(Letter::Done(taken), urgent);
    }
}
