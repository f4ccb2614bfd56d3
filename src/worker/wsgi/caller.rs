//! Calls the application for one request after another, on one thread.

use super::arriving::Arriving;
use super::call;
use super::environ::Environ;
use super::file::Files;
use super::site::Site;
use super::start::StartResponse;
use super::variables;
use crate::access_facts::Wanted;
use crate::hooks::{Hooks, Passage};
use crate::lane::Lane;
use crate::log;
use crate::python::Helper;
use contract::logline::Level;
use http::{Inflow, Reply, Request};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use std::sync::Arc;

/// The application, and what makes calls of it quick: each thread has one.
pub(crate) struct Caller<'py> {
    py: Python<'py>,
    application: Bound<'py, PyAny>,
    interrupted: Bound<'py, PyAny>,
    environ: Environ<'py>,
    start: StartResponse<'py>,
    files: Files<'py>,
    arriving_input: Bound<'py, PyAny>,
    wanted: Wanted,
    lane: Arc<Lane>,
    hooks: Option<Hooks>,
}

impl<'py> Caller<'py> {
    pub(crate) fn new(py: Python<'py>, site: &Site, lane: Lane) -> PyResult<Self> {
        let (helper, lane) = (Helper::Wsgi.module(py)?, Arc::new(lane));
        let start = StartResponse::new(py, Arc::clone(&lane))?;
        Ok(Self {
            py,
            application: site.application.bind(py).clone(),
            interrupted: site.interrupted.bind(py).clone(),
            environ: Environ::new(py, helper, start.early_hints(), site)?,
            start,
            files: Files::new(helper, site.sendfile)?,
            arriving_input: helper.getattr("arriving_input")?,
            wanted: site.wanted.clone(),
            lane,
            hooks: site.hooks.clone(),
        })
    }

    /// Has the application answer. `inflow` is the body where that is still arriving.
    pub(crate) fn answer(
        &mut self,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
        inflow: Option<&Arc<Inflow>>,
    ) {
        self.lane.enter(request);
        let called = match self.hooks.clone() {
            None => self.call(request, reply, inflow, None),
            Some(hooks) => self.call_watched(&hooks, request, reply, inflow),
        };
        if let Err(error) = called {
            self.explain(&error, request, inflow);
            reply.fail(500);
        }
        self.lane.leave();
    }

    /// Between `pre_request` and `post_request`.
    #[cold]
    fn call_watched(
        &mut self,
        hooks: &Hooks,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
        inflow: Option<&Arc<Inflow>>,
    ) -> PyResult<()> {
        let passage = hooks.passage(self.py, request)?;
        let called = passage.begin().and_then(|()| self.call(request, reply, inflow, Some(&passage)));
        if let Err(error) = &called {
            self.explain(error, request, inflow);
            reply.fail(500);
        }
        passage.end((reply.status(), reply.body_sent()))
    }

    fn call(
        &mut self,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
        inflow: Option<&Arc<Inflow>>,
        passage: Option<&Passage<'py>>,
    ) -> PyResult<()> {
        // Not behind the last call: what that left, a traceback for one, may have kept a reference until now.
        self.start.renew()?;
        let input = inflow.map(|inflow| self.input(inflow)).transpose()?;
        let environ = self.environ.build(request, input)?;
        let watched = passage.map(|passage| passage.watch(&environ, self.start.callable())).transpose()?;
        let callable = watched.unwrap_or_else(|| self.start.callable().clone());
        let noted = (!matches!(self.wanted, Wanted::Nothing)).then(|| environ.clone());
        let done = call::run((&self.application, &self.files), (environ, callable), &mut self.start, reply);
        if let Some(remark) = noted.and_then(|environ| variables::note(&environ, &self.wanted)) {
            reply.remark(remark);
        }
        done
    }

    fn input(&self, inflow: &Arc<Inflow>) -> PyResult<Bound<'py, PyAny>> {
        let state = self.start.state().clone().unbind();
        self.arriving_input.call1((Arriving::new(inflow, &self.lane, state),))
    }

    fn explain(&self, error: &PyErr, request: &Request<'_>, inflow: Option<&Arc<Inflow>>) {
        if error.matches(self.py, &self.interrupted).unwrap_or(false) {
            // The signal itself is noted; the loop leaves when it sees that.
            return;
        }
        tell(self.py, error, request.raw_line(), inflow.map(Arc::as_ref));
    }
}

/// Tells that the application has failed. A client that sends half a body is no fault of the application, which could
/// not go on.
pub(crate) fn tell(py: Python<'_>, error: &PyErr, raw_line: &[u8], inflow: Option<&Inflow>) {
    let line = String::from_utf8_lossy(raw_line);
    let refusal = inflow.and_then(Inflow::refusal);
    match refusal.filter(|_| error.is_instance_of::<PyOSError>(py)) {
        Some(refusal) => {
            log::write(Level::Debug, &format!("Error reading the body of {line}: {}", refusal.why));
        }
        None => log::write_exception(py, &format!("Error handling request {line}"), error),
    }
}
