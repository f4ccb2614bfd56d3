//! Limits and manners. Durations are milliseconds; nought switches a limit off.

use crate::leniency::Permits;
use crate::proxy::Trust;
use std::path::PathBuf;

/// What may be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// The loop turns at least this often, whether anything happens or not.
    pub beat: u64,
    /// How long a quiet kept connection is kept. Nought: connections are not kept.
    pub keep_alive: u64,
    /// How long a client may take for a request's head.
    pub head_timeout: u64,
    /// How long a client may take for a request's body, plus a second for each KiB that arrived.
    pub body_timeout: u64,
    /// How long a client may take nothing of a response.
    pub write_timeout: u64,
    /// The longest request line, in bytes. Nought: no limit but that of the whole head.
    pub request_line: u32,
    /// The most header fields.
    pub request_fields: u32,
    /// The longest header field, in bytes.
    pub request_field_size: u32,
    /// The longest body, in bytes. Nought: no limit.
    pub body: u64,
    /// The most connections at a time.
    pub connections: u32,
    /// Where large bodies are spooled, in the order in which they are tried; none: in memory files.
    pub spool_directories: Vec<PathBuf>,
    /// Whom to believe what about a client.
    pub trust: Trust,
    /// What is let pass of what is malformed by today's rules.
    pub permits: Permits,
    /// Is the kernel asked how long a request lay there while the loop was busy? A system call for each of those.
    pub measures_arrival: bool,
    /// What the Server field says.
    pub server_name: String,
    /// Do the books want the heads of responses?
    pub keeps_heads: bool,
}

impl Config {
    /// The longest head that can be within the limits.
    pub(crate) fn longest_head(&self) -> usize {
        self.longest_line() + self.request_fields as usize * (self.request_field_size as usize + 2) + 4
    }

    /// The longest request line. Gunicorn has no larger one either when the limit is off.
    pub(crate) fn longest_line(&self) -> usize {
        if self.request_line == 0 { 8190 } else { self.request_line as usize }
    }
}

/// Gunicorn's limits, and ours where it has none.
impl Default for Config {
    fn default() -> Self {
        Self {
            beat: 0,
            keep_alive: 75_000,
            head_timeout: 30_000,
            body_timeout: 30_000,
            write_timeout: 30_000,
            request_line: 4094,
            request_fields: 100,
            request_field_size: 8190,
            body: 0,
            connections: 1000,
            spool_directories: vec!["/var/tmp".into(), "/tmp".into()],
            trust: Trust::default(),
            permits: Permits::default(),
            measures_arrival: false,
            server_name: "rcorn".to_owned(),
            keeps_heads: false,
        }
    }
}
