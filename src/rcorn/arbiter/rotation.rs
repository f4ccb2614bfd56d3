//! Log files that were renamed: opened again by their names, and handed to everyone. On SIGUSR1, and by ourselves: a look
//! at the names once a second finds what a logrotate without `postrotate` has done. Who logs to no file is not woken.
//!
//! A name that has gone may be about to come back (logrotate makes the new file itself): so it is missed only when it
//! is not there the second time.

use super::act::Hands;
use super::policy::Moment;
use crate::log::Whereabouts;
use contract::id::{Generation, WorkerId};
use contract::logline::Level;
use contract::message::{ToWorker, ToZygote};
use std::time::Duration;

const PERIOD: Duration = Duration::from_secs(1);

/// What the looks have found.
#[derive(Debug, Default)]
pub(crate) struct Rotation {
    last_look: Moment,
    missed: bool,
    /// It was told that a file cannot be opened.
    complained: bool,
}

impl Hands {
    /// How long until the files are looked at; `None` where there are none.
    pub(crate) fn next_log_look(&self, now: Moment) -> Option<Duration> {
        let is_needed = self.grounds.values().any(|ground| ground.logs.has_files());
        is_needed.then(|| now.until(self.rotation.last_look.after(PERIOD)))
    }

    /// Looks whether the files are still where they were, and follows their names.
    pub(crate) fn follow_logs(&mut self, now: Moment) {
        self.rotation.last_look = now;
        let found = self.grounds.values().map(|ground| ground.logs.whereabouts()).max();
        let missed = std::mem::replace(&mut self.rotation.missed, found == Some(Whereabouts::Missing));
        match found {
            Some(Whereabouts::Elsewhere) => {}
            Some(Whereabouts::Missing) if missed => {}
            _ => return,
        }
        let complaints = self.open_logs_again();
        let is_news = !self.rotation.complained || complaints.is_empty();
        self.rotation.complained = !complaints.is_empty();
        if is_news {
            self.tell_reopened(&complaints);
        }
    }

    /// Opens all of them again and says so.
    pub(super) fn reopen_logs(&mut self) {
        let complaints = self.open_logs_again();
        self.tell_reopened(&complaints);
    }

    fn tell_reopened(&self, complaints: &[String]) {
        complaints.iter().for_each(|complaint| self.logs.line(Level::Error, complaint));
        self.logs.line(Level::Info, "log files were reopened");
    }

    fn open_logs_again(&mut self) -> Vec<String> {
        let mut complaints = self.logs.reopen();
        for ground in self.grounds.values_mut() {
            complaints.extend(ground.logs.reopen());
        }
        complaints.dedup();
        for (generation, ground) in &self.grounds {
            let logs = [ground.logs.error(), ground.logs.access()];
            let _ = self.wires.tell_zygote(*generation, &ToZygote::Logs, &logs);
            for worker in self.wires.workers_of(*generation) {
                let _ = self.wires.tell(worker, &ToWorker::Logs, &logs);
            }
        }
        complaints
    }

    /// A worker has asked for them.
    pub(super) fn give_logs(&mut self, generation: Generation, worker: WorkerId) {
        let Some(ground) = self.grounds.get_mut(&generation) else { return };
        for complaint in ground.logs.reopen() {
            self.logs.line(Level::Error, &complaint);
        }
        let _ = self.wires.tell(worker, &ToWorker::Logs, &[ground.logs.error(), ground.logs.access()]);
    }
}
