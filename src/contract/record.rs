//! The form of log lines in JSON: each record is one object on one line, whatever a text or a client has in it.

use crate::logline::Level;
use serde::Serialize;
use sys::clock::{Calendar, unix_milliseconds};

/// Who writes, as every record of a process says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Writer {
    /// The name of the instance.
    pub app: String,
    /// The process; `None` where a line came through a pipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// Its generation; the arbiter has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The number of the worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<u32>,
}

/// Which log a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Log {
    /// What rcorn has to say.
    Server,
    /// Requests.
    Access,
    /// What the application printed.
    Stdout,
    /// What it printed to standard error.
    Stderr,
}

#[derive(Serialize)]
struct Record<'a, T> {
    time: String,
    level: String,
    log: Log,
    #[serde(flatten)]
    writer: &'a Writer,
    #[serde(flatten)]
    content: T,
}

#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

/// One line with its newline. The text may have several.
pub fn message(writer: &Writer, log: Log, level: Level, text: &str) -> Vec<u8> {
    record(writer, log, level, Message { message: text.trim_end() })
}

/// One line with its newline; the fields of `content` follow those of every record.
pub fn record(writer: &Writer, log: Log, level: Level, content: impl Serialize) -> Vec<u8> {
    let record = Record { time: stamp(unix_milliseconds()), level: level.to_string(), log, writer, content };
    // It has no maps with odd keys, so it cannot fail.
    let mut line = serde_json::to_vec(&record).unwrap_or_default();
    line.push(b'\n');
    line
}

/// RFC 3339 in UTC: `2026-11-21T10:00:00.042Z`.
fn stamp(milliseconds: i64) -> String {
    let moment = Calendar::utc(milliseconds.div_euclid(1000));
    let Calendar { year, month, day, hour, minute, second, .. } = moment;
    let rest = milliseconds.rem_euclid(1000);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{rest:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line() {
        let writer = Writer { app: "shop".into(), pid: Some(7), generation: Some(2), worker: None };
        let line = message(&writer, Log::Server, Level::Error, "a \"b\"\n  c\u{1b}\n");
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["message"], "a \"b\"\n  c\u{1b}");
        assert_eq!((&value["level"], &value["log"]), (&"ERROR".into(), &"server".into()));
        assert_eq!((&value["generation"], value.get("worker")), (&2.into(), None));
    }

    #[test]
    fn the_time_is_what_the_standard_says() {
        assert_eq!(stamp(1_700_000_000_042), "2023-11-14T22:13:20.042Z");
    }
}
