//! Log lines of zygote and workers: whole lines to the error log, in the form that the arbiter's have.

use crate::{inherited, python};
use contract::logline::{self, Level};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU8, Ordering};

static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Lines below `level` are not written from now on.
pub(crate) fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Writes a line. One that cannot be written is lost: there is nowhere else to say so.
pub(crate) fn write(level: Level, text: &str) {
    if level as u8 >= LEVEL.load(Ordering::Relaxed) {
        let line = logline::format(sys::process::own_pid(), level, text);
        let _ = sys::fd::write_all(inherited::error_log(), line.as_bytes());
    }
}

/// Writes what happened with the traceback of the exception that was the cause.
pub(crate) fn write_exception(py: Python<'_>, text: &str, error: &PyErr) {
    write(Level::Error, &format!("{text}\n{}", python::traceback(error, py)));
}
