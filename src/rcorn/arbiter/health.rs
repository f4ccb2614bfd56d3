//! Is the whole well, and is it on its way to something? Asked on behalf of systemd: its watchdog, and its patience.

use super::act::Hands;
use super::fleet::{Fleet, Phase, Stage, Worker};
use super::policy::Moment;
use std::time::Duration;

/// How often systemd is asked for time. More often than needed: older ones forget while `ExecReload=` runs.
const ASK: Duration = Duration::from_secs(1);

/// Is there a worker that serves, or one that may do so in a moment?
///
/// One whose request, or whose loop, is over its limit is none: `step` has sent it away by then. A long request within
/// its limit, and no request at all, are health.
pub(crate) fn is_well(fleet: &Fleet) -> bool {
    fleet.crews.values().any(|crew| {
        let well = |worker: &Worker| match worker.phase {
            Phase::Ready { .. } => true,
            // The first try has the time that an import may take.
            Phase::Booting => !crew.posts.contains_key(&worker.slot),
            Phase::Leaving(_) => false,
        };
        crew.workers.values().any(well)
    }) || matches!(fleet.stage, Stage::Stopping { .. })
}

/// Does something take its time that has a limit of its own: the first start, a reload, the end?
pub(crate) fn is_on_its_way(fleet: &Fleet) -> bool {
    matches!(fleet.stage, Stage::Stopping { .. }) || fleet.is_booting()
}

/// Is it well, as systemd's watchdog would have it? The sentence says why or why not.
pub(crate) fn liveness(fleet: &Fleet) -> Result<String, String> {
    if is_well(fleet) || is_on_its_way(fleet) {
        return Ok("alive".to_owned());
    }
    Err("no worker serves, and none could be started".to_owned())
}

/// Would a request that comes now be served? The sentence says by whom, or why not.
pub(crate) fn readiness(fleet: &Fleet) -> Result<String, String> {
    if fleet.stage != Stage::Running {
        return Err("stopping".to_owned());
    }
    let Some((generation, crew)) = fleet.serving() else {
        return Err("booting: no generation serves yet".to_owned());
    };
    match crew.ready() {
        0 => Err(format!("no worker of generation {generation} is ready")),
        1 => Ok(format!("ready: generation {generation}, 1 worker")),
        count => Ok(format!("ready: generation {generation}, {count} workers")),
    }
}

impl Hands {
    /// When systemd has to hear of us next.
    pub(super) fn next_pulse(&self, fleet: &Fleet) -> Option<Duration> {
        let ask = (self.manager.is_there() && is_on_its_way(fleet)).then_some(ASK);
        let interval = ask.into_iter().chain(self.manager.watchdog()).min()?;
        Some(Moment(sys::clock::now()).until(self.pulsed.after(interval)))
    }

    /// Tells systemd that all is well, if it is, and asks for time where something takes its time.
    pub(super) fn pulse(&mut self, fleet: &Fleet) {
        self.pulsed = Moment(sys::clock::now());
        if self.manager.watchdog().is_some() && is_well(fleet) {
            self.manager.alive();
        }
        if is_on_its_way(fleet) {
            self.manager.ask_for_time();
        }
    }
}
