//! The access log as entries of the journal: the usual line, and fields to filter by. A journal that does not keep up
//! holds up no request: entries wait for a moment, then they are dropped and counted.

use crate::access::AccessLog;
use crate::access_facts::client;
use crate::log;
use contract::access::path_of;
use contract::logline::Level;
use http::Record;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// Entries that wait.
const MOST_WAITING: usize = 1000;
/// How long a worker that ends waits for a journal that is behind.
const PATIENCE: Duration = Duration::from_secs(1);

/// Entries on their way.
pub(crate) struct JournalLog {
    lines: AccessLog,
    waiting: VecDeque<Vec<u8>>,
    dropped: u64,
}

impl JournalLog {
    /// With lines of this form.
    pub(crate) fn new(lines: AccessLog) -> Self {
        Self { lines, waiting: VecDeque::new(), dropped: 0 }
    }

    /// Sends the entry of one request.
    pub(crate) fn write(&mut self, record: &Record<'_>) {
        let Some((entry, _)) = log::entry(Level::Info) else { return };
        let line = self.lines.line_of(record);
        let method = record.raw_line.split(|byte| *byte == b' ').next().unwrap_or_default();
        let mut entry = entry
            .field("MESSAGE", line.trim_ascii_end())
            .field("HTTP_METHOD", method)
            // Not the query: there are secrets in it.
            .field("HTTP_PATH", path_of(record.raw_line))
            .number("HTTP_STATUS", u64::from(record.status))
            .number("HTTP_BYTES", record.body_sent)
            .number("HTTP_DURATION_USEC", record.app_ns / 1000);
        if let Some(ip) = client(record) {
            entry = entry.field("REMOTE_ADDR", ip.to_string().as_bytes());
        }
        if self.waiting.len() >= MOST_WAITING {
            self.dropped += 1;
            return;
        }
        self.waiting.push_back(entry.bytes().to_vec());
        self.flush();
    }

    /// Sends what waits, as far as there is room.
    pub(crate) fn flush(&mut self) {
        self.lines.flush_syslog();
        if self.waiting.is_empty() && self.dropped == 0 {
            return;
        }
        let Some((_, journal)) = log::entry(Level::Info) else { return };
        while let Some(entry) = self.waiting.front() {
            if journal.send(entry).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
                return;
            }
            self.waiting.pop_front();
        }
        if self.dropped > 0 {
            self.confess();
        }
    }

    /// The worker ends: what the journal does not take soon will never arrive, and is counted as well.
    pub(crate) fn finish(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        self.flush();
        while !self.waiting.is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
            self.flush();
        }
        self.dropped += self.waiting.len() as u64;
        self.waiting.clear();
        self.flush();
    }

    /// Tells how many are missing; again, when there is no room for that either.
    fn confess(&mut self) {
        let Some((entry, journal)) = log::entry(Level::Warning) else { return };
        let text =
            format!("{} entries of the access log were dropped: the journal did not keep up", self.dropped);
        if journal.send(entry.field("MESSAGE", text.as_bytes()).bytes()).is_ok() {
            self.dropped = 0;
        }
    }
}
