//! What the arbiter tells of the whole: the listener of its metrics, what stands in them, and its part of statsd. Part
//! of the hands: the register comes as an argument.

use super::act::Hands;
use super::fleet::{Crew, Fleet};
use super::ground::Ground;
use super::health;
use super::listeners::Listener;
use super::memory;
use crate::control::{Asked, Endpoint};
use crate::log::Logs;
use crate::metrics::{Beacon, Snapshot};
use contract::control::{Backlog, Status};
use contract::id::Generation;
use contract::logline::Level;
use std::future::poll_fn;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long a successor waits for those who ask slowly.
const PARTING: Duration = Duration::from_millis(250);

impl Ground {
    /// Begins to answer at its metrics listener, where it has one.
    pub(super) fn open_endpoint(&self) -> Result<Option<Endpoint>, String> {
        let opened = self.metrics.clone().map(Endpoint::open).transpose();
        opened.map_err(|error| format!("cannot answer at metrics_bind: {error}"))
    }

    /// Begins to tell a statsd server, where there is one. Without a socket service goes on.
    pub(super) fn open_beacon(&self, logs: &Logs) -> Option<Beacon> {
        let opened = Beacon::open(self.statsd.as_ref()?, self.settings.metrics.enable_backlog_metric);
        let warn = |error: &_| {
            logs.line(Level::Warning, &format!("cannot tell the statsd server anything: {error}"));
        };
        opened.inspect_err(warn).ok()
    }

    /// Who waits at each of its listeners, as far as that can be known.
    fn backlogs(&self) -> Vec<Backlog> {
        let of = |listener: &Rc<Listener>| {
            let queue = sys::queues::backlog(listener.as_fd())?;
            Some(Backlog { listener: listener.to_string(), waiting: queue.waiting, limit: queue.limit })
        };
        self.listeners.iter().filter_map(of).collect()
    }
}

impl Hands {
    /// From now on this generation's settings say where and to whom things are told.
    pub(super) fn move_telling(&mut self, generation: Generation) {
        let Some(ground) = self.grounds.get(&generation) else { return };
        let stays = match (&self.endpoint, &ground.metrics) {
            (Some(endpoint), Some(listener)) => Rc::ptr_eq(endpoint.listener(), listener),
            (None, None) => true,
            _ => false,
        };
        self.beacon = ground.open_beacon(&self.logs);
        let moved = if stays { Ok(()) } else { ground.open_endpoint().map(|new| self.endpoint = new) };
        if let Err(why) = moved {
            self.logs.line(Level::Error, &why);
        }
    }

    /// Something happened: what of it is news for the statsd server?
    pub(super) fn tell_news(&mut self, fleet: &Fleet) {
        if let Some(beacon) = &mut self.beacon {
            beacon.news(fleet.serving().map_or(0, |(_, crew)| crew.ready()));
        }
    }

    /// When the statsd server is to hear of us whatever happens.
    pub(super) fn next_beat(&self) -> Option<Duration> {
        self.beacon.as_ref().map(|beacon| beacon.next(sys::clock::now()))
    }

    /// It is time for that.
    pub(super) fn beat(&mut self, fleet: &Fleet) {
        let Some(beacon) = &mut self.beacon else { return };
        let ground = fleet.serving().and_then(|(generation, _)| self.grounds.get(&generation));
        let waiting = || {
            let backlogs = ground.map(Ground::backlogs).unwrap_or_default();
            backlogs.iter().map(|queue| u64::from(queue.waiting)).sum()
        };
        beacon.beat(sys::clock::now(), waiting);
    }

    /// Before our successor takes over: whoever is asking gets the answer, and who comes now waits for the successor's.
    pub(super) async fn part_with_askers(&mut self, fleet: &Fleet) {
        let begun = Instant::now();
        self.endpoint.iter().for_each(Endpoint::close);
        while let Some(endpoint) = &mut self.endpoint
            && begun.elapsed() < PARTING
        {
            let next = poll_fn(|context| endpoint.poll(context));
            match tokio::time::timeout(Duration::from_millis(1), next).await {
                Ok(Asked { ask, answer }) => {
                    let _ = answer.send(self.answer(fleet, &ask).0);
                }
                Err(_) if endpoint.is_quiet() => return,
                Err(_) => {}
            }
        }
    }

    /// No successor has taken over.
    pub(super) fn let_askers_in(&mut self) {
        let listener = self.endpoint.take().map(|endpoint| Rc::clone(endpoint.listener()));
        match listener.map(Endpoint::open).transpose() {
            Ok(endpoint) => self.endpoint = endpoint,
            Err(error) => {
                self.logs.line(Level::Error, &format!("cannot answer at metrics_bind any more: {error}"));
            }
        }
    }

    /// Who waits at the listeners of this generation.
    pub(crate) fn backlogs(&self, generation: Generation) -> Vec<Backlog> {
        self.grounds.get(&generation).map(Ground::backlogs).unwrap_or_default()
    }

    /// What stands in the metrics, with this status.
    pub(crate) fn snapshot(&mut self, fleet: &Fleet, mut status: Status) -> Snapshot {
        let pids: Vec<i32> = status.workers.iter().map(|worker| worker.pid).filter(|pid| *pid != 0).collect();
        let weights = self.survey.weigh(&pids);
        for worker in &mut status.workers {
            worker.memory = weights.get(&worker.pid).copied().unwrap_or(0);
        }
        let zygotes = fleet.crews.keys().filter_map(|generation| self.wires.zygote_pid(*generation));
        let others: Vec<i32> = pids.iter().copied().chain(zygotes.map(|pid| pid.0)).collect();
        let threads = |(generation, crew): (&Generation, &Crew)| {
            let each = self.grounds.get(generation).map_or(1, |ground| ground.settings.threads);
            u64::from(each) * crew.workers.len() as u64
        };
        Snapshot {
            threads: fleet.crews.iter().map(threads).sum(),
            resident: status.workers.iter().map(|worker| memory::resident(worker.pid)).collect(),
            cpu: self.survey.cpu(&others),
            totals: self.totals(),
            started: self.meters.started,
            ready: health::readiness(fleet).is_ok(),
            status,
        }
    }
}
