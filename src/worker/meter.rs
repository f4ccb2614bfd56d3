//! Keeps the books: this worker's slot of the scoreboard, the access log, and what statsd is told. The HTTP side knows
//! of none of them.

use crate::access::{self, AccessLog};
use crate::access_journal::JournalLog;
use crate::delivery;
use crate::inherited::Inherited;
use crate::log;
use crate::statsd::Requests;
use contract::id::Slot;
use contract::logline::Level;
use contract::scoreboard::{Scoreboard, SlotView, State, Word};
use contract::settings::WorkerSettings;
use http::{Observer, Outcome, Record, Request, Share};
use std::sync::Arc;
use sys::clock;

/// A worker that has been full for less than this many nanoseconds is as good as idle.
const BRIEF: u64 = 10_000_000;

/// Asked now and then, with the time: can the application still be reached?
type Alive = Box<dyn Fn(u64) -> bool + Send>;

/// The observer of a worker's server.
pub(crate) struct Meter {
    scoreboard: Arc<Scoreboard>,
    slot: Slot,
    /// `Serving`, or `Draining`.
    state: State,
    /// Nothing to ask where the loop itself runs the application.
    alive: Option<Alive>,
    access: Access,
    statsd: Option<Requests>,
    /// After so many requests somebody else is to take over.
    lifespan: u64,
}

impl Meter {
    /// The books of the worker at `slot`.
    pub(crate) fn new(inherited: Inherited, slot: Slot) -> Self {
        let access = Access::of(&inherited.settings);
        let lifespan = lifespan(&inherited.settings);
        let statsd = Requests::of(&inherited.settings);
        Self {
            scoreboard: inherited.scoreboard,
            slot,
            state: State::Serving,
            alive: None,
            access,
            statsd,
            lifespan,
        }
    }

    /// The loop's own sign of life counts only while this holds, too.
    pub(crate) fn only_while(&mut self, alive: impl Fn(u64) -> bool + Send + 'static) {
        self.alive = Some(Box::new(alive));
    }

    /// True once, when as many requests were answered as may be.
    pub(crate) fn is_spent(&mut self) -> bool {
        let spent = self.lifespan <= self.view().get(Word::Requests);
        if spent {
            self.lifespan = u64::MAX;
        }
        spent
    }

    fn view(&self) -> SlotView<'_> {
        self.scoreboard.slot(self.slot)
    }

    /// From now on the worker only finishes.
    pub(crate) fn draining(&mut self) {
        self.state = State::Draining;
    }

    /// Writes what is still to be written.
    pub(crate) fn flush(&mut self) {
        let slot = self.scoreboard.slot(self.slot);
        match &mut self.access {
            Access::Off | Access::Python => {}
            Access::Lines(lines) => lines.flush(&slot),
            Access::Journal(entries) => entries.flush(),
        }
        if let Some(statsd) = &mut self.statsd {
            statsd.flush();
        }
        delivery::deliver();
    }

    /// Writes it when nothing will be written any more.
    pub(crate) fn finish(&mut self) {
        self.flush();
        if let Access::Journal(entries) = &mut self.access {
            entries.finish();
        }
    }
}

/// Where the access log goes.
enum Access {
    Off,
    Lines(AccessLog),
    Journal(JournalLog),
    /// To Python's logging.
    Python,
}

impl Access {
    fn of(settings: &WorkerSettings) -> Self {
        if delivery::takes_requests() {
            return Self::Python;
        }
        let Some(format) = access::format(settings) else { return Self::Off };
        let lines = AccessLog::new(format);
        if settings.journal.access && log::entry(Level::Info).is_some() {
            Self::Journal(JournalLog::new(lines))
        } else {
            Self::Lines(lines)
        }
    }
}

/// `max_requests` and a part of the jitter that differs from worker to worker; no limit where that is nought.
fn lifespan(settings: &WorkerSettings) -> u64 {
    if settings.max_requests == 0 {
        return u64::MAX;
    }
    let chance = (clock::now() ^ u64::from(sys::process::own_pid().unsigned_abs()))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    settings.max_requests + (chance >> 32) % (settings.max_requests_jitter + 1)
}

impl Observer for Meter {
    fn share(&self) -> Share {
        let serving = |slot: &SlotView<'_>| slot.state() == State::Serving;
        let (mut workers, mut total) = (0u64, 0);
        for slot in self.scoreboard.slots().filter(serving) {
            workers += 1;
            total += slot.get(Word::Connections);
        }
        let below = |slot: &SlotView<'_>| slot.get(Word::Connections) * workers <= total;
        let now = clock::now();
        let is_free =
            |slot: &SlotView<'_>| slot.full_since().is_none_or(|since| now.saturating_sub(since) < BRIEF);
        let free = |slot: &SlotView<'_>| serving(slot) && below(slot) && is_free(slot);
        // It matters only to a worker that holds more than its share, so this one is not found itself.
        let others_free = self.scoreboard.slots().any(|slot| free(&slot));
        Share { workers, total, others_free }
    }

    fn connections(&mut self, open: usize) {
        self.view().set(Word::Connections, open as u64);
    }

    fn waiting(&mut self) {
        let (view, now) = (self.view(), clock::now());
        if self.alive.as_ref().is_none_or(|alive| alive(now)) {
            view.set(Word::Heartbeat, now);
        }
        view.set(Word::State, self.state as u64);
        self.flush();
    }

    fn began(&mut self, _: &Request<'_>) {
        let slot = self.scoreboard.slot(self.slot);
        slot.add(Word::InFlight, 1);
        if let Access::Lines(lines) = &mut self.access {
            lines.deposit(&slot);
        }
    }

    fn ended(&mut self, record: &Record<'_>) {
        let view = self.scoreboard.slot(self.slot);
        match record.outcome {
            Outcome::Refused(_) => view.add(Word::Refused, 1),
            outcome @ (Outcome::Answered | Outcome::Aborted) => {
                view.add(Word::InFlight, u64::MAX);
                if self.alive.is_none() {
                    // Inline many requests may follow each other before the loop waits again.
                    view.set(Word::Heartbeat, record.began + record.app_ns);
                }
                view.add(Word::Requests, 1);
                view.add(Word::Aborted, u64::from(outcome == Outcome::Aborted));
                view.count_times(record.queued_ns, record.app_ns);
            }
        }
        view.add(Word::Sent, record.body_sent);
        if record.status != 0 {
            view.count_status(record.status);
        }
        match &mut self.access {
            Access::Off => {}
            Access::Lines(lines) => lines.write(record, &view),
            Access::Journal(entries) => entries.write(record),
            Access::Python => delivery::request(record),
        }
        if let Some(statsd) = &mut self.statsd {
            statsd.note(record);
        }
    }
}
