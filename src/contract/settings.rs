//! What a worker may know: resolved, immutable, handed to the zygote in a sealed memory file.

use crate::logline::Level;
use serde::{Deserialize, Serialize};

/// Everything that zygote and workers are told. Durations are milliseconds; nought switches a limit off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerSettings {
    /// `contract::VERSION` of the arbiter.
    pub contract: u32,
    /// The generation's number.
    pub generation: u64,
    /// The arbiter's process id.
    pub arbiter: i32,
    /// The name in `ps`, or nothing.
    pub name: String,
    /// `sys.argv` of the application.
    pub argv: Vec<String>,
    /// `module`, `module:attribute.path` or `module:factory('literal', key=1)`.
    pub app: String,
    /// The directory that the process works in and that comes first in `sys.path`.
    pub chdir: String,
    /// What else is put in front of `sys.path`.
    pub pythonpath: Vec<String>,
    /// Import the application before the fork?
    pub preload: Preload,
    /// How many workers there are meant to be.
    pub workers: u32,
    /// How many listeners there are, from `descriptors::LISTENERS` on.
    pub listeners: u32,
    /// Lines below this level are not written.
    pub log_level: Level,
    /// Whether `descriptors::ACCESS_LOG` is to be written.
    pub access_log: bool,
    /// How long a stop waits for requests in flight.
    pub graceful_timeout: u64,
    /// Limits and manners of the HTTP side.
    pub http: HttpSettings,
}

/// When the application is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preload {
    /// Before the fork, unless the import leaves something behind that does not survive one.
    Auto,
    /// Before the fork.
    On,
    /// By every worker for itself.
    Off,
}

/// Limits and manners of the HTTP side. Milliseconds; nought switches a limit off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpSettings {
    /// How long a quiet kept connection is kept. Nought: connections are not kept.
    pub keep_alive: u64,
    /// How long a client may take for a request's head.
    pub head_timeout: u64,
    /// How long a client may take for a request's body, plus one second for each KiB that arrived.
    pub body_timeout: u64,
    /// How long a client may take nothing of a response.
    pub write_timeout: u64,
    /// The longest request line, in bytes.
    pub request_line: u32,
    /// The most header fields.
    pub request_fields: u32,
    /// The longest header field, in bytes.
    pub request_field_size: u32,
    /// The longest body, in bytes. Nought: no limit.
    pub body: u64,
    /// The most connections of one worker.
    pub connections: u32,
    /// Where large bodies are spooled, in the order in which they are tried.
    pub spool_directories: Vec<String>,
}
