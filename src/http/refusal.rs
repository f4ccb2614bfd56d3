//! Why a request is refused before any of it reaches the application: one variant, one status, one sentence.

use crate::status::reason;
use std::fmt;

/// The reason of a refusal. Its text goes to the client and into the log; it never repeats what the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// What was wrong, as a sentence without its full stop.
    pub why: &'static str,
}

impl Refusal {
    /// 400: the message breaks the rules of HTTP.
    pub const fn bad(why: &'static str) -> Self {
        Self { status: 400, why }
    }

    /// Any other status.
    pub const fn new(status: u16, why: &'static str) -> Self {
        Self { status, why }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, reason(self.status), self.why)
    }
}
