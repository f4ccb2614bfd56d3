//! Websockets without a socket: RFC 6455 with permessage-deflate (RFC 7692). Bytes in, events out; knows neither
//! Python nor the reactor.
//!
//! How a worker uses it:
//!
//! ```text
//! match Handshake::read(&request) {
//!     Handshake::No               => an ordinary request
//!     Handshake::Refused(refusal) => reply.explain(refusal.status, refusal.why)
//!     Handshake::Offered(offer)   => ask the application, with offer.subprotocols(); when it does not accept, an
//!                                    ordinary response: 403, or what it says (websocket.http.response)
//! }
//! let mut session = offer.accept(answer, &config, now, &mut out)?;      the connection is the session's from here on
//!
//! bytes came         while let Some(event) = session.receive(&mut input, &mut out) { tell the application }
//!                    when it has enough of them, what is left of `input` is for the next time
//! it sends, closes   session.send_text(text, &mut out), send_binary, close(code, reason, now, &mut out)
//! session.deadline() read what has come, then if let Some(event) = session.tick(now, &mut out) { tell it }
//!                    not while nothing is read because the application is behind: the silence would be ours
//! the worker leaves  session.drain(now, &mut out), and goes on until is_over()
//! end of the stream  if let Some(event) = session.lost() { tell it }
//! after each         send what is in `out`; read no more while that waits; once session.is_over(), close as any
//!                    other connection: the sending side, then all of it when the client does
//! ```
//!
//! `out` is whatever the connection sends from; a session has no buffer of its own but for the message that arrives. Idle, it
//! is 450 bytes, up to 1 KiB for the next message, and with compression the last 4 KiB that were sent and received
//! each (32 KiB received where the client does not let us choose): `history`.

mod close;
mod deflate;
#[cfg(any(test, feature = "fuzzing"))]
pub mod echo;
mod handshake;
mod header;
mod history;
mod inflate;
mod mask;
pub(crate) mod negotiate;
mod reader;
mod session;
#[cfg(test)]
mod tests;
mod writer;

pub use close::BadClose;
pub use handshake::{Answer, Handshake, Offer};
pub use session::{Closed, Ended, Event, Session};

/// Limits and manners. Durations are milliseconds; nought switches a limit off. The defaults are uvicorn's.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The largest message, inflated, in bytes.
    pub message_limit: usize,
    /// Is permessage-deflate agreed to?
    pub compression: bool,
    /// How often a ping is sent.
    pub ping_interval: u64,
    /// How long nothing may be heard after a ping.
    pub ping_timeout: u64,
    /// How long the client may take to answer a Close.
    pub close_timeout: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            message_limit: 16 * 1024 * 1024,
            compression: true,
            ping_interval: 20_000,
            ping_timeout: 20_000,
            close_timeout: 10_000,
        }
    }
}
