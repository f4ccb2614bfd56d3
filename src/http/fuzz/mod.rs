//! What strangers send, tried with bytes that nobody thought of: one function for each fuzz target of `fuzz/`. Each
//! panics when a property does not hold; what the properties are stands at the head of its file.
//!
//! The first two bytes choose the settings and how the rest is cut into pieces; everything else is the message. Only
//! the tests and the fuzzers see this module (feature `fuzzing`).
#![allow(clippy::panic, clippy::unwrap_used, reason = "a property that does not hold is told by a panic")]

mod chunks;
mod feed;
mod forwarded;
mod frames;
mod inflate;
mod inflated;
mod message;
mod oracle;
mod preambles;
mod requests;
mod responses;
mod spoken;
pub(crate) mod wire;

pub use chunks::chunks;
pub use forwarded::forwarded;
pub use frames::frames;
pub use inflated::inflated;
pub use preambles::preambles;
pub use requests::requests;
pub use responses::responses;
pub use spoken::spoken;

/// Settings, cuts and message; `None` when there is no message.
fn split(data: &[u8]) -> Option<(u8, u8, &[u8])> {
    let ([choice, seed], message) = data.split_first_chunk::<2>()?;
    Some((*choice, *seed, message))
}

/// Bytes for the message of a panic.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests;
