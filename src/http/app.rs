//! The seam between transport and application: whoever implements `App` is called with complete requests, and
//! whoever implements `Observer` keeps the books.

use crate::reply::Reply;
use crate::request::Request;
use sys::socket::Address;

/// The application, called on the reactor's own thread.
pub trait App {
    /// Runs one request to its end and writes the answer through `reply`.
    ///
    /// When it returns without `finish` or `fail`, a 500 is sent, or the connection closed if something was sent.
    fn call(&mut self, request: &Request<'_>, reply: &mut Reply<'_>);

    /// Runs `wait` while others may use what the application needs (Python: without the GIL).
    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R;

    /// A signal interrupted the wait.
    fn interrupted(&mut self);
}

/// Who keeps the books.
pub trait Observer {
    /// How the connections are spread over the workers. Asked when one was accepted or could be.
    fn share(&self) -> Share;
    /// So many connections are open now.
    fn connections(&mut self, open: usize);
    /// The loop is about to wait.
    fn waiting(&mut self);
    /// A request is handed to the application.
    fn began(&mut self, request: &Request<'_>);
    /// A request has ended: answered, refused or aborted. Once for each.
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
    /// Nanoseconds in the application.
    pub app_ns: u64,
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
