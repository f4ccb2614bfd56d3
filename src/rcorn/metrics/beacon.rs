//! The arbiter's part of statsd: how many workers serve, how many connections wait, and how many lines were logged that
//! matter. News are told as they come, and what is so now from time to time, as datagrams get lost.

use crate::log;
use contract::statsd::{Statsd, StatsdSettings};
use std::io;
use std::time::Duration;

/// How often the queues are told, as Gunicorn does it.
const QUEUES: Duration = Duration::from_secs(1);
/// How often the number of workers is told again.
const WORKERS: Duration = Duration::from_secs(10);

/// Who tells.
#[derive(Debug)]
pub(crate) struct Beacon {
    statsd: Statsd,
    queues: bool,
    /// What was told last.
    workers: Option<u32>,
    told_at: u64,
}

impl Beacon {
    /// Tells the number of workers and lines of the log, and of the queues where that is wanted.
    pub(crate) fn open(settings: &StatsdSettings, queues: bool) -> io::Result<Self> {
        Ok(Self { statsd: Statsd::open(settings)?, queues, workers: None, told_at: 0 })
    }

    /// So many workers serve now.
    pub(crate) fn news(&mut self, workers: u32) {
        for (level, lines) in log::take_counts() {
            if lines > 0 {
                self.statsd.count(format_args!("gunicorn.log.{level}"), lines);
            }
        }
        if self.workers.replace(workers) != Some(workers) {
            self.statsd.gauge("gunicorn.workers", u64::from(workers));
        }
        self.statsd.flush();
    }

    /// When the queues, or the number of workers, are to be told whatever happens.
    pub(crate) fn next(&self, now: u64) -> Duration {
        let interval = if self.queues { QUEUES } else { WORKERS };
        interval.saturating_sub(Duration::from_nanos(now.saturating_sub(self.told_at)))
    }

    /// It is time: so many connections wait.
    pub(crate) fn beat(&mut self, now: u64, waiting: impl FnOnce() -> u64) {
        self.told_at = now;
        self.workers = None;
        if self.queues {
            self.statsd.histogram("gunicorn.backlog", waiting());
        }
    }
}
