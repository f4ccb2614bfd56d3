//! WSGI in greenlets: one for each request, all on one thread, in gevent's hub, which watches the server's descriptor.
//!
//! A greenlet is switched by moving the C stack, so no Rust frame may lie on it then. Here Rust turns the server, keeps
//! what came of it, and returns; `python/gevent.py` starts and wakes greenlets, calls the application, and does all waiting.

mod job;
mod life;
mod reactor;

use crate::application::{Application, GATHERED, show_behind_stacks};
use crate::loop_lanes::LoopLanes;
use crate::python::Helper;
use contract::exit::ExitCode;
use contract::message::BootFailure;
use http::{App, Exchange, Manner, Stirred};
pub(crate) use life::serve;
use pyo3::prelude::*;

/// What came of a turn of the server, until the helper in Python is told.
pub(crate) struct GeventApp {
    /// What the arbiter sees of the requests.
    lanes: &'static LoopLanes,
    arrived: Vec<Exchange>,
    /// Something happened to these.
    stirred: Vec<usize>,
}

impl GeventApp {
    pub(crate) fn new(lanes: &'static LoopLanes) -> Self {
        Self { lanes, arrived: Vec::new(), stirred: Vec::new() }
    }
}

impl App for GeventApp {
    const MANNER: Manner = Manner::Away { gathered: GATHERED };

    fn take(&mut self, exchange: Exchange) {
        self.arrived.push(exchange);
    }

    /// Whoever waits tries again, and finds out what it was.
    fn stirred(&mut self, key: usize, _: Stirred) {
        self.stirred.push(key);
    }

    /// The hub waits: this never takes long.
    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        wait()
    }

    fn interrupted(&mut self) {}
}

impl Application for GeventApp {
    /// Exceptions that are to end the process end the helper.
    fn wants_to_leave(&self) -> bool {
        false
    }

    fn show_more(&self, signal: i32) {
        Python::attach(|py| {
            let stacks =
                Helper::Gevent.module(py).and_then(|helper| helper.call_method0("stacks")?.extract());
            show_behind_stacks(py, signal, stacks);
        });
    }
}

/// Has the standard library wait in greenlets. To be called before anything of the application is imported.
pub(crate) fn patch(py: Python<'_>) -> Result<(), BootFailure> {
    let patched = Helper::Gevent.module(py).and_then(|helper| helper.call_method0("patch"));
    patched.map(drop).map_err(|error| {
        let summary = format!(
            "worker_class is gevent, which this interpreter cannot use: {}: install gevent there, or choose threads",
            error.value(py)
        );
        BootFailure { code: ExitCode::Setup, summary, traceback: String::new() }
    })
}
