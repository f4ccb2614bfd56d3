//! What the arbiter hands to the program that follows it: everything it knows, and the numbers of the descriptors that
//! cross. The form has a number of its own; a program that does not know it refuses, and nothing has changed.

use super::fleet::Fleet;
use crate::control::Totals;
use crate::settings::{LogTarget, Settings};
use crate::watch::Files;
use contract::id::{Generation, Pid, WorkerId};
use contract::logline::{Level, LogFormat};
use contract::statsd::StatsdSettings;
use contract::syslog::SyslogSettings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::PathBuf;

/// The number of this form. A field that is added has a default (`serde(default)`), and fields that are not known are
/// passed over, so that upgrades and downgrades by such steps need no other number. Whatever else changes does; a program
/// with another number is refused by the check, and the operator restarts.
const SCHEMA: u32 = 1;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Everything.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    schema: u32,
    /// The version of the program that wrote it.
    version: String,
    /// Who looks after whom.
    pub(crate) fleet: Fleet,
    /// All listeners; the others name them by their place here.
    pub(crate) listeners: Vec<ListenerState>,
    /// Those that systemd handed over.
    pub(crate) handed: Vec<usize>,
    /// What each generation stands on.
    pub(crate) grounds: BTreeMap<Generation, GroundState>,
    /// The channels to zygotes.
    pub(crate) zygotes: BTreeMap<Generation, ZygoteState>,
    /// The channels to workers.
    pub(crate) workers: BTreeMap<WorkerId, WorkerState>,
    /// The arbiter's own logs.
    pub(crate) logs: LogsState,
    /// Where the process id is written.
    pub(crate) pid_file: Option<PathBuf>,
    /// The control socket.
    pub(crate) control: Option<ControlState>,
    /// The listener of the metrics, by its place.
    #[serde(default)]
    pub(crate) metrics: Option<usize>,
    /// When it all began, in seconds since 1970.
    #[serde(default)]
    pub(crate) started: f64,
    /// What workers did that are gone.
    #[serde(default)]
    pub(crate) gone: Totals,
    /// The files that are watched.
    #[serde(default)]
    pub(crate) watched: Option<Files>,
}

/// The control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ControlState {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its descriptor.
    pub(crate) fd: RawFd,
    /// Its file, with its device and number.
    pub(crate) file: (PathBuf, u64, u64),
}

/// A listener.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListenerState {
    /// What was asked for.
    pub(crate) asked: crate::settings::Bind,
    /// Its descriptor.
    pub(crate) fd: RawFd,
    /// What systemd calls it.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The socket file that we made, with its device and number.
    pub(crate) file: Option<(PathBuf, u64, u64)>,
}

/// What a generation stands on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GroundState {
    /// Its settings.
    pub(crate) settings: Settings,
    /// Its listeners.
    pub(crate) listeners: Vec<usize>,
    /// The one of its metrics.
    #[serde(default)]
    pub(crate) metrics: Option<usize>,
    /// Whom its workers tell of their requests.
    #[serde(default)]
    pub(crate) statsd: Option<StatsdSettings>,
    /// What its workers had done by then, for a successor that cannot read its scoreboard.
    #[serde(default)]
    pub(crate) done: Totals,
    /// Its logs.
    pub(crate) logs: LogsState,
    /// Its scoreboard.
    pub(crate) board: RawFd,
    /// Its interpreter.
    pub(crate) python: PathBuf,
    /// The extension that its zygote loads.
    pub(crate) extension: PathBuf,
}

/// Logs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LogsState {
    /// What matters enough.
    pub(crate) level: Level,
    /// How lines are written.
    #[serde(default)]
    pub(crate) format: LogFormat,
    /// The error log.
    pub(crate) error: (Option<LogTarget>, RawFd),
    /// The access log.
    pub(crate) access: (Option<LogTarget>, RawFd),
    /// Whom new files are given to: user, group, further groups.
    pub(crate) owner: Option<(u32, u32, Vec<u32>)>,
    /// What its entries say of us.
    #[serde(default)]
    pub(crate) label: String,
    /// The syslog that lines are sent to as well.
    #[serde(default)]
    pub(crate) syslog: Option<SyslogSettings>,
    /// Does what is printed go to the error log?
    #[serde(default)]
    pub(crate) captures: bool,
}

/// A zygote.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ZygoteState {
    /// Its process.
    pub(crate) pid: Pid,
    /// Its channel, while that is open.
    pub(crate) channel: Option<RawFd>,
    /// What it said before it was Python.
    pub(crate) said: RawFd,
}

/// A worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WorkerState {
    /// Its generation.
    pub(crate) generation: Generation,
    /// Its channel.
    pub(crate) channel: RawFd,
    /// Is that open at the other end?
    pub(crate) open: bool,
    /// Where it writes its stacks.
    pub(crate) stacks: RawFd,
    /// The pipes of what it prints.
    #[serde(default)]
    pub(crate) outputs: Option<[RawFd; 2]>,
}

/// The descriptors that cross.
#[derive(Debug, Default)]
pub(crate) struct Crossing(pub(crate) Vec<RawFd>);

impl Crossing {
    /// This one crosses.
    pub(crate) fn keep(&mut self, fd: BorrowedFd<'_>) -> RawFd {
        self.0.push(fd.as_raw_fd());
        fd.as_raw_fd()
    }
}

impl State {
    /// With nothing in it but the fleet.
    pub(crate) fn of(fleet: Fleet, logs: LogsState) -> Self {
        Self {
            schema: SCHEMA,
            version: VERSION.to_owned(),
            fleet,
            listeners: Vec::new(),
            handed: Vec::new(),
            grounds: BTreeMap::new(),
            zygotes: BTreeMap::new(),
            workers: BTreeMap::new(),
            logs,
            pid_file: None,
            control: None,
            metrics: None,
            started: 0.0,
            gone: Totals::default(),
            watched: None,
        }
    }

    /// What is to be said of the program that wrote it, when that was another version than this.
    pub(crate) fn farewell(&self) -> Option<String> {
        (self.version != VERSION)
            .then(|| format!("rcorn {VERSION} goes on in this process where rcorn {} stopped", self.version))
    }

    /// In a memory file that can never change again.
    pub(crate) fn write(&self) -> Result<OwnedFd, String> {
        let text =
            serde_json::to_vec(self).map_err(|error| format!("cannot write down the state: {error}"))?;
        sys::memory::sealed("rcorn-state", &text)
            .map_err(|error| format!("cannot write down the state: {error}"))
    }

    /// What a former self wrote.
    pub(crate) fn read(fd: OwnedFd) -> Result<Self, String> {
        let text = sys::memory::read(fd).map_err(|error| format!("cannot read the state: {error}"))?;
        let form: Form = serde_json::from_slice(&text).map_err(|error| unknown(&error.to_string()))?;
        if form.schema != SCHEMA {
            return Err(unknown(&format!("its form is {}, ours is {SCHEMA}", form.schema)));
        }
        serde_json::from_slice(&text).map_err(|error| unknown(&error.to_string()))
    }
}

/// What all forms have in common.
#[derive(Deserialize)]
struct Form {
    schema: u32,
}

fn unknown(why: &str) -> String {
    format!("rcorn {VERSION} cannot take over from the version that runs ({why}): restart it instead")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let logs = LogsState {
            level: Level::Info,
            format: LogFormat::Plain,
            error: (None, 2),
            access: (None, 2),
            owner: None,
            label: String::new(),
            syslog: None,
            captures: false,
        };
        State::of(Fleet::new(), logs)
    }

    #[test]
    fn what_was_written_is_read() {
        let mut state = state();
        state.pid_file = Some("/run/app.pid".into());
        let read = State::read(state.write().unwrap()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{state:?}"));
        assert_eq!(read.farewell(), None);
        state.version = "0.0.9".into();
        assert!(state.farewell().unwrap().ends_with(" goes on in this process where rcorn 0.0.9 stopped"));
    }

    #[test]
    fn a_state_with_more_or_fewer_settings_is_read() {
        let mut settings = serde_json::to_value(crate::arbiter::tests::settings()).unwrap();
        let fields = settings.as_object_mut().unwrap();
        fields.insert("a_setting_of_tomorrow".into(), 5.into());
        fields.remove("startup_timeout").unwrap();
        let read: Settings = serde_json::from_value(settings).unwrap();
        assert_eq!(read.startup_timeout, Settings::default().startup_timeout);
        assert!(!read.startup_timeout.is_zero(), "what is not there has its default");
        assert_eq!(read.app, crate::arbiter::tests::settings().app);
    }

    #[test]
    fn another_form_is_refused_in_words() {
        for text in ["{\"schema\": 77}", "{}", "no state at all", "{\"schema\": 1}"] {
            let file = sys::memory::sealed("state", text.as_bytes()).unwrap();
            let why = State::read(file).unwrap_err();
            assert!(why.contains("cannot take over") && why.ends_with("restart it instead"), "{why}");
        }
    }
}
