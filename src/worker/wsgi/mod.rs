//! WSGI (PEP 3333): a request becomes an environment, the callable is called, what it returns is written.
//!
//! `Caller` does that on any thread. `WsgiApp` is the application of a sync worker: it is called inline on the loop's
//! thread, with the GIL held, which is released while the loop waits and while a client that reads slowly holds up a
//! response.

mod arriving;
mod call;
mod caller;
mod environ;
mod file;
mod hints;
mod input;
mod names;
mod peers;
mod site;
mod start;
pub(crate) mod variables;

pub(crate) use call::finish;
pub(crate) use caller::{Caller, tell};
pub(crate) use environ::Environ;
pub(crate) use file::part_of_file;
pub(crate) use site::Site;
pub(crate) use start::{expect_head, fields, piece_to_send, start};

use crate::application::{Application, heed_signals};
use crate::lane::Lane;
use http::{App, Manner, Reply, Request};
use pyo3::prelude::*;

/// The application of a sync worker.
pub(crate) struct WsgiApp<'py> {
    py: Python<'py>,
    caller: Caller<'py>,
    interrupted: Py<PyAny>,
    wants_to_leave: bool,
}

impl<'py> WsgiApp<'py> {
    pub(crate) fn new(py: Python<'py>, site: &Site, lane: Lane) -> PyResult<Self> {
        let (caller, interrupted) = (Caller::new(py, site, lane)?, site.interrupted.clone_ref(py));
        Ok(Self { py, caller, interrupted, wants_to_leave: false })
    }
}

impl App for WsgiApp<'_> {
    const MANNER: Manner = Manner::Inline;

    fn call(&mut self, request: &Request<'_>, reply: &mut Reply<'_>) {
        self.caller.answer(request, reply, None);
    }

    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        self.py.detach(wait)
    }

    fn interrupted(&mut self) {
        self.wants_to_leave |= heed_signals(self.py, &self.interrupted);
    }
}

impl Application for WsgiApp<'_> {
    fn wants_to_leave(&self) -> bool {
        self.wants_to_leave
    }
}
