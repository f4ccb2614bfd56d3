//! What the life of a worker needs of its application, of whatever kind, beside requests.

use crate::log;
use crate::python::Helper;
use http::App;
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;

/// So much of a body is waited for before a WSGI application is called elsewhere than in the loop: what is wrong with a
/// short body is found without it, and a short body costs no thread while it arrives.
pub(crate) const GATHERED: u64 = 64 * 1024;

/// An application in a worker.
pub(crate) trait Application: App {
    /// Did a signal handler of the application ask the process to end?
    fn wants_to_leave(&self) -> bool;

    /// The stacks of the threads were shown, as this signal asks for: what else is there to be seen?
    fn show_more(&self, _signal: i32) {}

    /// The number of the exchange that has been in this lane since then, if it still is.
    fn stuck(&self, _lane: u32, _since: u64) -> Option<usize> {
        None
    }
}

/// Shows `text` behind the stacks that this signal asks for.
pub(crate) fn show_behind_stacks(py: Python<'_>, signal: i32, text: PyResult<String>) {
    let shown = text.and_then(|text| Helper::Newborn.module(py)?.call_method1("show_more", (signal, text)));
    if let Err(error) = shown {
        log::write_exception(py, "What the requests wait for cannot be shown", &error);
    }
}

/// Runs the signal handlers of the application; does it want the process to end? `interrupted` is the exception that
/// says that a signal of ours has arrived, which is noted elsewhere.
pub(crate) fn heed_signals(py: Python<'_>, interrupted: &Py<PyAny>) -> bool {
    let Err(error) = py.check_signals() else { return false };
    if error.matches(py, interrupted.bind(py)).unwrap_or(false) {
        return false;
    }
    let leaves = error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py);
    if !leaves {
        log::write_exception(py, "A signal handler of the application failed", &error);
    }
    leaves
}
