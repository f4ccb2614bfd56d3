//! Settings: what the operator said on the command line, in the environment and in the file, checked and resolved.
//!
//! `table` is the only list of settings. `arguments` and `file` turn what was written into `Given` values with their
//! origin, `reading` lets the strongest source win, and `apply` makes the `Settings` of them. Nothing here starts,
//! binds or changes anything.

mod apply;
mod arguments;
mod bind;
mod development;
mod directories;
mod env_file;
mod file;
mod host;
mod invocation;
mod logs;
mod metrics;
mod migrate;
mod nearest;
mod origin;
#[cfg(test)]
mod papers;
mod paste;
mod python_file;
mod python_logging;
mod reading;
mod refusal;
mod row;
mod statsd_host;
mod syslog;
mod table;
mod table_asgi;
mod table_clients;
mod table_control;
mod table_development;
mod table_gunicorn;
mod table_logging;
mod table_metrics;
mod table_proxy;
mod table_workers;
#[cfg(test)]
mod tests;
mod value;
mod worker_class;

pub(crate) use bind::Bind;
pub(crate) use development::{Development, ReloadEngine};
pub(crate) use invocation::{Invocation, Predecessor};
pub(crate) use metrics::Metrics;
use migrate::migrate;
pub(crate) use reading::help;
pub(crate) use refusal::Refusal;
pub(crate) use row::Wish;
pub(crate) use statsd_host::StatsdHost;

use contract::logline::{Level, LogFormat};
use contract::settings::{
    AsgiSettings, PasteSettings, PermitSettings, Preload, PythonSettings, TrustSettings, WorkerClass,
};
use origin::Origin;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use value::{Given, Value};

/// What rcorn is to do. Paths are absolute. A duration of nought switches its limit off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Every setting as it was written, with where that was: name, value, origin.
    pub(crate) shown: Vec<(String, String, String)>,
    /// The settings file, where that is one in Python, and the hooks in it.
    pub(crate) python_settings: Option<PythonSettings>,
    /// The settings files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// What looks like a slip in it, as sentences.
    pub(crate) warnings: Vec<String>,
    /// What was set and has no effect, as sentences that say why.
    pub(crate) unused: Vec<String>,
    /// `module`, `module:attribute.path` or `module:factory('literal', key=1)`.
    pub(crate) app: String,
    /// The file of PasteDeploy that the application is made of, and the section in it; `app` is its name then.
    pub(crate) paste: Option<PasteSettings>,
    /// What is added to the values of that file.
    pub(crate) paste_global: Vec<(String, String)>,
    /// Where to listen.
    pub(crate) bind: Vec<Bind>,
    /// Connections that the kernel queues.
    pub(crate) backlog: i32,
    /// Let several sockets have the same address.
    pub(crate) reuse_port: bool,
    /// How many workers, `auto` being what that comes to here and now.
    pub(crate) workers: u32,
    /// What kind of workers.
    pub(crate) worker_class: WorkerClass,
    /// Threads of each.
    pub(crate) threads: u32,
    /// The application's interpreter, or the directory of its virtual environment; `None`: to be found.
    pub(crate) python: Option<PathBuf>,
    /// The directory that the application works in.
    pub(crate) chdir: PathBuf,
    /// What else is put in front of `sys.path`.
    pub(crate) pythonpath: Vec<String>,
    /// A file with more of it.
    pub(crate) env_file: Option<PathBuf>,
    /// What is added to the application's environment, that file's part first.
    pub(crate) env: Vec<(String, String)>,
    /// When the application is imported.
    pub(crate) preload: Preload,
    /// `module:callable` that is called with the application before that serves.
    pub(crate) warm_up: Option<String>,
    /// How long one request may take without progress.
    pub(crate) timeout: Duration,
    /// How long one request may take in all.
    pub(crate) request_timeout: Duration,
    /// After how long the stacks of a request are logged.
    pub(crate) slow_request: Duration,
    /// After how many requests a worker is replaced; nought: never.
    pub(crate) max_requests: u64,
    /// Up to so many more, by chance.
    pub(crate) max_requests_jitter: u64,
    /// At which age a worker is replaced.
    pub(crate) max_worker_age: Duration,
    /// Above how many bytes of memory a worker is replaced; nought: never.
    pub(crate) max_worker_memory: u64,
    /// After how long without any connection it ends.
    pub(crate) idle_timeout: Duration,
    /// Are workers replaced one by one in a reload?
    pub(crate) rolling: bool,
    /// How many generations may exist at a time.
    pub(crate) max_generations: u32,
    /// How often a generation may fail to boot before it is given up.
    pub(crate) max_boot_failures: u32,
    /// How long a stop waits for requests in flight.
    pub(crate) graceful_timeout: Duration,
    /// How long a quiet kept connection is kept; nought: connections are not kept.
    pub(crate) keep_alive: Duration,
    /// How long zygote and workers may take until they are ready.
    pub(crate) startup_timeout: Duration,
    /// How long a client may take for a request's head.
    pub(crate) header_timeout: Duration,
    /// How long a client may take for a request's body, plus one second for each KiB that arrived.
    pub(crate) body_timeout: Duration,
    /// How long a client may take nothing of a response.
    pub(crate) write_timeout: Duration,
    /// The longest request line, in bytes.
    pub(crate) limit_request_line: u32,
    /// The most header fields.
    pub(crate) limit_request_fields: u32,
    /// The longest header field, in bytes.
    pub(crate) limit_request_field_size: u32,
    /// The longest body, in bytes. Nought: no limit.
    pub(crate) limit_request_body: u64,
    /// The most connections of one worker.
    pub(crate) worker_connections: u32,
    /// Where large bodies are spooled; `None`: `$TMPDIR`, /var/tmp, /tmp, in this order.
    pub(crate) tmp_upload_dir: Option<PathBuf>,
    /// Are files that the application wraps sent by the kernel?
    pub(crate) sendfile: bool,
    /// How ASGI applications are run.
    pub(crate) asgi: AsgiSettings,
    /// Whom to believe what about a client.
    pub(crate) trust: TrustSettings,
    /// What is let pass of what is malformed by today's rules.
    pub(crate) permits: PermitSettings,
    /// Who zygote and workers run as: a name or a number.
    pub(crate) user: Option<String>,
    /// Their group: a name or a number.
    pub(crate) group: Option<String>,
    /// The file mode mask of the unix sockets that rcorn binds.
    pub(crate) umask: u32,
    /// Where the process id is written.
    pub(crate) pid: Option<PathBuf>,
    /// The name in `ps`.
    pub(crate) name: Option<String>,
    /// Lines below this level are not written.
    pub(crate) log_level: Level,
    /// How log lines are written.
    pub(crate) log_format: LogFormat,
    /// What else was said of the logs.
    pub(crate) logs: logs::Logs,
    /// Where log lines go.
    pub(crate) error_log: LogTarget,
    /// Where the access log goes; `None`: it is off.
    pub(crate) access_log: Option<LogTarget>,
    /// What is measured, and who is told.
    pub(crate) metrics: Metrics,
    /// Where rcornctl reaches us; `None`: nowhere.
    pub(crate) control_socket: Option<PathBuf>,
    /// The mode of that socket's file.
    pub(crate) control_socket_mode: u32,
    /// And owner: `USER`, `USER:GROUP` or `:GROUP`.
    pub(crate) control_socket_owner: Option<String>,
    /// The extension module, when it does not lie where it is looked for.
    pub(crate) extension: Option<PathBuf>,
    /// For whoever writes the application.
    pub(crate) development: Development,
}

/// Where lines are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LogTarget {
    /// `-`: stderr for the error log, stdout for the access log.
    Stream,
    /// A file, appended to.
    File(PathBuf),
}

/// As workers are told a time. Nought means "no limit" there, so what is shorter than a millisecond is one.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    let whole = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if duration.is_zero() { 0 } else { whole.max(1) }
}

/// A path as workers and hooks are told it.
pub(crate) fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The table's defaults.
impl Default for Settings {
    fn default() -> Self {
        let mut settings = Self::blank("/".into());
        for row in table::all().filter(|row| !row.default.is_empty()) {
            let given = Given { row, value: Value::Text(row.default.to_owned()), origin: Origin::Default };
            // Each is tried by the tests of the table.
            let _ = apply::apply(&given, &mut settings, Path::new("/"));
        }
        settings
    }
}

impl Settings {
    /// A sentence about the value of `key`, behind where it was written.
    pub(crate) fn cite(&self, key: &str, sentence: &str) -> String {
        match self.shown.iter().find(|(name, _, origin)| name == key && origin != "default") {
            Some((_, _, origin)) => format!("{origin}: {sentence}"),
            None => sentence.to_owned(),
        }
    }

    /// What the table's defaults are put on.
    #[allow(clippy::too_many_lines, reason = "a line for each field")]
    fn blank(directory: PathBuf) -> Self {
        Self {
            shown: Vec::new(),
            python_settings: None,
            files: Vec::new(),
            warnings: Vec::new(),
            unused: Vec::new(),
            app: String::new(),
            paste: None,
            paste_global: Vec::new(),
            bind: Vec::new(),
            backlog: 0,
            reuse_port: false,
            workers: 0,
            worker_class: WorkerClass::Auto,
            threads: 1,
            python: None,
            chdir: directory,
            pythonpath: Vec::new(),
            env_file: None,
            env: Vec::new(),
            preload: Preload::Auto,
            warm_up: None,
            timeout: Duration::ZERO,
            request_timeout: Duration::ZERO,
            slow_request: Duration::ZERO,
            max_requests: 0,
            max_requests_jitter: 0,
            max_worker_age: Duration::ZERO,
            max_worker_memory: 0,
            max_boot_failures: 0,
            idle_timeout: Duration::ZERO,
            rolling: false,
            max_generations: 0,
            graceful_timeout: Duration::ZERO,
            keep_alive: Duration::ZERO,
            startup_timeout: Duration::ZERO,
            header_timeout: Duration::ZERO,
            body_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            limit_request_line: 0,
            limit_request_fields: 0,
            limit_request_field_size: 0,
            limit_request_body: 0,
            worker_connections: 0,
            tmp_upload_dir: None,
            sendfile: false,
            asgi: AsgiSettings::default(),
            trust: TrustSettings::default(),
            permits: PermitSettings::default(),
            user: None,
            group: None,
            umask: 0,
            pid: None,
            name: None,
            log_level: Level::Info,
            log_format: LogFormat::Plain,
            logs: logs::Logs::default(),
            error_log: LogTarget::Stream,
            access_log: None,
            metrics: Metrics::default(),
            control_socket: None,
            control_socket_mode: 0,
            control_socket_owner: None,
            extension: None,
            development: Development::default(),
        }
    }
}
