//! A crew: one generation in the flesh, a zygote and the workers it forked. Pure, as the fleet is.

use super::super::hooking::Hooking;
use super::super::policy::{BackOff, Moment, Rules};
use contract::id::{Pid, Slot, WorkerId};
use contract::message::BootFailure;
use contract::scoreboard::MOST_WORKERS;
use contract::settings::Preload;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a crew is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// To become the one that serves.
    Booting,
    /// To serve.
    Serving,
    /// To leave.
    Leaving,
}

/// One generation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Crew {
    /// What its settings say.
    pub(crate) rules: Rules,
    /// What it is there for.
    pub(crate) role: Role,
    /// How many workers are wanted now.
    pub(crate) target: u32,
    /// How many of them there may be now, where workers are replaced one by one.
    pub(crate) room: u32,
    /// How many of its workers others have taken the place of, in a reload that is under way.
    pub(crate) lent: u32,
    /// What the next zygote does about the application.
    pub(crate) preload: Preload,
    /// Its zygote.
    pub(crate) zygote: Zygote,
    /// How long to wait after a zygote failed.
    pub(crate) zygote_back_off: BackOff,
    /// When the next zygote may start.
    pub(crate) zygote_not_before: Moment,
    /// Its workers.
    pub(crate) workers: BTreeMap<WorkerId, Worker>,
    /// Slots whose workers died young.
    pub(crate) posts: BTreeMap<Slot, Post>,
    /// When it has to be ready.
    pub(crate) deadline: Option<Moment>,
    /// Why it cannot serve, once that is known. Only while it boots.
    pub(crate) failure: Option<BootFailure>,
    /// How often something failed while it boots.
    pub(crate) failures: u32,
    /// The worker that is being replaced although nothing is wrong with it, until it is gone.
    pub(crate) replacing: Option<WorkerId>,
    /// It leaves, and its requests have little time, as there are too many generations.
    pub(crate) hurried: bool,
    /// What there is to know of its hooks.
    #[serde(default)]
    pub(crate) hooking: Hooking,
    /// The failure that was told last, so that the same traceback is not written every five seconds.
    pub(crate) told: String,
}

/// A slot whose worker died young.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Post {
    /// How often.
    pub(crate) back_off: BackOff,
    /// When the next one may start.
    pub(crate) not_before: Moment,
}

/// A crew's zygote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Zygote {
    /// There is none.
    Absent,
    /// It boots; killed at that time, where the crew has no limit of its own any more.
    Starting { kill_at: Option<Moment> },
    /// It forks workers on order.
    Ready,
    /// It was told to leave, or failed; killed at that time, where it was not killed yet.
    Ending { kill_at: Option<Moment> },
}

/// A worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Worker {
    /// Its place in the scoreboard.
    pub(crate) slot: Slot,
    /// Its process, once that is known.
    pub(crate) pid: Option<Pid>,
    /// Where it is in its life.
    pub(crate) phase: Phase,
    /// When it became ready, once it is leaving.
    #[serde(default)]
    pub(crate) was_ready: Option<Moment>,
    /// When it is killed, where there is a limit to what it does now.
    pub(crate) deadline: Option<Moment>,
    /// Its channel is closed.
    pub(crate) closed: bool,
    /// Why it is to be replaced, once another is ready.
    pub(crate) spent: Option<String>,
    /// Which request of each lane was shown as slow, by its beginning.
    #[serde(default)]
    pub(crate) shown: BTreeMap<u32, Moment>,
    /// Lanes whose requests are stuck, with the beginning of those.
    #[serde(default)]
    pub(crate) given_up: Vec<(u32, Moment)>,
}

/// Where a worker is in its life. The arrows are in `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Ordered from the zygote, or importing the application.
    Booting,
    /// It serves.
    Ready { since: Moment },
    /// It is on its way out.
    Leaving(Why),
}

/// Why a worker leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Why {
    /// It was told to finish what is in flight.
    Drained,
    /// It was told to leave at once.
    Dismissed,
    /// It was not ready and is not needed any more. Should it have become ready meanwhile, it is drained.
    Unneeded,
    /// It decided so itself, because someone signalled it for example.
    Own,
    /// It told us why it cannot serve.
    Failed,
    /// A request took too long.
    Stuck,
}

impl Crew {
    /// A crew that is to become the one that serves.
    pub(crate) fn new(rules: Rules, now: Moment) -> Self {
        Self {
            role: Role::Booting,
            target: rules.workers.clamp(1, MOST_WORKERS),
            room: u32::MAX,
            lent: 0,
            preload: rules.preload,
            zygote: Zygote::Absent,
            zygote_back_off: BackOff::default(),
            zygote_not_before: now,
            workers: BTreeMap::new(),
            posts: BTreeMap::new(),
            deadline: rules.startup_timeout.map(|limit| now.after(limit)),
            failure: None,
            failures: 0,
            replacing: None,
            hurried: false,
            hooking: Hooking::default(),
            told: String::new(),
            rules,
        }
    }

    /// Workers that serve or are about to.
    pub(crate) fn active(&self) -> impl Iterator<Item = (WorkerId, &Worker)> {
        let staying = |(_, worker): &(&WorkerId, &Worker)| !matches!(worker.phase, Phase::Leaving(_));
        self.workers.iter().filter(staying).map(|(id, worker)| (*id, worker))
    }

    /// How many workers serve.
    pub(crate) fn ready(&self) -> u32 {
        let ready = self.active().filter(|(_, worker)| matches!(worker.phase, Phase::Ready { .. }));
        u32::try_from(ready.count()).unwrap_or(MOST_WORKERS)
    }

    /// How many workers there are to be now: one more while one is being replaced, fewer while a reload goes through
    /// them one by one.
    pub(crate) fn wanted(&self) -> usize {
        let stays = |id| self.active().any(|(active, _)| active == id);
        let wanted = self.target as usize + usize::from(self.replacing.is_some_and(stays));
        wanted.saturating_sub(self.lent as usize).min(self.room as usize)
    }

    /// Slots that stay empty for a while, because their workers died young.
    pub(crate) fn waiting(&self, now: Moment) -> impl Iterator<Item = Slot> {
        let empty = move |slot: &Slot| self.workers.values().all(|worker| worker.slot != *slot);
        let later = self.posts.iter().filter(move |(_, post)| post.not_before > now);
        later.map(|(slot, _)| *slot).filter(empty)
    }

    /// How many slots are spoken for. One whose worker is about to end with a failure waits for that end, and then
    /// with back-off, instead of being filled elsewhere at once.
    pub(crate) fn spoken_for(&self, now: Moment) -> usize {
        let failing = |worker: &&Worker| worker.phase == Phase::Leaving(Why::Failed);
        self.active().count() + self.workers.values().filter(failing).count() + self.waiting(now).count()
    }

    /// The slots that are to be filled now: the lowest free ones.
    pub(crate) fn vacancies(&self, now: Moment) -> Vec<Slot> {
        let waiting: Vec<Slot> = self.waiting(now).collect();
        let missing = self.wanted().saturating_sub(self.spoken_for(now));
        let free =
            |slot: &Slot| !waiting.contains(slot) && self.workers.values().all(|worker| worker.slot != *slot);
        (0..MOST_WORKERS).map(Slot).filter(free).take(missing).collect()
    }

    /// When something that starts now is overdue. While the crew boots, its own limit is that of all.
    pub(crate) fn respawn_limit(&self, now: Moment) -> Option<Moment> {
        let serving = self.role == Role::Serving;
        self.rules.startup_timeout.filter(|_| serving).map(|limit| now.after(limit))
    }

    /// True when nothing is left of it.
    pub(crate) fn is_gone(&self) -> bool {
        self.workers.is_empty() && self.zygote == Zygote::Absent
    }

    /// What has a limit, and what waits for its time to come. A wait that was over at `settled` waits no more.
    pub(super) fn deadlines(&self, settled: Moment) -> impl Iterator<Item = Moment> {
        let limits = self.workers.values().filter_map(|worker| worker.deadline);
        let boot = self.deadline.filter(|_| self.role == Role::Booting);
        let ages = self.workers.values().filter_map(|worker| worker.too_old_at(&self.rules));
        let posts = self.posts.values().map(|post| post.not_before);
        let (retry, kill) = match self.zygote {
            Zygote::Absent => (Some(self.zygote_not_before), None),
            Zygote::Starting { kill_at } | Zygote::Ending { kill_at } => (None, kill_at),
            Zygote::Ready => (None, None),
        };
        let working = self.role != Role::Leaving;
        let waits = posts.chain(retry).chain(ages).filter(move |at| working && *at > settled);
        limits.chain(boot).chain(kill).chain(waits)
    }
}

impl Worker {
    /// A worker that is ordered now.
    pub(crate) fn new(slot: Slot, deadline: Option<Moment>) -> Self {
        Self {
            slot,
            pid: None,
            phase: Phase::Booting,
            was_ready: None,
            deadline,
            closed: false,
            spent: None,
            shown: BTreeMap::new(),
            given_up: Vec::new(),
        }
    }

    /// From now on it is on its way out.
    pub(crate) fn leave(&mut self, why: Why, deadline: Option<Moment>) {
        if let Phase::Ready { since } = self.phase {
            self.was_ready = Some(since);
        }
        self.phase = Phase::Leaving(why);
        self.deadline = deadline;
    }

    /// When it is to be replaced for its age.
    pub(crate) fn too_old_at(&self, rules: &Rules) -> Option<Moment> {
        match self.phase {
            Phase::Ready { since } if self.spent.is_none() => {
                rules.max_worker_age.map(|age| since.after(age))
            }
            _ => None,
        }
    }

    /// What log lines call it.
    pub(crate) fn name(&self) -> String {
        match self.pid {
            Some(pid) => format!("worker {} (pid {pid})", self.slot),
            None => format!("worker {}", self.slot),
        }
    }
}
