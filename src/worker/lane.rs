//! One request at a time, as the arbiter sees it: what it is, since when, and whether it is stuck.

use contract::id::Slot;
use contract::scoreboard::{LaneView, Scoreboard};
use http::Request;
use std::sync::Arc;
use sys::clock;
use sys::socket::Address;

/// A moment that does not come: nobody is stuck before it.
const NEVER: u64 = u64::MAX / 2;

/// A lane of this worker's slot, of the thread that makes it.
pub(crate) struct Lane {
    scoreboard: Arc<Scoreboard>,
    slot: Slot,
    number: u32,
}

impl Lane {
    pub(crate) fn new(scoreboard: Arc<Scoreboard>, slot: Slot, number: u32) -> Self {
        let lane = Self { scoreboard, slot, number };
        lane.view().belongs_to(sys::process::own_thread());
        lane
    }

    fn view(&self) -> LaneView<'_> {
        self.scoreboard.slot(self.slot).lane(self.number)
    }

    /// This request is in the application now.
    pub(crate) fn enter(&self, request: &Request<'_>) {
        let client = if let Address::Tcp(address) = request.peer() { Some(address) } else { None };
        self.view().enter(clock::now(), request.raw_line(), client);
    }

    /// It is not stuck now.
    pub(crate) fn made_progress(&self) {
        self.view().progress(clock::now());
    }

    /// Runs `wait`, which takes as long as the client likes: that has time limits of its own.
    pub(crate) fn wait_for_client<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.view().progress(NEVER);
        let result = wait();
        self.made_progress();
        result
    }

    /// It has ended.
    pub(crate) fn leave(&self) {
        self.view().leave();
    }
}
