//! HTTP/1.1 without Python: bytes in, requests out, answers back, strictly by RFC 9110 and RFC 9112.
//!
//! Everything but `output`, `reply`, `spool`, `away` and `serve` is sans-IO. The application is met through `App` only, and
//! whoever keeps the books through `Observer`. Which rule is enforced where stands at the head of each file:
//! `head`, `lines` and `framing` (requests), `body` (lengths and chunks), `target`, `response`, `proxy` (what others on the way
//! say), `leniency` (what Gunicorn's permits let pass), `websocket` (RFC 6455 and RFC 7692).
#![forbid(unsafe_code)]

mod app;
mod away;
mod body;
mod config;
mod extension;
mod framing;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod head;
mod intake;
mod leniency;
mod lines;
mod output;
mod proxy;
mod refusal;
mod reply;
mod request;
mod response;
#[cfg(test)]
mod rules_tests;
mod serve;
mod spool;
mod status;
mod target;
mod token;
pub mod websocket;

pub use app::{App, Manner, Observer, Outcome, Record, Share, Stirred};
pub use away::{Exchange, Inflow, Piece, session_clock};
pub use config::Config;
pub use head::Version;
pub use leniency::Permits;
pub use proxy::{Client, ClientField, Networks, Proxied, Trust, Underscores};
pub use refusal::Refusal;
pub use reply::{Flow, Remark, Reply};
pub use request::Request;
pub use response::BadHead;
pub use serve::{Farewell, Server, Turned};
pub use spool::Body;
pub use status::{reason, status_line};
