//! What is told of a request that takes long in a loop of the application's own, where the arbiter does not see it.

use crate::log;
use contract::logline::Level;

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
    log::write(level, &format!("{what}: {seconds}.{rest:03} s in \"{request}\"; {then}\n{place}"));
}
