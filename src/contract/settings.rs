//! What a worker may know: resolved, immutable, handed to the zygote in a sealed memory file.

use crate::logline::{Level, LogFormat};
use crate::network::Network;
use crate::statsd::StatsdSettings;
use crate::syslog::SyslogSettings;
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
    /// `module:callable` that is called with the application before that serves.
    #[serde(default)]
    pub warm_up: Option<String>,
    /// Import the application before the fork?
    pub preload: Preload,
    /// How many workers there are meant to be.
    pub workers: u32,
    /// What kind of workers.
    pub worker_class: WorkerClass,
    /// Threads of each, that the application runs in.
    pub threads: u32,
    /// How many listeners there are, from `descriptors::LISTENERS` on.
    pub listeners: u32,
    /// Lines below this level are not written.
    pub log_level: Level,
    /// How they are written.
    pub log_format: LogFormat,
    /// Whether `descriptors::ACCESS_LOG` is to be written.
    pub access_log: bool,
    /// The form of its lines: `access::Format`.
    pub access_format: String,
    /// Which of the logs are systemd's journal.
    pub journal: Journaled,
    /// The syslog that lines are sent to as well.
    pub syslog: Option<SyslogSettings>,
    /// Does what the application prints go to the error log?
    pub capture_output: bool,
    /// How Python's logging is set up.
    pub logging: LoggingSettings,
    /// How long a stop waits for requests in flight.
    pub graceful_timeout: u64,
    /// After so many requests a worker is replaced; nought is never.
    pub max_requests: u64,
    /// Up to so many more, by chance, so that not all are replaced at once.
    pub max_requests_jitter: u64,
    /// The statsd server that is told of each request.
    pub statsd: Option<StatsdSettings>,
    /// In development: tell which files are loaded, and serve a page about an application that cannot be.
    #[serde(default)]
    pub reload: bool,
    /// In development: print every line that runs.
    #[serde(default)]
    pub spew: bool,
    /// How ASGI applications are run.
    pub asgi: AsgiSettings,
    /// Limits and manners of the HTTP side.
    pub http: HttpSettings,
    /// The file of PasteDeploy that the application is made of, instead of `app`.
    #[serde(default)]
    pub paste: Option<PasteSettings>,
    /// The settings file, where that is one in Python: evaluated again in the zygote, for what cannot cross.
    #[serde(default)]
    pub python_settings: Option<PythonSettings>,
    /// The directory that rcorn was started in, and that such a file is evaluated in.
    #[serde(default)]
    pub directory: String,
    /// What its hooks are told, where it has any.
    #[serde(default)]
    pub hooks: Option<HookSettings>,
}

/// An application that a file of PasteDeploy describes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasteSettings {
    /// The file, with an absolute path.
    pub file: String,
    /// The section of it, where that is not `main`.
    pub section: Option<String>,
    /// What is added to its `[DEFAULT]` values.
    pub defaults: Vec<(String, String)>,
}

/// A settings file in Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PythonSettings {
    /// Where it is.
    pub source: PythonSource,
    /// The hooks that it sets, by Gunicorn's names.
    pub hooks: Vec<String>,
}

/// Where settings in Python are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PythonSource {
    /// A file, by its absolute path.
    File(String),
    /// A module, by its name.
    Module(String),
}

/// What the hooks of a generation are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookSettings {
    /// Why the zygote starts.
    pub occasion: Occasion,
    /// How many workers are wanted now.
    pub workers: u32,
    /// Every setting that rcorn has, by Gunicorn's name, as a value of Gunicorn's type.
    pub cfg: serde_json::Map<String, serde_json::Value>,
}

/// Why a zygote starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Occasion {
    /// The whole starts.
    Start,
    /// A generation takes the place of another one, which had so many workers.
    Reload {
        /// So many.
        workers: u32,
    },
    /// The zygote of this generation has ended by itself.
    Again,
}

/// How Python's logging is set up before the application is imported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoggingSettings {
    /// Somebody's own class of loggers, where it is not Gunicorn's.
    pub logger_class: Option<String>,
    /// An object of JSON, or `python:` where it is that of the settings file in Python.
    pub logconfig_dict: Option<String>,
    /// A file of JSON.
    pub logconfig_json: Option<String>,
    /// An ini file.
    pub logconfig: Option<String>,
    /// What a logger is told of the settings, by Gunicorn's names.
    pub cfg: serde_json::Map<String, serde_json::Value>,
}

impl LoggingSettings {
    /// Is there nothing to be done?
    pub fn is_plain(&self) -> bool {
        [&self.logger_class, &self.logconfig_dict, &self.logconfig_json, &self.logconfig]
            .into_iter()
            .all(Option::is_none)
    }
}

/// How ASGI applications are run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AsgiSettings {
    /// The event loop.
    pub event_loop: EventLoop,
    /// Is the application told that the worker starts and ends?
    pub lifespan: Lifespan,
    /// How long the task of a request may go on after its client has gone, in milliseconds.
    pub disconnect_grace: u64,
    /// How long a request may take in all, in milliseconds; nought: no limit.
    pub request_timeout: u64,
    /// After how many milliseconds it is told what a request waits for; nought: never.
    pub slow_request: u64,
    /// What a proxy has taken off the front of the paths.
    pub root_path: String,
    /// Limits and manners of websockets.
    pub websocket: WebsocketSettings,
}

/// Limits and manners of websockets. Milliseconds; nought switches a limit off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebsocketSettings {
    /// The largest message, in bytes. Nought: no limit.
    pub message: u64,
    /// How often a ping is sent.
    pub ping_interval: u64,
    /// How long nothing may be heard after a ping.
    pub ping_timeout: u64,
    /// Is permessage-deflate agreed to?
    pub compression: bool,
}

/// The event loop of an ASGI worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventLoop {
    /// uvloop where it can be imported.
    #[default]
    Auto,
    /// Python's own.
    Asyncio,
    /// uvloop.
    Uvloop,
}

/// Whether an ASGI application hears of the beginning and the end of its worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lifespan {
    /// It is asked, and may not know what that is.
    #[default]
    Auto,
    /// It is asked, and has to know.
    On,
    /// It is not asked.
    Off,
}

/// Logs that are systemd's journal: entries with fields are sent there, instead of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journaled {
    /// The error log.
    pub error: bool,
    /// The access log.
    pub access: bool,
}

/// How the application is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerClass {
    /// As the application wants it: the callable tells.
    #[default]
    Auto,
    /// WSGI, one request at a time.
    Sync,
    /// WSGI, in several threads.
    Threads,
    /// WSGI, in a greenlet for each request.
    Gevent,
    /// ASGI.
    Asgi,
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
    /// The loop turns at least this often.
    pub beat: u64,
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
    /// Are they kept in memory where none of these can be written?
    pub spool_in_memory: bool,
    /// Are files that the application wraps sent by the kernel?
    pub sendfile: bool,
    /// Is the kernel asked how long a request lay there before the worker came to it?
    pub measures_arrival: bool,
    /// Whom to believe what about a client.
    pub trust: TrustSettings,
    /// What is let pass.
    pub permits: PermitSettings,
}

/// Whom to believe what about a client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustSettings {
    /// Proxies whose header fields are believed.
    pub proxies: Vec<Network>,
    /// Fields that tell the scheme, with the value that means https.
    pub scheme_fields: Vec<(String, String)>,
    /// Fields with an underscore that a trusted proxy may send; `*` is all.
    pub forwarder_fields: Vec<String>,
    /// What becomes of other fields with an underscore.
    pub underscores: Underscores,
    /// Where the client's address is read.
    pub client_field: ClientField,
    /// Where the application is mounted, unless a trusted proxy says so.
    pub script_name: String,
    /// Are PROXY headers of version 1 read?
    pub preamble_v1: bool,
    /// Are PROXY headers of version 2 read?
    pub preamble_v2: bool,
    /// Who may send PROXY headers.
    pub preamble_senders: Vec<Network>,
}

/// What becomes of a field whose name has an underscore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Underscores {
    /// It is left out.
    #[default]
    Drop,
    /// The request is refused.
    Refuse,
    /// It is passed on.
    Keep,
}

/// Where a trusted proxy tells the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientField {
    /// Nowhere: the client is the peer.
    #[default]
    None,
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded`.
    Forwarded,
}

/// What is let pass of what is malformed by today's rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitSettings {
    /// Header fields that go on in the next line.
    pub obsolete_folding: bool,
    /// Blanks between a field's name and its colon.
    pub header_spaces: bool,
    /// Methods of any length and case.
    pub unconventional_method: bool,
    /// Versions outside HTTP/1.x.
    pub unconventional_version: bool,
    /// Methods are made upper case.
    pub casefold_method: bool,
}
