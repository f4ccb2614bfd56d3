//! What a line may say of a request. Whoever has one to tell of implements this; what is not known has a default.

use std::borrow::Cow;
use std::net::IpAddr;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// There was a whole response.
    Answered,
    /// It never reached the application.
    Refused,
    /// The response is not whole, or there was none.
    Aborted,
}

/// What is known of a request that has ended.
pub trait Facts {
    /// Where it came from.
    fn client(&self) -> Option<IpAddr>;

    /// The request line as it was sent, as far as it could be read.
    fn line(&self) -> &[u8];

    /// The status that was sent; nought when nothing was.
    fn status(&self) -> u16;

    /// Bytes of the response's body.
    fn bytes(&self) -> u64;

    /// Nanoseconds in the application.
    fn duration(&self) -> u64;

    /// The process that served it.
    fn pid(&self) -> i32;

    /// How it ended.
    fn ending(&self) -> Ending;

    /// Why it was not answered by the application, or not to the end.
    fn reason(&self) -> Option<&str> {
        None
    }

    /// Nanoseconds from its arrival to the beginning of the application.
    fn queued(&self) -> Option<u64> {
        None
    }

    /// The path that the application saw; otherwise as it was sent.
    fn path(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(path_of(self.line()))
    }

    /// The user that it names by basic authentication.
    fn user(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    /// A field of the request. Names are in lower case.
    fn field(&self, _name: &str) -> Option<Cow<'_, [u8]>> {
        None
    }

    /// A field of the response.
    fn response_field(&self, _name: &str) -> Option<Cow<'_, [u8]>> {
        None
    }

    /// A variable of its environment.
    fn variable(&self, _name: &str) -> Option<Cow<'_, [u8]>> {
        None
    }
}

/// The path in a request line, as it was sent.
pub fn path_of(line: &[u8]) -> &[u8] {
    let target = word(line, 1);
    let local = match target.windows(3).position(|part| part == b"://") {
        Some(at) if !target.starts_with(b"/") => from_slash(&target[at + 3..]),
        _ => target,
    };
    split_query(local).0
}

/// Method, target or protocol: what stands at this place of a request line.
pub(super) fn word(line: &[u8], place: usize) -> &[u8] {
    line.splitn(3, |byte| *byte == b' ').nth(place).unwrap_or_default()
}

/// What stands before the question mark, and behind it.
pub(super) fn split_query(target: &[u8]) -> (&[u8], &[u8]) {
    match target.iter().position(|byte| *byte == b'?') {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, b""),
    }
}

fn from_slash(text: &[u8]) -> &[u8] {
    &text[text.iter().position(|byte| *byte == b'/').unwrap_or(text.len())..]
}
