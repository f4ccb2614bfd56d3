//! Target `requests`: whatever arrives on a connection, one request after another.
//!
//! - Pieces do not matter (`feed`).
//! - A head that is taken says the same when it is read in the plainest way (`oracle`), limits included.
//! - Requests lie one behind the other without a gap, and each body is what its head says: by length, or as the
//!   chunks of `chunks::whole`.
//! - What waits for more is within the limits, and nothing follows a refusal (`feed`).

use super::chunks::whole;
use super::feed::{Story, Taken, feed};
use super::{oracle, shown, split};
use crate::config::Config;
use crate::framing::BodyLength;
use crate::leniency::Permits;

/// Tries `data`.
pub fn requests(data: &[u8]) {
    let Some((choice, seed, message)) = split(data) else { return };
    let config = config(choice);
    let story = feed(message, seed, &config, false);
    check(message, &story, 0, &config);
}

/// Limits small enough to be met, and everything that may be permitted.
fn config(choice: u8) -> Config {
    let permits = Permits {
        obsolete_folding: choice & 2 != 0,
        header_spaces: choice & 4 != 0,
        unconventional_method: choice & 8 != 0,
        unconventional_version: choice & 16 != 0,
        casefold_method: choice & 32 != 0,
    };
    let mut config = Config { permits, ..Config::default() };
    if choice & 1 != 0 {
        (config.request_line, config.request_fields, config.request_field_size, config.body) = (40, 4, 40, 9);
    }
    config
}

/// Checks the requests of a story whose first one begins at `start`.
pub(super) fn check(message: &[u8], story: &Story, start: usize, config: &Config) {
    let mut at = start;
    for taken in &story.taken {
        assert_eq!(taken.head.start, at, "a gap between requests: {}", shown(message));
        check_head(&message[taken.head.clone()], taken, config);
        check_body(&message[taken.head.end..], taken, config);
        at = taken.end;
    }
    assert!(at <= story.used && story.used <= message.len(), "{story:?}");
}

fn check_head(wire: &[u8], taken: &Taken, config: &Config) {
    let read = match oracle::read(wire, config) {
        Ok(read) => read,
        Err(why) => panic!("taken, although {why}: {}", shown(wire)),
    };
    let is = oracle::Read {
        method: taken.method.clone(),
        target: taken.target.clone(),
        version: taken.version,
        fields: taken.fields.clone(),
        length: taken.length,
        keep_alive: taken.keep_alive,
    };
    assert_eq!(is, read, "{}", shown(wire));
    let rooted = from_root(&taken.target);
    let (path, query) = rooted.split_once('?').unwrap_or((&rooted, ""));
    assert_eq!(format!("{}{}", taken.script_name, taken.path), path, "{}", shown(wire));
    assert_eq!(taken.query, query, "{}", shown(wire));
}

/// A target without scheme and host; nothing is the root.
fn from_root(target: &str) -> String {
    let absolute = if target.starts_with('/') { None } else { target.split_once("://") };
    let path = absolute.map_or(target, |(_, rest)| &rest[rest.find(['/', '?']).unwrap_or(rest.len())..]);
    let root = if path.is_empty() || path.starts_with('?') { "/" } else { "" };
    format!("{root}{path}")
}

fn check_body(wire: &[u8], taken: &Taken, config: &Config) {
    let length = taken.end - taken.head.end;
    let expected = match taken.length {
        BodyLength::None => Some((Vec::new(), 0)),
        BodyLength::Exactly(said) => Some((wire[..length].to_vec(), said as usize)),
        BodyLength::Chunked => whole(wire, config.body),
    };
    assert_eq!(Some((taken.body.clone(), length)), expected, "{}", shown(wire));
}
