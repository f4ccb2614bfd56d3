//! What is the same for all requests and all threads of a worker.

use crate::access;
use crate::access_facts::Wanted;
use crate::hooks::Hooks;
use crate::inherited::{self, Inherited};
use crate::python::Helper;
use contract::descriptors;
use contract::logline::LogFormat;
use pyo3::prelude::*;
use std::os::fd::AsFd;
use sys::socket::Address;

/// The application, and what it may know of the place where it runs.
pub(crate) struct Site {
    pub(crate) application: Py<PyAny>,
    /// The exception that says that this worker is to leave at once.
    pub(crate) interrupted: Py<PyAny>,
    pub(super) errors: Py<PyAny>,
    /// Where each listener listens.
    pub(super) addresses: Vec<Address>,
    pub(super) multithread: bool,
    pub(super) multiprocess: bool,
    pub(crate) sendfile: bool,
    /// Those that see requests.
    pub(crate) hooks: Option<Hooks>,
    /// What the access log wants of the environment.
    pub(crate) wanted: Wanted,
}

impl Site {
    pub(crate) fn new(
        py: Python<'_>,
        (application, interrupted): (Py<PyAny>, Py<PyAny>),
        inherited: &Inherited,
        multithread: bool,
    ) -> PyResult<Self> {
        // What is printed there is read by the arbiter, or it is the log itself.
        let is_read = inherited.settings.journal.error || inherited.settings.log_format == LogFormat::Json;
        let is_log =
            || sys::fd::same_file(inherited::error_log(), std::io::stderr().as_fd()).unwrap_or(false);
        let helper = Helper::Wsgi.module(py)?;
        let errors = helper.call_method1("error_stream", (descriptors::ERROR_LOG, is_read || is_log()))?;
        let addresses: std::io::Result<_> =
            inherited.listeners.iter().map(|listener| sys::socket::local_address(listener.as_fd())).collect();
        Ok(Self {
            application,
            interrupted,
            errors: errors.unbind(),
            addresses: addresses?,
            multithread,
            multiprocess: inherited.settings.workers > 1,
            sendfile: inherited.settings.http.sendfile,
            hooks: inherited.hooks.as_ref().and_then(Hooks::of_requests),
            wanted: access::wanted(&inherited.settings),
        })
    }
}
