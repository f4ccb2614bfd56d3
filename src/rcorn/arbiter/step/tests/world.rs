//! A fleet with a clock that the test turns, and what the fleet decided so far.

use crate::arbiter::action::Action;
use crate::arbiter::event::{Autopsy, Event, Wish};
use crate::arbiter::fleet::{Crew, Fleet, Phase};
use crate::arbiter::policy::{Moment, Rules};
use crate::arbiter::step::step;
use contract::exit::ExitCode;
use contract::id::{Generation, Pid, WorkerId};
use contract::logline::Level;
use contract::message::{BootFailure, FromWorker, FromZygote, PreloadOutcome};
use contract::settings::Preload;
use std::time::Duration;
use sys::process::Ended;

pub(super) const FIRST: Generation = Generation(1);
pub(super) const SECOND: Generation = Generation(2);

/// `step`, or something that is broken on purpose.
pub(super) type Step = fn(&mut Fleet, Event, Moment) -> Vec<Action>;

/// The fleet, the time, and what was decided at the last event.
pub(super) struct World {
    step: Step,
    pub(super) fleet: Fleet,
    pub(super) now: Moment,
    pub(super) last: Vec<Action>,
}

pub(super) fn rules(workers: u32) -> Rules {
    Rules {
        python: "/opt/python".into(),
        workers,
        threads: 1,
        preload: Preload::Auto,
        timeout: Some(Duration::from_secs(30)),
        request_timeout: None,
        slow_request: None,
        max_worker_age: None,
        max_worker_memory: None,
        max_boot_failures: 1,
        idle_timeout: None,
        rolling: false,
        max_generations: 3,
        graceful_timeout: Duration::from_secs(20),
        startup_timeout: Some(Duration::from_secs(60)),
        hooks: Vec::new(),
    }
}

pub(super) fn failure(code: ExitCode) -> BootFailure {
    BootFailure { code, summary: "no module named app".into(), traceback: "Traceback\n".into() }
}

/// The end of a worker of which nothing else is known.
pub(super) fn autopsy(how: Ended) -> Autopsy {
    Autopsy { how, out_of_memory: false, last: None }
}

/// The process that a test gives to a worker.
pub(super) fn pid_of(worker: WorkerId) -> Pid {
    Pid(1000 + i32::try_from(worker.0).unwrap())
}

impl World {
    /// The ground for the first generation is there.
    pub(super) fn new(rules: Rules) -> Self {
        Self::under(step, rules)
    }

    /// The same, where something else decides.
    pub(super) fn under(step: Step, rules: Rules) -> Self {
        let mut world = Self { step, fleet: Fleet::new(), now: Moment(1_000_000_000), last: Vec::new() };
        world.happens(Event::Prepared(FIRST, Ok(rules)));
        world
    }

    /// The first generation serves.
    pub(super) fn serving(rules: Rules) -> Self {
        let mut world = Self::new(rules);
        world.zygote_boots(FIRST);
        world.all_get_ready(FIRST);
        world
    }

    pub(super) fn happens(&mut self, event: Event) -> &[Action] {
        self.last = (self.step)(&mut self.fleet, event, self.now);
        &self.last
    }

    pub(super) fn wish(&mut self, wish: Wish) -> &[Action] {
        self.happens(Event::Operator(wish))
    }

    pub(super) fn zygote_boots(&mut self, generation: Generation) -> &[Action] {
        self.happens(Event::Zygote(generation, FromZygote::Booted { preload: PreloadOutcome::Imported }))
    }

    pub(super) fn zygote_ends(&mut self, generation: Generation) -> &[Action] {
        self.happens(Event::ZygoteEnded(generation, Ended::Exited(0), String::new()))
    }

    pub(super) fn forked(&mut self, worker: WorkerId) -> &[Action] {
        self.happens(Event::Worker(worker, FromWorker::Forked { pid: pid_of(worker).0 }))
    }

    pub(super) fn gets_ready(&mut self, worker: WorkerId) -> &[Action] {
        self.forked(worker);
        self.happens(Event::Worker(worker, FromWorker::Ready))
    }

    pub(super) fn ends(&mut self, worker: WorkerId, how: Ended) -> &[Action] {
        self.happens(Event::WorkerEnded(pid_of(worker), autopsy(how)))
    }

    pub(super) fn all_get_ready(&mut self, generation: Generation) {
        for worker in self.workers(generation) {
            self.gets_ready(worker);
        }
    }

    /// A reload is asked for and its ground is there.
    pub(super) fn reload(&mut self, rules: Rules) -> Generation {
        self.wish(Wish::Reload);
        self.goes_on(rules)
    }

    /// The check that runs is passed, and the ground of its generation is there.
    pub(super) fn goes_on(&mut self, rules: Rules) -> Generation {
        let generation = self.fleet.checking.expect("a reload begins").generation;
        self.happens(Event::Checked(generation, Ok(())));
        self.happens(Event::Prepared(generation, Ok(rules)));
        generation
    }

    /// Lets time pass, as the loop does: from one moment that the fleet waits for to the next.
    pub(super) fn pass(&mut self, duration: Duration) -> Vec<Action> {
        let end = self.now.after(duration);
        let mut decided = Vec::new();
        while let Some(next) = self.fleet.next_deadline().filter(|next| *next <= end) {
            assert!(next > self.now, "the clock would not be waited for: {:?}", self.fleet);
            self.now = next;
            decided.extend(self.happens(Event::Tick(Vec::new())).to_vec());
        }
        self.now = end;
        decided
    }

    pub(super) fn crew(&self, generation: Generation) -> &Crew {
        &self.fleet.crews[&generation]
    }

    pub(super) fn workers(&self, generation: Generation) -> Vec<WorkerId> {
        self.crew(generation).workers.keys().copied().collect()
    }

    pub(super) fn phase(&self, generation: Generation, worker: WorkerId) -> Phase {
        self.crew(generation).workers[&worker].phase
    }

    /// True when the last event led to this.
    pub(super) fn did(&self, action: &Action) -> bool {
        self.last.contains(action)
    }

    /// The log lines that the last event led to.
    pub(super) fn lines(&self) -> Vec<(Level, &str)> {
        let line = |action| match action {
            &Action::Log(level, ref text) => Some((level, text.as_str())),
            _ => None,
        };
        self.last.iter().filter_map(line).collect()
    }

    /// The workers that the last event ordered.
    pub(super) fn ordered(&self) -> Vec<(WorkerId, u32)> {
        ordered(&self.last)
    }
}

/// The workers that these actions order, with their slots.
pub(super) fn ordered(actions: &[Action]) -> Vec<(WorkerId, u32)> {
    let order = |action: &Action| match action {
        Action::Fork(_, worker, slot) => Some((*worker, slot.0)),
        _ => None,
    };
    actions.iter().filter_map(order).collect()
}
