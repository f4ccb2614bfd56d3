//! Why a request is refused before any of it reaches the application: one variant, one status, one sentence.

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

/// The reason phrase of a status that this server makes itself (RFC 9110, section 15).
pub fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        403 => "Forbidden",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "Internal Server Error",
    }
}
