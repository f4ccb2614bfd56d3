//! WSGI (PEP 3333): a request becomes an environment, the callable is called, what it returns is written.
//!
//! The application is called inline on the reactor's thread, with the GIL held; it is released while the reactor
//! waits and while a client that reads slowly holds up a response.

mod call;
mod environ;
mod file;
mod hints;
mod input;
mod names;
mod peers;
mod start;

use crate::inherited::{self, Inherited};
use crate::log;
use crate::meter::Progress;
use crate::python::Helper;
use contract::descriptors;
use contract::logline::LogFormat;
use environ::Environ;
use file::Files;
use http::{App, Manner, Reply, Request};
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;
use start::StartResponse;
use std::os::fd::AsFd;
use std::sync::Arc;

/// The application, ready to be called.
pub(crate) struct WsgiApp<'py> {
    py: Python<'py>,
    application: Py<PyAny>,
    environ: Environ<'py>,
    start: StartResponse<'py>,
    files: Files<'py>,
    /// The exception that says that this worker is to leave at once.
    interrupted: Py<PyAny>,
    wants_to_leave: bool,
}

impl<'py> WsgiApp<'py> {
    /// Prepares everything that is the same for all requests.
    pub(crate) fn new(
        py: Python<'py>,
        (application, interrupted): (Py<PyAny>, Py<PyAny>),
        inherited: &Inherited,
        progress: Progress,
    ) -> PyResult<Self> {
        let helper = Helper::Wsgi.module(py)?;
        // What is printed there is read by the arbiter, or it is the log itself.
        let is_read = inherited.settings.journal.error || inherited.settings.log_format == LogFormat::Json;
        let is_log =
            || sys::fd::same_file(inherited::error_log(), std::io::stderr().as_fd()).unwrap_or(false);
        let errors = helper.call_method1("error_stream", (descriptors::ERROR_LOG, is_read || is_log()))?;
        let start = StartResponse::new(py, Arc::new(progress))?;
        let environ = Environ::new(py, helper, (&errors, start.early_hints()), inherited)?;
        let files = Files::new(helper, inherited.settings.http.sendfile)?;
        Ok(Self { py, application, environ, start, files, interrupted, wants_to_leave: false })
    }

    /// True when a signal handler of the application asked the process to end.
    pub(crate) fn wants_to_leave(&self) -> bool {
        self.wants_to_leave
    }
}

impl App for WsgiApp<'_> {
    const MANNER: Manner = Manner::Inline;

    fn call(&mut self, request: &Request<'_>, reply: &mut Reply<'_>) {
        let Self { py, application, environ, start, files, interrupted, .. } = self;
        let result = environ
            .build(request)
            .and_then(|environ| call::run((application.bind(*py), files), environ, start, reply));
        if let Err(error) = result {
            if error.matches(*py, interrupted.bind(*py)).unwrap_or(false) {
                // The signal itself is noted; the loop leaves when it sees that.
                return reply.fail(500);
            }
            let text = format!("Error handling request {}", String::from_utf8_lossy(request.raw_line()));
            log::write_exception(*py, &text, &error);
            reply.fail(500);
        }
    }

    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        self.py.detach(wait)
    }

    fn interrupted(&mut self) {
        let Err(error) = self.py.check_signals() else { return };
        if error.matches(self.py, self.interrupted.bind(self.py)).unwrap_or(false) {
            return;
        }
        if error.is_instance_of::<PySystemExit>(self.py)
            || error.is_instance_of::<PyKeyboardInterrupt>(self.py)
        {
            self.wants_to_leave = true;
        } else {
            log::write_exception(self.py, "A signal handler of the application failed", &error);
        }
    }
}
