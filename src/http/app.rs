//! The seam between transport and application: whoever implements `App` is given requests, and whoever implements
//! `Observer` keeps the books.
//!
//! | `App::MANNER` | a request is given to | when                                              | and answered                   |
//! |---------------|-----------------------|---------------------------------------------------|--------------------------------|
//! | `Inline`      | `call`                | it is complete                                    | before `call` returns          |
//! | `Away`        | `take`                | its head is complete, and so much of its body     | at any time, from any thread   |
//!
//! Limits, time limits, the access log, counters, trusted proxies and the clean end are the loop's in both manners.

use crate::away::Exchange;
use crate::reply::Reply;
use crate::request::Request;
use std::any::Any;
use sys::socket::Address;

/// How an application is given requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Complete, to be answered at once.
    Inline,
    /// To be answered later. So many bytes of a body, or all of it, are waited for; what is longer arrives while the
    /// request is out. A client that waits for `100 Continue` is not waited for.
    Away {
        /// Bytes.
        gathered: u64,
    },
}

/// The application. Everything is called on the loop's own thread.
pub trait App {
    /// How it is given requests.
    const MANNER: Manner;

    /// `Manner::Inline`: runs one request to its end and writes the answer through `reply`.
    ///
    /// When it returns without `finish` or `fail`, a 500 is sent, or the connection closed if something was sent.
    fn call(&mut self, _request: &Request<'_>, reply: &mut Reply<'_>) {
        reply.fail(500);
    }

    /// `Manner::Away`: takes a request away. It may be answered before this returns.
    fn take(&mut self, exchange: Exchange) {
        exchange.end();
    }

    /// `Manner::Away`: something happened to the exchange with this key. It may have ended meanwhile.
    fn stirred(&mut self, _key: usize, _what: Stirred) {}

    /// `Manner::Away`: those that were handed over in this turn were the last ones of it.
    fn turned(&mut self) {}

    /// `Manner::Away`: for how many nanoseconds has it been able to begin nothing new? `None` while it is.
    fn full_for(&self) -> Option<u64> {
        None
    }

    /// Runs `wait` while others may use what the application needs (Python: without the GIL).
    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R;

    /// A signal interrupted the wait.
    fn interrupted(&mut self);
}

/// What happened to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stirred {
    /// Of its body there is more, or the end, or the reason why there never will be.
    Body,
    /// What was left was sent: `Exchange::use_room`.
    Room,
    /// The client sends nothing more. Most have gone away then; some still wait for the answer.
    Silent,
    /// The client has gone away: nothing that is written will be read.
    Gone,
}

/// Who keeps the books.
pub trait Observer {
    /// How the connections are spread over the workers. Asked when one was accepted or could be.
    fn share(&self) -> Share;
    /// So many connections are open now.
    fn connections(&mut self, open: usize);
    /// The loop is about to wait.
    fn waiting(&mut self);
    /// A request is handed to the application, before others may have ended.
    fn began(&mut self, request: &Request<'_>);
    /// A request has ended: answered, refused or aborted. Once for each; those that were refused did not begin.
    fn ended(&mut self, record: &Record<'_>);
}

/// How connections are spread over the workers that share the listeners.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Workers that serve, this one among them.
    pub workers: u64,
    /// The connections of all of them.
    pub total: u64,
    /// Is there another worker that has no more than its share, and is idle?
    pub others_free: bool,
}

/// What became of one request.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The request; `None` when it was refused before it was complete.
    pub request: Option<&'a Request<'a>>,
    /// The request line, as far as it could be read.
    pub raw_line: &'a [u8],
    /// The client.
    pub peer: &'a Address,
    /// The status that was sent; nought when nothing was.
    pub status: u16,
    /// Bytes of the response's body.
    pub body_sent: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// When the application began with it, in nanoseconds on the monotonic clock; nought when it did not.
    pub began: u64,
    /// Nanoseconds that it waited for the application: from when it was here, as far as that is known, to `began`.
    pub queued_ns: u64,
    /// Nanoseconds in the application.
    pub app_ns: u64,
    /// Why it was not answered by the application, or not to the end.
    pub why: Option<&'static str>,
    /// The head of the response as it was sent; nothing unless `Config::keeps_heads` says so.
    pub response_head: &'a [u8],
    /// What `Reply::remark` left.
    pub remark: Option<&'a (dyn Any + Send)>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The response was made whole.
    Answered,
    /// It never reached the application; why.
    Refused(&'static str),
    /// The client went away or the application failed, and the response is not whole.
    Aborted,
}
