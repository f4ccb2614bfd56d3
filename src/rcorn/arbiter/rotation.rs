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
use std::collections::BTreeSet;
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

impl Rotation {
    /// Are the files to be opened again, as that was found?
    fn asks(&mut self, found: Option<Whereabouts>) -> bool {
        let missed = std::mem::replace(&mut self.missed, found == Some(Whereabouts::Missing));
        match found {
            Some(Whereabouts::Elsewhere) => true,
            Some(Whereabouts::Missing) => missed,
            Some(Whereabouts::There) | None => {
                self.complained = false;
                false
            }
        }
    }

    /// Is what became of that to be told? Of a file that cannot be opened, once.
    fn is_news(&mut self, failed: bool) -> bool {
        let complained = std::mem::replace(&mut self.complained, failed);
        !(failed && complained)
    }
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
        if !self.rotation.asks(found) {
            return;
        }
        let complaints = self.open_logs_again();
        if self.rotation.is_news(!complaints.is_empty()) {
            self.tell_reopened(&complaints);
        }
    }

    /// Opens all of them again and says so.
    pub(super) fn reopen_logs(&mut self) {
        let complaints = self.open_logs_again();
        self.tell_reopened(&complaints);
    }

    fn tell_reopened(&self, complaints: &BTreeSet<String>) {
        complaints.iter().for_each(|complaint| self.logs.line(Level::Error, complaint));
        self.logs.line(Level::Info, "log files were reopened");
    }

    /// What cannot be opened is said once, however many generations log there.
    fn open_logs_again(&mut self) -> BTreeSet<String> {
        let mut complaints = BTreeSet::from_iter(self.logs.reopen());
        for ground in self.grounds.values_mut() {
            complaints.extend(ground.logs.reopen());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_missed_the_second_time() {
        let mut rotation = Rotation::default();
        let looks = [Whereabouts::Missing, Whereabouts::Missing, Whereabouts::There, Whereabouts::Missing];
        assert_eq!(looks.map(|found| rotation.asks(Some(found))), [false, true, false, false]);
        assert!(rotation.asks(Some(Whereabouts::Elsewhere)) && !rotation.asks(None));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_told_once_until_it_is_there_again() {
        let mut rotation = Rotation::default();
        assert_eq!(
            [true, true, false, true].map(|failed| rotation.is_news(failed)),
            [true, false, true, true]
        );
        assert!(!rotation.asks(Some(Whereabouts::There)));
        assert!(rotation.is_news(true), "it was there in between");
    }
}
