//! WSGI in several threads of one worker. The loop reads requests and sends what is left of answers; it never needs the
//! interpreter. The threads are Python's own (`threading`), live as long as the worker, and write to the sockets
//! themselves.

mod queue;

use crate::application::{Application, GATHERED, heed_signals};
use crate::lane::Lane;
use crate::log;
use crate::python::Helper;
use crate::wsgi::{Caller, Site};
use contract::exit::ExitCode;
use contract::id::Slot;
use contract::scoreboard::Scoreboard;
use http::{App, Exchange, Manner};
use pyo3::prelude::*;
use queue::Queue;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use sys::clock;

/// When no thread gets hold of the interpreter for so many nanoseconds, one beside them takes more than its turn.
const HELD_UP: u64 = 100_000_000;
/// Threads that are idle end within so many seconds.
const FAREWELL: f64 = 0.2;

/// What the loop and the threads share.
struct Crew {
    queue: Queue,
    site: Site,
    scoreboard: Arc<Scoreboard>,
    slot: Slot,
    /// The exchange in each lane: its key.
    keys: Vec<AtomicUsize>,
}

impl Crew {
    /// Serves until the queue is closed.
    fn serve(&self, py: Python<'_>, lane: u32) -> PyResult<()> {
        let mut caller =
            Caller::new(py, &self.site, Lane::new(Arc::clone(&self.scoreboard), self.slot, lane))?;
        while let Some(mut exchange) = self.queue.next(py) {
            if let Some(key) = self.keys.get(lane as usize) {
                key.store(exchange.key(), Relaxed);
            }
            exchange.begin_on_thread(lane as usize);
            let inflow = exchange.inflow().cloned();
            let (request, mut reply) = exchange.parts();
            caller.answer(&request, &mut reply, inflow.as_ref());
            exchange.end();
        }
        Ok(())
    }
}

/// What a thread runs.
#[pyclass(frozen, module = "rcorn")]
struct Hand(Arc<Crew>);

#[pymethods]
impl Hand {
    #[pyo3(signature = (lane, /))]
    fn serve(&self, py: Python<'_>, lane: u32) {
        if let Err(error) = self.0.serve(py, lane) {
            log::write_exception(py, "A thread of the worker cannot serve", &error);
        }
    }
}

/// The application of a threaded worker.
pub(crate) struct ThreadedApp {
    crew: Arc<Crew>,
    threads: Py<PyAny>,
    interrupted: Py<PyAny>,
    handed_over: bool,
    wants_to_leave: bool,
}

impl ThreadedApp {
    /// Starts so many threads.
    pub(crate) fn new(
        py: Python<'_>,
        (site, interrupted): (Site, Py<PyAny>),
        (scoreboard, slot): (Arc<Scoreboard>, Slot),
        count: u32,
    ) -> PyResult<Self> {
        let keys = (0..count).map(|_| AtomicUsize::new(0)).collect();
        let crew = Arc::new(Crew { queue: Queue::default(), site, scoreboard, slot, keys });
        let serve = Bound::new(py, Hand(Arc::clone(&crew)))?.getattr("serve")?;
        let threads = Helper::Threads.module(py)?.call_method1("start", (count, serve))?.unbind();
        Ok(Self { crew, threads, interrupted, handed_over: false, wants_to_leave: false })
    }

    /// Says whether the threads can still get hold of the interpreter.
    pub(crate) fn alive(&self) -> impl Fn(u64) -> bool + Send + 'static {
        let crew = Arc::clone(&self.crew);
        move |now| crew.queue.is_alive(now)
    }

    /// Ends the threads, but for those that are stuck.
    pub(crate) fn end(&self, py: Python<'_>) -> Ended {
        self.crew.queue.close();
        heed_signals(py, &self.interrupted);
        let threads = Helper::Threads.module(py);
        let stuck = threads.and_then(|threads| {
            threads.call_method1("end", (&self.threads, FAREWELL)).and_then(|stuck| stuck.extract())
        });
        Ended { stuck: stuck.unwrap_or_else(|error| failed(py, &error)) }
    }
}

/// The threads have ended, or could not.
pub(crate) struct Ended {
    stuck: bool,
}

impl Ended {
    /// Does not return when one of them is stuck: an interpreter that ends below it would crash.
    pub(crate) fn leave(self, py: Python<'_>, code: ExitCode) {
        if self.stuck {
            let left =
                Helper::Threads.module(py).and_then(|threads| threads.call_method1("leave", (code.code(),)));
            left.map_or_else(|error| failed(py, &error), |_| true);
        }
    }
}

fn failed(py: Python<'_>, error: &PyErr) -> bool {
    log::write_exception(py, "The threads of the worker cannot be ended", error);
    false
}

impl App for ThreadedApp {
    const MANNER: Manner = Manner::Away { gathered: GATHERED };

    fn take(&mut self, exchange: Exchange) {
        self.crew.queue.push(exchange);
        self.handed_over = true;
    }

    fn turned(&mut self) {
        if std::mem::take(&mut self.handed_over) {
            self.crew.queue.announce();
        }
    }

    fn full_for(&self) -> Option<u64> {
        let now = clock::now();
        let (waiting, searched) = self.crew.queue.look(now);
        let slot = self.crew.scoreboard.slot(self.crew.slot);
        let starts = slot.lanes().filter_map(|lane| lane.start());
        let (busy, youngest) = starts.fold((0, 0), |(busy, youngest), start| (busy + 1, start.max(youngest)));
        if searched > HELD_UP {
            return Some(searched);
        }
        (busy + waiting >= self.crew.keys.len())
            .then(|| if busy == 0 { 0 } else { now.saturating_sub(youngest) })
    }

    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        // The loop runs without the interpreter as it is.
        wait()
    }

    fn interrupted(&mut self) {
        self.wants_to_leave |= Python::attach(|py| heed_signals(py, &self.interrupted));
    }
}

impl Application for ThreadedApp {
    fn wants_to_leave(&self) -> bool {
        self.wants_to_leave
    }

    fn stuck(&self, lane: u32, since: u64) -> Option<usize> {
        let slot = self.crew.scoreboard.slot(self.crew.slot);
        let is_there = || slot.lane(lane).start() == Some(since);
        let key = self.crew.keys.get(lane as usize).filter(|_| is_there())?.load(Relaxed);
        // Asked again, as it may have been another's by then.
        is_there().then_some(key)
    }
}
