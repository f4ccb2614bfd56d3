//! Requests on their way to the threads, by the rule of the one searcher: next to the interpreter's lock it is not the
//! queue that costs, but threads that fight for the lock.
//!
//! - An idle thread takes the lock of the interpreter first, and only then a request.
//! - At most one thread searches so at a time. The loop wakes one when nobody does, once per turn.
//! - A thread that is done takes its next request without letting go of the interpreter.
//! - Who has found one and sees more wakes the next.

use http::Exchange;
use pyo3::prelude::*;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use sys::clock;

/// Who searches for so many nanoseconds does not get hold of the interpreter.
const STARVED: u64 = 1_000_000_000;
/// How often a thread is woken to see whether it does, in nanoseconds.
const PROBE: u64 = 500_000_000;

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Exchange>,
    /// Since when somebody has been searching.
    searching: Option<u64>,
    /// Threads that sleep.
    asleep: usize,
    /// Threads among them that were woken and do not know yet.
    called: usize,
    closed: bool,
    /// When somebody was last woken.
    called_at: u64,
}

impl State {
    /// Is somebody to be woken for what waits? The caller has to do it then.
    fn call(&mut self) -> bool {
        !self.waiting.is_empty() && self.searching.is_none() && self.call_at(clock::now())
    }

    fn call_at(&mut self, now: u64) -> bool {
        let anybody = self.asleep > self.called;
        if anybody {
            self.called += 1;
            (self.searching, self.called_at) = (Some(now), now);
        }
        anybody
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loop: a request waits.
    pub(super) fn push(&self, exchange: Exchange) {
        self.state().waiting.push_back(exchange);
    }

    /// Loop: those were all, for now.
    pub(super) fn announce(&self) {
        if self.state().call() {
            self.woken.notify_one();
        }
    }

    /// Loop, now and then: do threads get hold of the interpreter, or does somebody not let go of it? Where nobody has
    /// tried lately, one tries now.
    pub(super) fn is_alive(&self, now: u64) -> bool {
        let mut state = self.state();
        if let Some(since) = state.searching {
            return now.saturating_sub(since) < STARVED;
        }
        if now.saturating_sub(state.called_at) > PROBE && state.call_at(now) {
            self.woken.notify_one();
        }
        true
    }

    /// Loop: how many requests wait, and for how long a thread has been trying to get hold of the interpreter.
    pub(super) fn look(&self, now: u64) -> (usize, u64) {
        let state = self.state();
        (state.waiting.len(), state.searching.map_or(0, |since| now.saturating_sub(since)))
    }

    /// No request will come any more: threads end when none is left.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.woken.notify_all();
    }

    /// Thread: the next request; `None` when it is to end. Waits without the interpreter.
    pub(super) fn next(&self, py: Python<'_>) -> Option<Exchange> {
        let mut searches = false;
        loop {
            let mut state = self.state();
            if std::mem::take(&mut searches) {
                state.searching = None;
            }
            if let Some(exchange) = state.waiting.pop_front() {
                let more = state.call();
                drop(state);
                if more {
                    self.woken.notify_one();
                }
                return Some(exchange);
            }
            if state.closed {
                return None;
            }
            drop(state);
            searches = py.detach(|| self.sleep());
        }
    }

    /// Returns when the thread is to search; false when there is nothing to search for.
    fn sleep(&self) -> bool {
        let mut state = self.state();
        if !state.waiting.is_empty() && state.searching.is_none() {
            state.searching = Some(clock::now());
            return true;
        }
        state.asleep += 1;
        while state.called == 0 && !state.closed {
            state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.asleep -= 1;
        let called = state.called > 0;
        state.called -= usize::from(called);
        called
    }
}
