//! The ground that a generation stands on: its settings, and everything that is opened because of them.

use super::hindrance::Hindrance;
use super::listeners::{self, Listener};
use super::policy::Rules;
use super::state::{Crossing, GroundState};
use super::zygote::{Errand, Plan, Started};
use crate::control::Totals;
use crate::interpreter::{self, Interpreter};
use crate::log::Logs;
use crate::settings::{Invocation, Settings};
use contract::id::Generation;
use contract::logline::Level;
use contract::scoreboard::Scoreboard;
use contract::settings::WorkerClass;
use contract::statsd::StatsdSettings;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use sys::user::{Credentials, is_root};

/// What a generation stands on.
#[derive(Debug)]
pub(crate) struct Ground {
    /// Its settings.
    pub(crate) settings: Settings,
    /// What it serves. Emptied when it is to serve no longer.
    pub(crate) listeners: Vec<Rc<Listener>>,
    /// Where its metrics are answered.
    pub(crate) metrics: Option<Rc<Listener>>,
    /// Whom its workers tell of their requests.
    pub(crate) statsd: Option<StatsdSettings>,
    /// Its logs.
    pub(crate) logs: Logs,
    /// Its scoreboard.
    pub(crate) board: Scoreboard,
    python: Interpreter,
    extension: PathBuf,
    credentials: Option<Credentials>,
}

impl Ground {
    /// Opens what the settings ask for, keeping of `open` what they ask for too; systemd gave us `handed`.
    pub(crate) fn prepare(
        invocation: &Invocation,
        settings: Settings,
        open: &[Rc<Listener>],
        handed: &[Rc<Listener>],
    ) -> Result<Self, Hindrance> {
        let python = interpreter::find(invocation, &settings).map_err(|refusal| refusal.to_string())?;
        let extension =
            interpreter::find_extension(invocation, &settings).map_err(|refusal| refusal.to_string())?;
        let credentials = credentials(&settings)?;
        let logs = Logs::open(&settings, credentials.as_ref())?;
        let board = board(&settings).map_err(|error| format!("cannot make the scoreboard: {error}"))?;
        let listeners = listeners::gather(&settings, open, handed, credentials.as_ref())?;
        let metrics = listeners::for_metrics(&settings, open, handed, &listeners)?;
        let statsd = statsd(&settings, &logs);
        if !settings.idle_timeout.is_zero() {
            listeners::outlive_us(&listeners)?;
        }
        Ok(Self { settings, listeners, metrics, statsd, logs, board, python, extension, credentials })
    }

    /// What the one who supervises it has to know.
    pub(crate) fn rules(&self) -> Rules {
        let limit = |duration: Duration| (!duration.is_zero()).then_some(duration);
        Rules {
            python: self.python.path.display().to_string(),
            workers: self.settings.workers,
            threads: self.settings.threads,
            preload: self.settings.preload,
            timeout: limit(self.settings.timeout),
            request_timeout: limit(self.settings.request_timeout),
            slow_request: limit(self.settings.slow_request),
            max_worker_age: limit(self.settings.max_worker_age),
            max_worker_memory: Some(self.settings.max_worker_memory).filter(|bytes| *bytes != 0),
            max_boot_failures: self.settings.max_boot_failures,
            idle_timeout: limit(self.settings.idle_timeout),
            rolling: self.settings.rolling,
            max_generations: self.settings.max_generations,
            graceful_timeout: self.settings.graceful_timeout,
            startup_timeout: limit(self.settings.startup_timeout),
            hooks: self.settings.python_settings.as_ref().map_or(Vec::new(), |file| file.hooks.clone()),
        }
    }

    /// What its workers have done.
    pub(crate) fn done(&self) -> Totals {
        let mut done = Totals::default();
        self.board.slots().for_each(|slot| done.add(&slot));
        done
    }

    /// As it crosses; `place` knows the places of listeners.
    pub(crate) fn pack(
        &self,
        place: &mut impl FnMut(&Rc<Listener>) -> usize,
        crossing: &mut Crossing,
    ) -> GroundState {
        GroundState {
            settings: self.settings.clone(),
            listeners: self.listeners.iter().map(&mut *place).collect(),
            metrics: self.metrics.as_ref().map(place),
            statsd: self.statsd.clone(),
            done: self.done(),
            logs: self.logs.pack(crossing),
            board: crossing.keep(self.board.as_fd()),
            python: self.python.path.clone(),
            extension: self.extension.clone(),
        }
    }

    /// As it was before it crossed, with the listeners at these places. `lost` gets what can be read no longer.
    pub(crate) fn unpack(
        state: GroundState,
        all: &[Rc<Listener>],
        lost: &mut Totals,
    ) -> Result<Self, String> {
        let system = |error: std::io::Error| format!("cannot take up a generation: {error}");
        let board = sys::fd::adopt(state.board).map_err(system)?;
        // The workers of another contract go on; what they note can only be read by their own kind.
        let board = Scoreboard::map(board).or_else(|_| {
            lost.add_all(&state.done);
            Scoreboard::create(1)
        });
        let board = board.map_err(system)?;
        let pick = |place: &usize| all.get(*place).cloned();
        let logs = Logs::unpack(state.logs).map_err(system)?;
        Ok(Self {
            // Not looked up again: what serves goes on as it is, whatever became of the user database.
            credentials: logs.owner().cloned(),
            listeners: state.listeners.iter().filter_map(pick).collect(),
            metrics: state.metrics.as_ref().and_then(pick),
            statsd: state.statsd,
            settings: state.settings,
            logs,
            board,
            python: Interpreter { path: state.python },
            extension: state.extension,
        })
    }

    /// Starts its zygote.
    pub(crate) fn start_zygote(
        &self,
        invocation: &Invocation,
        generation: Generation,
        errand: Errand,
    ) -> Result<Started, String> {
        Plan {
            invocation,
            python: &self.python.path,
            extension: &self.extension,
            settings: &self.settings,
            generation,
            errand,
            credentials: self.credentials.as_ref(),
            statsd: self.statsd.as_ref(),
            board: &self.board,
            logs: &self.logs,
            listeners: self.listeners.iter().map(AsFd::as_fd).collect(),
        }
        .start()
    }
}

/// The statsd server, if its address can be found: service goes on without.
fn statsd(settings: &Settings, logs: &Logs) -> Option<StatsdSettings> {
    let found = settings.metrics.statsd_host.as_ref()?.find();
    let (prefix, tags) = (settings.metrics.statsd_prefix.clone(), settings.metrics.dogstatsd_tags.clone());
    found
        .map(|target| StatsdSettings { target, prefix, tags })
        .inspect_err(|why| logs.line(Level::Warning, why))
        .ok()
}

fn board(settings: &Settings) -> std::io::Result<Scoreboard> {
    match settings.worker_class {
        WorkerClass::Sync | WorkerClass::Threads => Scoreboard::create(settings.threads),
        WorkerClass::Auto | WorkerClass::Asgi | WorkerClass::Gevent => {
            Scoreboard::create_for_loops(settings.threads)
        }
    }
}

/// Who zygote and workers run as; `None` when that is who we are.
fn credentials(settings: &Settings) -> Result<Option<Credentials>, String> {
    let (user, group) = (settings.user.as_deref(), settings.group.as_deref());
    if user.is_none() && group.is_none() {
        return Ok(None);
    }
    let look_up = |user, group| {
        Credentials::look_up(user, group).map_err(|error| format!("cannot read the user database: {error}"))
    };
    if let (Some(name), None) = (user, look_up(user, None)?) {
        return Err(settings.cite("user", &format!("there is no user \"{name}\"")));
    }
    let found = look_up(user, group)?;
    let unknown = || format!("there is no group \"{}\"", group.unwrap_or_default());
    let found = found.ok_or_else(|| settings.cite("group", &unknown()))?;
    if found.is_own() {
        return Ok(None);
    }
    if !is_root() {
        let (key, whom) = user.map_or(("group", group.unwrap_or_default()), |user| ("user", user));
        let text =
            format!("only root may become \"{whom}\": start rcorn as root, or leave user and group out");
        return Err(settings.cite(key, &text));
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(user: Option<&str>, group: Option<&str>) -> Result<Option<Credentials>, String> {
        let mut settings = crate::arbiter::tests::settings();
        settings.user = user.map(str::to_owned);
        settings.group = group.map(str::to_owned);
        credentials(&settings)
    }

    #[test]
    fn unknown_names_are_refused_by_name() {
        assert_eq!(with(Some("no-such-user"), None).unwrap_err(), "there is no user \"no-such-user\"");
        assert_eq!(with(None, Some("no-such-group")).unwrap_err(), "there is no group \"no-such-group\"");
        assert_eq!(with(None, None), Ok(None));
    }

    #[test]
    fn only_root_becomes_someone_else() {
        assert_eq!(with(Some("54321"), None).is_ok(), is_root());
    }

    #[test]
    fn a_limit_of_nought_is_none() {
        let mut settings = crate::arbiter::tests::settings();
        settings.timeout = Duration::ZERO;
        settings.startup_timeout = Duration::from_secs(3);
        settings.python = Some("/bin/sh".into());
        settings.extension = Some("/dev/null".into());
        let ground = Ground::prepare(&Invocation::of_process(), settings, &[], &[]).unwrap();
        let rules = ground.rules();
        assert_eq!((rules.timeout, rules.startup_timeout), (None, Some(Duration::from_secs(3))));
    }
}
