//! What is told of a request that takes long in a loop of the application's own, where the arbiter does not see it.

use crate::log;
use contract::logline::Level;
use http::Request;
use sys::socket::Address;

/// Which request it is, and whose: `"GET /path HTTP/1.1" from 192.0.2.1:4711`.
pub(crate) fn named(request: &Request<'_>) -> String {
    let client = match request.peer() {
        Address::Tcp(address) => address.to_string(),
        _ => "a unix socket".to_owned(),
    };
    format!("\"{}\" from {client}", String::from_utf8_lossy(request.raw_line()))
}

/// It has taken so many milliseconds, and goes on. `place` is where it waits.
pub(crate) fn tell_slow(milliseconds: u64, request: &str, place: &str) {
    tell(Level::Warning, "slow request", milliseconds, request, ("it goes on", place));
}

/// It has taken so many milliseconds, and is ended.
pub(crate) fn tell_ended(milliseconds: u64, request: &str, place: &str) {
    tell(Level::Critical, "REQUEST TIMEOUT", milliseconds, request, ("it is cancelled", place));
}

fn tell(level: Level, what: &str, milliseconds: u64, request: &str, (then, place): (&str, &str)) {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    log::write(level, &format!("{what}: {seconds}.{rest:03} s in {request}; {then}\n{place}"));
}
