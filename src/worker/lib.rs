//! The Python room: the extension module `_rcorn`, loaded by the application's own interpreter.
//!
//! `zygote()` imports the application, forks workers when the arbiter asks, and in each worker serves requests. It learns
//! of the fleet by messages only. `evaluate()` is another process: it says what a settings file in Python sets.
#![allow(unsafe_code, reason = "the CPython API on the request path; each block says why it is sound")]

mod access;
mod access_facts;
mod access_journal;
mod application;
mod asgi;
mod birth;
mod conf;
mod delivery;
mod escape;
mod gevent;
mod guarded;
mod hooks;
mod http_config;
mod inherited;
mod kind;
mod lane;
mod lifecycle;
mod load;
mod log;
mod loop_lanes;
mod meter;
mod newborn;
mod overdue;
mod prepare;
mod python;
mod reload;
mod service;
mod spool;
mod statsd;
mod threads;
mod words;
mod wsgi;
mod zygote;

use pyo3::prelude::*;

/// The module that the interpreter sees.
#[pymodule(name = "_rcorn")]
mod module {
    use super::*;

    /// Runs as zygote until the arbiter closes the channel; in a forked worker it returns when that one is done.
    #[pyfunction]
    fn zygote(py: Python<'_>) -> i32 {
        crate::zygote::run(py).code()
    }

    /// Evaluates the settings file that it is asked about, and does not return when that was answered.
    #[pyfunction]
    fn evaluate(py: Python<'_>) -> PyResult<()> {
        conf::answer(py)
    }
}
