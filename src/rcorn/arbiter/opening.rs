//! What the arbiter holds, opened: at the start, and for each generation that a reload begins. Part of the hands.

use super::act::Hands;
use super::ground::Ground;
use super::handed::{self, Handed};
use super::hindrance::Hindrance;
use super::listeners::Listener;
use super::memory::Kills;
use super::pidfile::PidFile;
use super::policy::{Moment, Rules};
use super::rotation::Rotation;
use super::wires::Wires;
use crate::control::{Control, Meters, Totals};
use crate::log::Logs;
use crate::metrics::Survey;
use crate::settings::{Invocation, Settings};
use crate::systemd::{Manager, Pressure};
use contract::id::Generation;
use contract::logline::Level;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use sys::process;

impl Hands {
    /// Opens everything that the first generation stands on. From here on connections are taken.
    pub(crate) fn open(invocation: Invocation, settings: Settings) -> Result<Self, Hindrance> {
        let system = |error: io::Error| format!("cannot watch over processes: {error}");
        let mut wires = Wires::new().map_err(system)?;
        process::become_subreaper().map_err(system)?;
        let pid_file = settings.pid.as_deref().map(PidFile::write).transpose()?;
        let control = open_control(&settings)?;
        let Handed { sockets, kept, mut useless } = handed::take(&invocation)?;
        let ground = Ground::prepare(&invocation, settings, &kept, &sockets)?;
        let unused = kept.iter().filter(|it| !ground.listeners.iter().any(|other| Rc::ptr_eq(it, other)));
        useless.extend(unused.filter_map(|listener| listener.name_in_store()));
        let logs = ground.logs.share().map_err(|error| format!("cannot share the log: {error}"))?;
        logs.try_syslog();
        logs.line(Level::Info, &format!("Starting rcorn {}", env!("CARGO_PKG_VERSION")));
        watch_pressure(&mut wires, &invocation, &logs);
        announce(&logs, &ground, &[]);
        warn(&logs, &ground.settings);
        let endpoint = ground.open_endpoint()?;
        let beacon = ground.open_beacon(&logs);
        let grounds = BTreeMap::from([(Generation(1), ground)]);
        let kills = Kills::watch();
        let manager = Manager::of(&invocation);
        useless.iter().for_each(|name| manager.forget(name));
        let meters = Meters::since(sys::clock::unix_milliseconds() as f64 / 1e3, Totals::default());
        Ok(Self {
            wires,
            invocation,
            handed: sockets,
            grounds,
            logs,
            pid_file,
            kills,
            checking: None,
            control,
            endpoint,
            beacon,
            meters,
            survey: Survey::default(),
            manager,
            watch: None,
            pulsed: Moment(0),
            rotation: Rotation::default(),
        }
        .watching(Generation(1)))
    }

    /// What the first generation's settings say.
    pub(crate) fn first_rules(&self) -> Option<Rules> {
        self.grounds.get(&Generation(1)).map(Ground::rules)
    }

    /// Opens what the settings, read anew, ask for.
    pub(crate) fn prepare(&mut self, generation: Generation) -> Result<Rules, String> {
        let settings = self.invocation.load().map_err(|refusal| refusal.whole())?;
        let held =
            |ground: &Ground| ground.listeners.iter().chain(&ground.metrics).cloned().collect::<Vec<_>>();
        let open: Vec<_> = self.grounds.values().flat_map(held).collect();
        let ground =
            Ground::prepare(&self.invocation, settings, &open, &self.handed).map_err(String::from)?;
        ground.logs.try_syslog();
        announce(&self.logs, &ground, &open);
        warn(&self.logs, &ground.settings);
        let rules = ground.rules();
        self.grounds.insert(generation, ground);
        self.watch_for(generation);
        Ok(rules)
    }
}

pub(super) fn open_control(settings: &Settings) -> Result<Option<Control>, String> {
    let Some(path) = &settings.control_socket else { return Ok(None) };
    let owner = settings.control_socket_owner.as_deref();
    Control::open(path, settings.control_socket_mode, owner).map(Some)
}

/// Where that cannot be, service goes on without.
pub(super) fn watch_pressure(wires: &mut Wires, invocation: &Invocation, logs: &Logs) {
    let watched = Pressure::of(invocation).and_then(|pressure| match pressure {
        Some(pressure) => {
            wires.watch_pressure(pressure).map_err(|error| format!("cannot watch memory pressure: {error}"))
        }
        None => Ok(()),
    });
    if let Err(why) = watched {
        logs.line(Level::Warning, &why);
    }
}

/// Names the process for `ps`.
pub(crate) fn set_title(settings: &Settings) {
    let name = settings.name.as_deref().unwrap_or(&settings.app);
    sys::title::set(&format!("rcorn: arbiter [{name}]"));
}

/// Says what looks like a slip in the settings.
fn warn(logs: &Logs, settings: &Settings) {
    settings.warnings.iter().for_each(|warning| logs.line(Level::Warning, warning));
}

fn announce(logs: &Logs, ground: &Ground, known: &[Rc<Listener>]) {
    let is_new = |listener: &&Rc<Listener>| !known.iter().any(|other| Rc::ptr_eq(other, listener));
    for listener in ground.listeners.iter().filter(is_new) {
        logs.line(Level::Info, &format!("Listening at: {listener} ({})", process::own_pid()));
    }
    for listener in ground.metrics.iter().filter(is_new) {
        logs.line(Level::Info, &format!("Metrics at: {listener}"));
    }
}
