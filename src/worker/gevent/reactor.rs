//! The server within gevent's hub: turned when its descriptor is readable, and when it asked for it.

use super::GeventApp;
use super::job::{Job, Out};
use crate::access_facts::Wanted;
use crate::delivery;
use crate::hooks::{Hooks, Passage};
use crate::lifecycle::{Leave, Worker};
use crate::log;
use crate::python::Helper;
use crate::wsgi::{Environ, Site};
use contract::exit::ExitCode;
use contract::message::BootFailure;
use http::Exchange;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, AsRawFd};

/// What the helper in Python holds of the worker.
#[pyclass(unsendable, frozen, module = "rcorn")]
pub(super) struct Reactor {
    worker: RefCell<Worker<GeventApp>>,
    environ: RefCell<Environ<'static>>,
    hooks: Option<Hooks>,
    code: Cell<ExitCode>,
    /// What the access log asks for.
    wanted: Wanted,
}

/// A request, its environment, and its passage where hooks see requests.
type Begun<'py> = (Bound<'py, Job>, Bound<'py, PyDict>, Option<Py<PyAny>>);

/// What the helper is to do after a turn: requests that have come; the numbers of those that something happened to; in
/// how many milliseconds to turn again; and whether the worker goes on.
type Turned<'py> = (Vec<Begun<'py>>, Vec<usize>, Option<u64>, bool);

impl Reactor {
    pub(super) fn new<'py>(
        py: Python<'py>,
        worker: Worker<GeventApp>,
        site: &Site,
    ) -> PyResult<Bound<'py, Self>> {
        // SAFETY: what is made with it lives in an object of Python that is bound to this thread, so it is only reached,
        // and dropped, where the thread is attached to the interpreter.
        let attached: Python<'static> = unsafe { Python::assume_attached() };
        let helper = Helper::Wsgi.module(attached)?;
        // Each request has an `early_hints` of its own: the helper sets it.
        let environ = Environ::new(attached, helper, &attached.None().into_bound(attached), site)?;
        let (worker, environ) = (RefCell::new(worker), RefCell::new(environ));
        let (hooks, code, wanted) = (site.hooks.clone(), Cell::new(ExitCode::Success), site.wanted.clone());
        delivery::is_fetched();
        Bound::new(py, Self { worker, environ, hooks, code, wanted })
    }

    /// The worker does not serve: tells the arbiter why.
    pub(super) fn refuse(&self, failure: BootFailure) {
        self.code.set(self.worker.borrow().refuse(failure));
    }

    pub(super) fn end(&self) -> ExitCode {
        self.worker.borrow_mut().meter.finish();
        self.code.get()
    }

    /// Turns the server once: in how many milliseconds it wants to be turned again.
    fn turn_once(&self) -> Result<Option<u64>, Leave> {
        let mut worker = self.worker.borrow_mut();
        let next = worker.turn_within()?;
        if worker.is_draining() && worker.server.is_idle() {
            return Err(Leave(ExitCode::Success));
        }
        Ok(next)
    }

    fn begin_with<'py>(&self, py: Python<'py>, mut exchange: Exchange) -> PyResult<Begun<'py>> {
        let lane = self.worker.borrow().app.lanes.enter(&mut exchange);
        let environ = self.environ.borrow_mut().build(&exchange.request(), None)?.unbind();
        let passage = self.hooks.as_ref().map(|hooks| hooks.passage(py, &exchange.request())).transpose()?;
        let is_noted = !matches!(self.wanted, Wanted::Nothing);
        let noted = is_noted.then(|| (environ.clone_ref(py), self.wanted.clone()));
        let job = Bound::new(py, Job::new(Out { exchange, lane, noted }))?;
        Ok((job, environ.into_bound(py), passage.map(Passage::keep)))
    }
}

#[pymethods]
impl Reactor {
    /// From now on the server is to be turned. Gives its descriptor.
    fn begin(&self) -> PyResult<i32> {
        let mut worker = self.worker.borrow_mut();
        worker.announce()?;
        Ok(worker.server.as_fd().as_raw_fd())
    }

    /// Does what there is to be done. No greenlet is switched in here.
    fn turn<'py>(&self, py: Python<'py>) -> PyResult<Turned<'py>> {
        let (next, goes_on) = match self.turn_once() {
            Ok(next) => (next, true),
            Err(Leave(code)) => {
                self.code.set(code);
                (None, false)
            }
        };
        let (arrived, stirred) = {
            let app = &mut self.worker.borrow_mut().app;
            (std::mem::take(&mut app.arrived), std::mem::take(&mut app.stirred))
        };
        let mut begun = Vec::with_capacity(arrived.len());
        for exchange in arrived {
            match self.begin_with(py, exchange) {
                Ok(request) => begun.push(request),
                Err(error) => log::write_exception(py, "A request cannot be put into words", &error),
            }
        }
        Ok((begun, stirred, next, goes_on))
    }

    /// What is to be told to Python's logging, by somebody below whom there is no frame of Rust.
    fn news<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        delivery::fetch_some(py)
    }

    /// That has failed.
    #[pyo3(signature = (traceback, /))]
    fn complain(&self, traceback: &str) {
        delivery::complain(traceback);
    }

    /// The application has asked the process to end.
    fn leave_on_own_account(&self) -> PyResult<()> {
        let mut worker = self
            .worker
            .try_borrow_mut()
            .map_err(|_| PyRuntimeError::new_err("the server is being turned"))?;
        worker.leave_on_own_account();
        Ok(())
    }
}
