//! What all conversations of a worker share: the event loop, and which of them are out.

use super::conversation::Conversation;
use super::method::Method;
use super::waiting::Done;
use super::websocket;
use crate::guarded::Guarded;
use crate::loop_lanes::LoopLanes;
use contract::settings::AsgiSettings;
use http::websocket::Config;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// What requests need of the event loop.
pub(super) struct Loop {
    event_loop: Py<PyAny>,
    create_future: Py<PyAny>,
    /// `asyncio.Task`, and with which keywords a task begins to run at once; on 3.11 it cannot.
    eager: Option<(Py<PyAny>, Py<PyDict>)>,
    /// To be called when the worker may have become idle.
    turn: Py<PyAny>,
}

/// Of one worker.
pub(super) struct Shared {
    pub(super) event_loop: PyOnceLock<Loop>,
    /// What an application is called with.
    pub(super) receive: Method,
    pub(super) send: Method,
    /// What `send` gives when there is nothing to wait for.
    pub(super) done: Py<Done>,
    /// The exception that says that this worker is to leave at once.
    pub(super) interrupted: Py<PyAny>,
    pub(super) settings: AsgiSettings,
    pub(super) websockets: Config,
    /// What the arbiter sees of the requests.
    pub(super) lanes: &'static LoopLanes,
    out: Guarded<Vec<Option<Py<Conversation>>>>,
    /// Tasks that have not ended, whether they were answered or not.
    tasks: AtomicUsize,
    draining: AtomicBool,
}

impl Shared {
    pub(super) fn new(
        py: Python<'_>,
        interrupted: Py<PyAny>,
        settings: &AsgiSettings,
        lanes: &'static LoopLanes,
    ) -> PyResult<Self> {
        let class = py.get_type::<Conversation>();
        Ok(Self {
            lanes,
            receive: Method::of(&class, "receive")?,
            send: Method::of(&class, "send")?,
            interrupted,
            event_loop: PyOnceLock::new(),
            done: Py::new(py, Done)?,
            settings: settings.clone(),
            websockets: websocket::config(&settings.websocket),
            out: Guarded::new(Vec::new()),
            tasks: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
        })
    }

    /// Is it the exception that says so?
    pub(super) fn is_interrupt(&self, py: Python<'_>, error: &PyErr) -> bool {
        error.matches(py, self.interrupted.bind(py)).unwrap_or(false)
    }

    pub(super) fn event_loop(&self, py: Python<'_>) -> PyResult<&Loop> {
        self.event_loop.get(py).ok_or_else(|| PyRuntimeError::new_err("there is no event loop"))
    }

    /// The conversation about the exchange with this key.
    pub(super) fn find<'py>(&self, py: Python<'py>, key: usize) -> Option<Bound<'py, Conversation>> {
        self.out.hold(py)?.get(key)?.as_ref().map(|conversation| conversation.bind(py).clone())
    }

    /// All that are out.
    pub(super) fn all<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, Conversation>> {
        let out = self.out.hold(py);
        out.iter()
            .flat_map(|out| out.iter().flatten())
            .map(|conversation| conversation.bind(py).clone())
            .collect()
    }

    pub(super) fn remember(&self, key: usize, conversation: &Bound<'_, Conversation>) {
        let Some(mut out) = self.out.hold(conversation.py()) else { return };
        if out.len() <= key {
            out.resize_with(key + 1, || None);
        }
        out[key] = Some(conversation.clone().unbind());
    }

    pub(super) fn forget(&self, py: Python<'_>, key: usize) {
        // Dropped when nobody holds the list: it may be the last reference to anything.
        let _forgotten = self.out.hold(py).and_then(|mut out| out.get_mut(key).and_then(Option::take));
    }

    pub(super) fn task_began(&self) {
        // Only the loop's thread counts.
        self.tasks.store(self.tasks.load(Relaxed) + 1, Relaxed);
    }

    pub(super) fn task_ended(&self, py: Python<'_>) {
        let others = self.tasks.load(Relaxed) - 1;
        self.tasks.store(others, Relaxed);
        if others == 0
            && self.is_draining()
            && let Some(event_loop) = self.event_loop.get(py)
        {
            event_loop.call_soon(py, event_loop.turn.bind(py));
        }
    }

    /// Has every task ended?
    pub(super) fn is_quiet(&self) -> bool {
        self.tasks.load(Relaxed) == 0
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// From now on the worker only waits for its tasks. True the first time.
    pub(super) fn drain(&self) -> bool {
        !self.draining.swap(true, Relaxed)
    }
}

impl Loop {
    pub(super) fn new(event_loop: &Bound<'_, PyAny>, turn: Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        // A task that begins at once does without the application's factory.
        let has_factory = !event_loop.call_method0("get_task_factory")?.is_none();
        let eager = if py.version_info() >= (3, 12) && !has_factory {
            let keywords = PyDict::new(py);
            keywords.set_item(intern!(py, "loop"), event_loop)?;
            keywords.set_item(intern!(py, "eager_start"), true)?;
            Some((py.import("asyncio")?.getattr("Task")?.unbind(), keywords.unbind()))
        } else {
            None
        };
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            create_future: event_loop.getattr("create_future")?.unbind(),
            eager,
            turn: turn.unbind(),
        })
    }

    pub(super) fn as_any<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.event_loop.bind(py).clone()
    }

    pub(super) fn create_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.create_future.bind(py).call0()
    }

    /// A task, which may have ended already.
    pub(super) fn create_task<'py>(&self, coroutine: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = coroutine.py();
        match &self.eager {
            Some((task, keywords)) => task.bind(py).call((coroutine,), Some(keywords.bind(py))),
            None => self.event_loop.bind(py).call_method1(intern!(py, "create_task"), (coroutine,)),
        }
    }

    pub(super) fn call_soon(&self, py: Python<'_>, callback: &Bound<'_, PyAny>) {
        // It fails when the loop is closed: then nobody waits for anything.
        let _ = self.event_loop.bind(py).call_method1(intern!(py, "call_soon"), (callback,));
    }

    #[allow(clippy::cast_precision_loss, reason = "no number of milliseconds has more than 52 bits")]
    pub(super) fn call_later<'py>(
        &self,
        milliseconds: u64,
        callback: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = callback.py();
        let seconds = milliseconds as f64 / 1000.0;
        self.event_loop.bind(py).call_method1(intern!(py, "call_later"), (seconds, callback))
    }
}
