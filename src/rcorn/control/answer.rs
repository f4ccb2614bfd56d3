//! What the arbiter answers, from its register and its scoreboards, and the event that an ask makes.

use super::{Answer, Ask, Meters, Scale, Totals};
use crate::arbiter::{Crew, Event, Fleet, Hands, Phase, Role, Stage, Why, Wish, Worker, health, memory};
use crate::{metrics, systemd};
use contract::control::{InFlight, Reload, Said, Setting, Status, Total, WorkerStatus};
use contract::id::{Generation, Slot};
use contract::scoreboard::{LaneView, State, Word};
use contract::settings::Preload;

impl Hands {
    /// The answer, and what is to happen because of it.
    pub(crate) fn answer(&mut self, fleet: &Fleet, ask: &Ask) -> (Answer, Option<Event>) {
        match ask {
            Ask::Status => {
                self.sample();
                let mut status = self.status(fleet);
                status.workers.iter_mut().for_each(weigh);
                (json(200, &status), None)
            }
            Ask::Settings => (json(200, &self.settings(fleet)), None),
            Ask::Stacks(worker) => (self.stacks(fleet, *worker), None),
            Ask::Outcome(id) => (outcome(fleet, *id), None),
            Ask::Metrics(form) => {
                let status = self.status(fleet);
                let text = metrics::render(&self.snapshot(fleet, status), *form);
                (Answer::Text(200, form.content_type(), text), None)
            }
            Ask::Live => (verdict(health::liveness(fleet)), None),
            Ask::Ready => (verdict(health::readiness(fleet)), None),
            _ if fleet.stage != Stage::Running && *ask != Ask::Quit => {
                (said(409, "it is stopping already"), None)
            }
            Ask::Reload => {
                let id = fleet.newest.next().0;
                let pending = Reload { id, state: "pending".into(), ..Reload::default() };
                (json(202, &pending), Some(Event::Operator(Wish::Reload)))
            }
            Ask::Scale(scale) => {
                let target = serving(fleet).map_or(1, |(_, crew)| scale.of(crew.target));
                let text =
                    format!("{target} {} wanted now", if target == 1 { "worker is" } else { "workers are" });
                (said(200, &text), Some(Event::Operator(Wish::Scale(*scale))))
            }
            Ask::Stop => (said(202, "stopping"), Some(Event::Operator(Wish::Stop))),
            Ask::Quit => (said(202, "stopping at once"), Some(Event::Operator(Wish::Quit))),
            Ask::Reopen => (said(200, "log files are reopened"), Some(Event::Operator(Wish::ReopenLogs))),
        }
    }

    /// Notes how much was done, and tells systemd in one line how it goes.
    pub(crate) fn report(&mut self, fleet: &Fleet) {
        self.sample();
        // While something is under way there is a line about that.
        if self.manager.is_there() && !health::is_on_its_way(fleet) {
            let line = systemd::status::line(&self.status(fleet));
            self.manager.status(&line);
        }
    }

    /// Without what workers weigh, which takes its time.
    fn status(&self, fleet: &Fleet) -> Status {
        let serving = serving(fleet);
        let settings =
            serving.and_then(|(generation, _)| self.grounds.get(&generation)).map(|ground| &ground.settings);
        let name = settings.map(|settings| settings.name.clone().unwrap_or_else(|| settings.app.clone()));
        let listeners = serving.and_then(|(generation, _)| self.grounds.get(&generation));
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: sys::process::own_pid(),
            name: name.unwrap_or_default(),
            app: settings.map(|settings| settings.app.clone()).unwrap_or_default(),
            state: state(fleet).to_owned(),
            generation: serving.map_or(0, |(generation, _)| generation.0),
            generations: fleet.crews.keys().map(|generation| generation.0).collect(),
            listeners: listeners
                .map(|ground| ground.listeners.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            target: serving.map_or(0, |(_, crew)| crew.target),
            preload: serving.map_or("", |(_, crew)| preload(crew.preload)).to_owned(),
            workers: self.workers(fleet),
            total: total(&self.totals()),
            backlogs: serving.map(|(generation, _)| self.backlogs(generation)).unwrap_or_default(),
            reloads: fleet.reloads,
            restarts: fleet.restarts.clone(),
            last_minute: self.meters.rates(),
            last_reload: fleet.outcomes.back().map(|last| decided(last.generation.0, last.failure.as_ref())),
        }
    }

    fn workers(&self, fleet: &Fleet) -> Vec<WorkerStatus> {
        let mut workers = Vec::new();
        for (generation, crew) in &fleet.crews {
            for worker in crew.workers.values() {
                workers.push(self.worker(*generation, worker));
            }
        }
        workers
    }

    fn worker(&self, generation: Generation, worker: &Worker) -> WorkerStatus {
        let now = sys::clock::now();
        let pid = worker.pid.map_or(0, |pid| pid.0);
        let mut status = WorkerStatus {
            number: worker.slot.0 + 1,
            pid,
            generation: generation.0,
            ..WorkerStatus::default()
        };
        let Some(ground) = self.grounds.get(&generation) else { return status };
        let slot = ground.board.slot(worker.slot);
        status.threads = if slot.has_loop() { 0 } else { slot.lanes().count() as u32 };
        status.in_flight = slot.lanes().filter_map(|lane| in_flight(&lane, now)).collect();
        status.in_flight.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
        status.more_in_flight = slot.get(Word::Unseen);
        status.websockets = slot.get(Word::Websockets);
        status.requests = slot.get(Word::Requests);
        status.refused = slot.get(Word::Refused);
        status.connections = slot.get(Word::Connections);
        status.in_application = slot.get(Word::InFlight);
        let idle = status.in_flight.is_empty() && status.in_application == 0;
        let (state, since) = match worker.phase {
            Phase::Booting => ("booting", None),
            Phase::Ready { since } => (if idle { "idle" } else { "busy" }, Some(since)),
            Phase::Leaving(_) if slot.state() == State::Draining => ("draining", worker.was_ready),
            Phase::Leaving(_) => ("leaving", worker.was_ready),
        };
        status.state = state.to_owned();
        status.age = since.map_or(0.0, |since| now.saturating_sub(since.0) as f64 / 1e9);
        status
    }

    fn settings(&self, fleet: &Fleet) -> Vec<Setting> {
        let ground = serving(fleet).and_then(|(generation, _)| self.grounds.get(&generation));
        let shown = ground.map(|ground| ground.settings.shown.as_slice()).unwrap_or_default();
        let setting = |(name, value, origin): &(String, String, String)| Setting {
            name: name.clone(),
            value: value.clone(),
            origin: origin.clone(),
        };
        shown.iter().map(setting).collect()
    }

    fn stacks(&self, fleet: &Fleet, wanted: Option<u32>) -> Answer {
        let mut files = Vec::new();
        for (id, worker) in fleet.crews.values().flat_map(|crew| &crew.workers) {
            let Some(pid) = worker.pid else { continue };
            let is_it = |number: u32| {
                worker.slot == Slot(number.wrapping_sub(1)) || u32::try_from(pid.0) == Ok(number)
            };
            if wanted.is_some_and(|number| !is_it(number)) || !serves(worker) {
                continue;
            }
            let Some(file) = self.wires.stacks_of(*id).and_then(|file| file.try_clone_to_owned().ok()) else {
                continue;
            };
            let _ = sys::memory::clear(&file);
            if sys::process::kill(pid.0, sys::signal::report_signal()).is_ok() {
                files.push((worker.name(), file));
            }
        }
        if files.is_empty() {
            said(404, "there is no such worker that is ready")
        } else {
            Answer::Stacks(files)
        }
    }

    /// Notes how much was done so far.
    fn sample(&mut self) {
        let totals = self.totals();
        self.meters.sample(sys::clock::now(), totals);
    }

    /// What all workers did so far.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = self.meters.gone.clone();
        for ground in self.grounds.values() {
            ground.board.slots().for_each(|slot| totals.add(&slot));
        }
        totals
    }
}

fn weigh(worker: &mut WorkerStatus) {
    worker.memory = memory::of_process(worker.pid).unwrap_or(0);
    worker.cpu = memory::cpu_of_process(worker.pid).unwrap_or(0.0);
}

impl Scale {
    /// How many that are, where there are so many now.
    pub(crate) fn of(self, now: u32) -> u32 {
        let wanted = match self {
            Self::To(count) => count,
            Self::By(more) => now.saturating_add_signed(more),
        };
        wanted.clamp(1, contract::scoreboard::MOST_WORKERS)
    }
}

fn serving(fleet: &Fleet) -> Option<(Generation, &Crew)> {
    let known = fleet.in_role(Role::Serving).or_else(|| fleet.in_role(Role::Booting));
    let generation = known.or_else(|| fleet.crews.keys().next_back().copied())?;
    fleet.crews.get(&generation).map(|crew| (generation, crew))
}

/// Is it past its boot, and was not told to leave at once?
fn serves(worker: &Worker) -> bool {
    matches!(worker.phase, Phase::Ready { .. } | Phase::Leaving(Why::Drained | Why::Own))
}

fn state(fleet: &Fleet) -> &'static str {
    match (fleet.stage, fleet.in_role(Role::Serving), fleet.is_booting()) {
        (Stage::Stopping { .. }, ..) => "stopping",
        (_, None, _) => "booting",
        (_, Some(_), true) => "reloading",
        (_, Some(_), false) => "serving",
    }
}

fn preload(preload: Preload) -> &'static str {
    match preload {
        Preload::Auto => "auto: the application is imported once",
        Preload::On => "on",
        Preload::Off => "off: each worker imports the application",
    }
}

fn outcome(fleet: &Fleet, id: u64) -> Answer {
    if let Some(known) = fleet.outcomes.iter().find(|outcome| outcome.generation.0 == id) {
        return json(200, &decided(id, known.failure.as_ref()));
    }
    let on_its_way = id == fleet.newest.0 || (id == fleet.newest.next().0 && fleet.reload_queued);
    if on_its_way && fleet.stage == Stage::Running {
        return json(200, &Reload { id, state: "pending".into(), ..Reload::default() });
    }
    if on_its_way {
        let summary = "rcorn was told to stop, and has given it up".into();
        return json(200, &Reload { id, state: "failed".into(), summary, ..Reload::default() });
    }
    said(404, "there was no such reload, or it was long ago")
}

fn decided(id: u64, failure: Option<&contract::message::BootFailure>) -> Reload {
    match failure {
        None => Reload {
            id,
            state: "done".into(),
            summary: format!("generation {id} serves"),
            ..Reload::default()
        },
        Some(failure) => Reload {
            id,
            state: "failed".into(),
            summary: failure.summary.clone(),
            traceback: failure.traceback.clone(),
        },
    }
}

fn total(totals: &Totals) -> Total {
    let Totals { answered, refused, aborted, by_class, sent, .. } = *totals;
    Total { requests: answered, refused, aborted, by_class, bytes: sent }
}

/// A sentence that ends with 200 or 503.
fn verdict(verdict: Result<String, String>) -> Answer {
    let (status, sentence) = match verdict {
        Ok(sentence) => (200, sentence),
        Err(sentence) => (503, sentence),
    };
    Answer::Text(status, "text/plain; charset=utf-8", sentence + "\n")
}

fn said(status: u16, message: &str) -> Answer {
    json(status, &Said { message: message.to_owned() })
}

fn json(status: u16, value: &impl serde::Serialize) -> Answer {
    Answer::Json(status, serde_json::to_vec(value).unwrap_or_default())
}

impl Hands {
    /// Whoever is gone did this much.
    pub(crate) fn keep_totals(&mut self, generation: Generation, slot: Slot) {
        let Self { grounds, meters: Meters { gone, .. }, .. } = self;
        if let Some(ground) = grounds.get(&generation) {
            gone.add(&ground.board.slot(slot));
        }
    }
}

/// The request in a lane, where there is one.
fn in_flight(lane: &LaneView<'_>, now: u64) -> Option<InFlight> {
    let seconds = now.saturating_sub(lane.start()?) as f64 / 1e9;
    Some(InFlight { line: lane.request_line(), client: lane.client(), seconds })
}
