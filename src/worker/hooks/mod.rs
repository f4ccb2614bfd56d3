//! Gunicorn's server hooks, which a settings file in Python may have. The functions, and the objects that they are given,
//! are Python's (`python/hooks.py`); here is when each of them runs, and what becomes of one that fails.
//!
//! Where there is no such file there is no `Hooks` either, and nothing of this is ever touched.

mod make;
mod native;
mod request;

pub(crate) use make::make;
pub(crate) use request::Passage;

use crate::inherited::Inherited;
use crate::python::{self, Helper};
use crate::{load, log};
use contract::exit::ExitCode;
use contract::id::{Slot, WorkerId};
use contract::logline::Level;
use contract::message::BootFailure;
use contract::scoreboard::Scoreboard;
use contract::settings::{HookSettings, Occasion};
use native::Native;
use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;
use std::sync::Arc;

/// The hooks of this process.
#[derive(Clone)]
pub(crate) struct Hooks(Arc<Made>);

struct Made {
    object: Py<PyAny>,
    native: Py<Native>,
    /// Are requests theirs to see?
    watches: bool,
}

impl Hooks {
    fn object<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.0.object.bind(py)
    }

    /// Where they see requests, themselves.
    pub(crate) fn of_requests(&self) -> Option<Self> {
        self.0.watches.then(|| self.clone())
    }

    /// The zygote starts, and the application is not imported yet.
    pub(crate) fn start(&self, py: Python<'_>, settings: &HookSettings) -> Result<(), BootFailure> {
        let before = if let Occasion::Reload { workers } = settings.occasion { Some(workers) } else { None };
        let started = self.object(py).call_method1("start", (name_of(settings.occasion), before));
        started.map(drop).map_err(|error| self.failure(py, ExitCode::Setup, &error))
    }

    /// The zygote is about to fork for the first time.
    pub(crate) fn ready(&self, py: Python<'_>, settings: &HookSettings) -> Result<(), BootFailure> {
        let ready = self.object(py).call_method1("ready", (name_of(settings.occasion),));
        let threads: PyResult<isize> = ready.and_then(|count| count.extract());
        let threads = threads.map_err(|error| self.failure(py, ExitCode::Setup, &error))?;
        if threads > 0 {
            log::write(Level::Warning, &left_running(threads));
        }
        Ok(())
    }

    /// Before each fork.
    pub(crate) fn before_fork(&self, py: Python<'_>, worker: WorkerId) -> Result<(), BootFailure> {
        let called = self.object(py).call_method1("before_fork", (worker.0,));
        called.map(drop).map_err(|error| self.failure(py, ExitCode::Setup, &error))
    }

    /// In the zygote: the worker has this process id, or there is none.
    pub(crate) fn after_fork(&self, py: Python<'_>, worker: WorkerId, pid: Option<i32>) {
        self.tell(py, "after_fork", (worker.0, pid));
    }

    /// `pre_exec`.
    pub(crate) fn before_exec(&self, py: Python<'_>) -> Result<(), BootFailure> {
        let called = self.object(py).call_method0("before_exec");
        called.map(drop).map_err(|error| self.failure(py, ExitCode::Setup, &error))
    }

    /// What becomes of a start that one of them has failed in.
    fn failure(&self, py: Python<'_>, code: ExitCode, error: &PyErr) -> BootFailure {
        let which = self.object(py).getattr("called").map(|called| called.to_string()).unwrap_or_default();
        let summary = format!("the settings' hook {which} has failed: {}", load::describe(py, error));
        BootFailure { code, summary, traceback: load::shortened(python::traceback(error, py)) }
    }

    /// Tells them what has happened. What a function raises is told on the other side.
    pub(crate) fn tell<'py>(&self, py: Python<'py>, what: &str, how: impl pyo3::call::PyCallArgs<'py>) {
        if let Err(error) = self.object(py).call_method1(what, how) {
            if error.is_instance_of::<PySystemExit>(py) {
                return;
            }
            log::write_exception(py, "A hook has failed", &error);
        }
    }

    /// In a newborn worker, before the application is imported there.
    pub(crate) fn post_fork(
        &self,
        py: Python<'_>,
        worker: WorkerId,
        (board, slot): (Arc<Scoreboard>, Slot),
    ) -> Result<(), BootFailure> {
        self.0.native.get().settle(board, slot);
        let called = self.become_worker(py, worker).and_then(|()| self.object(py).call_method0("post_fork"));
        called.map(drop).map_err(|error| self.failure(py, ExitCode::AppImport, &error))
    }

    fn become_worker(&self, py: Python<'_>, worker: WorkerId) -> PyResult<()> {
        self.object(py).call_method1("become", (worker.0,))?;
        let interrupt = self.object(py).getattr("interrupt")?;
        Helper::Newborn.module(py)?.setattr("before_leaving", interrupt)
    }

    /// In a worker that has its application, and does not serve yet. Gives the application that is to be called: agents
    /// put one of their own around it.
    pub(crate) fn loaded(&self, py: Python<'_>, application: &Py<PyAny>) -> Result<Py<PyAny>, BootFailure> {
        let called = self.object(py).call_method1("loaded", (application,));
        called.map(Bound::unbind).map_err(|error| self.failure(py, ExitCode::AppImport, &error))
    }

    /// In a worker that is to leave at once.
    pub(crate) fn interrupted(&self) {
        Python::attach(|py| self.tell(py, "interrupt", ()));
    }

    /// In a worker that is stuck.
    pub(crate) fn stuck(&self) {
        Python::attach(|py| self.tell(py, "abort", ()));
    }

    /// In a worker that is about to end. What it is to end with.
    pub(crate) fn farewell(&self, py: Python<'_>, code: ExitCode) -> ExitCode {
        self.tell(py, "leave", ());
        let aborted = self.object(py).getattr("was_aborted").and_then(|aborted| aborted.is_truthy());
        if aborted.unwrap_or(false) { ExitCode::Setup } else { code }
    }
}

impl Inherited {
    /// What the hooks are told, where there are any.
    pub(crate) fn hooks(&self) -> Option<(&Hooks, &HookSettings)> {
        self.hooks.as_ref().zip(self.settings.hooks.as_ref())
    }
}

fn name_of(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Start => "start",
        Occasion::Reload { .. } => "reload",
        Occasion::Again => "again",
    }
}

fn left_running(count: isize) -> String {
    let threads = if count == 1 { "1 thread was".to_owned() } else { format!("{count} threads were") };
    format!(
        "{threads} started by a hook of the settings: workers do not have them, and what they hold locked at a fork \
         stays locked there; start threads in post_fork or post_worker_init where workers need them"
    )
}
