//! What the objects that hooks are given need of the worker: its log, its count of requests, and a way to leave.

use crate::log;
use contract::id::Slot;
use contract::scoreboard::{Scoreboard, Word};
use pyo3::prelude::*;
use std::sync::{Arc, OnceLock};
use sys::signal;

/// Reaches from Python into this process.
#[pyclass(frozen, module = "rcorn")]
pub(super) struct Native {
    place: OnceLock<(Arc<Scoreboard>, Slot)>,
}

impl Native {
    pub(super) fn new() -> Self {
        Self { place: OnceLock::new() }
    }

    /// This is a worker now.
    pub(super) fn settle(&self, board: Arc<Scoreboard>, slot: Slot) {
        let _ = self.place.set((board, slot));
    }
}

#[pymethods]
impl Native {
    /// Writes into the error log.
    #[pyo3(signature = (level, text, /))]
    fn say(&self, level: &str, text: &str) {
        log::write(log::level(level), text);
    }

    /// How many requests this worker has answered.
    fn requests(&self) -> u64 {
        self.place.get().map_or(0, |(board, slot)| board.slot(*slot).get(Word::Requests))
    }

    /// Has the worker leave, as if it had heard SIGTERM; the application may have taken the signal itself over.
    fn leave(&self) {
        signal::note_as_if_heard(signal::SIGTERM);
    }

    /// What we call ourselves.
    fn software(&self) -> &'static str {
        concat!("rcorn/", env!("CARGO_PKG_VERSION"))
    }
}
