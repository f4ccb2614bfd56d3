//! The register of everything that the arbiter looks after: crews, their zygotes, their workers. Pure: it knows
//! process ids as numbers and time as an argument, and what to do about any of it is decided in `step`.
//!
//! A *crew* is one generation in the flesh: a zygote and the workers it forked.

mod crew;

pub(crate) use crew::{Crew, Phase, Post, Role, Why, Worker, Zygote};

use super::policy::Moment;
use super::records::{Checking, Idle, Outcome};
use contract::control::Reloads;
use contract::exit::ExitCode;
use contract::id::{Generation, Pid, WorkerId};
use contract::message::BootFailure;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Everything that there is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fleet {
    /// Whether the whole is to go on.
    pub(crate) stage: Stage,
    /// The crews, oldest first.
    pub(crate) crews: BTreeMap<Generation, Crew>,
    /// The check of the program and the settings that the next generation is to have.
    pub(crate) checking: Option<Checking>,
    /// The generation whose ground is being prepared.
    pub(crate) preparing: Option<Generation>,
    /// Another reload was asked for while one was under way.
    pub(crate) reload_queued: bool,
    /// By SIGUSR2, which in Gunicorn is another thing, with a hook of its own.
    #[serde(default)]
    pub(crate) upgrade_queued: bool,
    /// Workers that were replaced, by reason.
    pub(crate) restarts: BTreeMap<String, u64>,
    /// What became of the last reloads, the newest last.
    pub(crate) outcomes: VecDeque<Outcome>,
    /// How many of each kind there were.
    #[serde(default)]
    pub(crate) reloads: Reloads,
    /// When the scoreboards are to be read next.
    pub(crate) look_at: Option<Moment>,
    /// The last look was put off, as everybody had been asleep.
    #[serde(default)]
    pub(crate) slept: bool,
    /// Since when nobody has asked for anything.
    #[serde(default)]
    pub(crate) idle: Idle,
    /// When memory pressure is next a reason to replace a worker.
    #[serde(default)]
    pub(crate) relief_at: Moment,
    /// When the memory of workers is to be measured next.
    pub(crate) weigh_at: Option<Moment>,
    /// When `step` last looked at everything: what was due by then is done.
    pub(crate) settled: Moment,
    /// The youngest generation that there was.
    pub(crate) newest: Generation,
    last_worker: u64,
}

/// Outcomes that are remembered.
const OUTCOMES: usize = 32;

/// Whether the whole is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// It is.
    Running,
    /// It ends with this code once everyone has left; `hurried` when nobody waits for requests.
    Stopping { code: ExitCode, hurried: bool },
}

impl Fleet {
    /// Nobody yet; the ground for the first generation is being prepared.
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::Running,
            crews: BTreeMap::new(),
            checking: None,
            preparing: Some(Generation(1)),
            restarts: BTreeMap::new(),
            outcomes: VecDeque::new(),
            reloads: Reloads::default(),
            reload_queued: false,
            upgrade_queued: false,
            look_at: None,
            slept: false,
            idle: Idle::default(),
            relief_at: Moment(0),
            weigh_at: None,
            settled: Moment(0),
            newest: Generation(1),
            last_worker: 0,
        }
    }

    /// A reload was decided.
    pub(crate) fn note_outcome(&mut self, generation: Generation, failure: Option<BootFailure>) {
        let count = if failure.is_none() { &mut self.reloads.done } else { &mut self.reloads.failed };
        *count += 1;
        self.outcomes.push_back(Outcome { generation, failure });
        while self.outcomes.len() > OUTCOMES {
            self.outcomes.pop_front();
        }
    }

    /// A name for a new worker.
    pub(crate) fn name_worker(&mut self) -> WorkerId {
        self.last_worker += 1;
        WorkerId(self.last_worker)
    }

    /// The generation in this role.
    pub(crate) fn in_role(&self, role: Role) -> Option<Generation> {
        self.crews.iter().find(|(_, crew)| crew.role == role).map(|(generation, _)| *generation)
    }

    /// The generation that serves, and its crew.
    pub(crate) fn serving(&self) -> Option<(Generation, &Crew)> {
        let generation = self.in_role(Role::Serving)?;
        Some((generation, self.crews.get(&generation)?))
    }

    /// Is a generation on its way, from the check of the program that is to follow until it serves?
    pub(crate) fn is_booting(&self) -> bool {
        self.checking.is_some() || self.preparing.is_some() || self.in_role(Role::Booting).is_some()
    }

    /// The crew that a worker belongs to.
    pub(crate) fn crew_of(&mut self, worker: WorkerId) -> Option<(Generation, &mut Crew)> {
        self.crews
            .iter_mut()
            .find(|(_, crew)| crew.workers.contains_key(&worker))
            .map(|(generation, crew)| (*generation, crew))
    }

    /// The worker with this process.
    pub(crate) fn worker_with(&self, pid: Pid) -> Option<WorkerId> {
        let mut workers = self.crews.values().flat_map(|crew| &crew.workers);
        workers.find(|(_, worker)| worker.pid == Some(pid)).map(|(id, _)| *id)
    }

    /// True when scoreboards are to be read now.
    pub(crate) fn wants_look(&self, now: Moment) -> bool {
        self.look_at.is_some_and(|at| at <= now)
    }

    /// When `step` wants to hear the clock next.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        let check = self.checking.and_then(|checking| checking.kill_at);
        let crews = self.crews.values().flat_map(|crew| crew.deadlines(self.settled));
        crews.chain(self.look_at).chain(self.idle.count_at).chain(self.weigh_at).chain(check).min()
    }
}
