//! The form of a log line, the same from every process: `[2026-11-21 10:00:00 +0000] [4711] [INFO] what happened`.

use serde::{Deserialize, Serialize};
use std::fmt;
use sys::clock::{Calendar, unix_seconds};

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogFormat {
    /// For people: `format`.
    #[default]
    Plain,
    /// For programs: `record`.
    Json,
}

/// How much a line matters. Gunicorn's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// For those who look for a fault.
    Debug,
    /// What happens in ordinary life.
    Info,
    /// Something is not as it should be; service goes on.
    Warning,
    /// Something failed.
    Error,
    /// Somebody should look now.
    Critical,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        })
    }
}

/// One line (or several, when the text has them) with its newline, written by process `pid` now.
pub fn format(pid: i32, level: Level, text: &str) -> String {
    let now = Calendar::local(unix_seconds());
    let Calendar { year, month, day, hour, minute, second, .. } = now;
    let zone = now.zone();
    let text = text.trim_end_matches('\n');
    format!(
        "[{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} {zone}] [{pid}] [{level}] {text}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_like_gunicorns() {
        let line = format(42, Level::Info, "Listening\n");
        assert!(line.starts_with("[20") && line.ends_with("] [42] [INFO] Listening\n"), "{line}");
    }

    #[test]
    fn levels_are_ordered() {
        assert!(Level::Debug < Level::Info && Level::Error < Level::Critical);
    }
}
