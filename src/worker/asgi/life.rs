//! The life of an ASGI worker: the helper in Python has the event loop, and hands it back at the end.

use super::AsgiApp;
use super::reactor::Reactor;
use crate::lifecycle::Worker;
use crate::load;
use crate::python::Helper;
use crate::reload;
use contract::exit::ExitCode;
use contract::message::BootFailure;
use contract::settings::{AsgiSettings, EventLoop, Lifespan};
use pyo3::prelude::*;

/// Runs the worker in an event loop, to its end.
pub(crate) fn serve(py: Python<'_>, worker: Worker<AsgiApp>, settings: &AsgiSettings) -> ExitCode {
    if worker.is_unneeded() {
        return ExitCode::Success;
    }
    let application = worker.app.application.clone_ref(py);
    let interrupted = worker.app.shared.interrupted.clone_ref(py);
    let words = (event_loop(settings.event_loop), lifespan(settings.lifespan));
    let reload = worker.reloads();
    let reactor = match Bound::new(py, Reactor::new(worker)) {
        Ok(reactor) => reactor,
        Err(error) => return failed(py, &error),
    };
    let serve = |application: &Py<PyAny>, lifespan| {
        let words = (&reactor, application, &interrupted, words.0, lifespan);
        Helper::Asgi.module(py).and_then(|helper| helper.call_method1("serve", words)).map(drop)
    };
    let failure = serve(&application, words.1).err().map(|error| refusal(py, &error));
    let failure = match failure {
        Some(failure) if reload && !reactor.borrow().has_begun() => {
            let stand_in = reload::shown(py, &failure, true);
            stand_in.map_or(Some(failure), |stand_in| {
                reactor.borrow().replace(stand_in.clone_ref(py));
                serve(&stand_in, "off").err().map(|error| refusal(py, &error))
            })
        }
        failure => failure,
    };
    if let Some(failure) = failure {
        reactor.borrow().refuse(failure);
    }
    reactor.borrow().end()
}

fn failed(py: Python<'_>, error: &PyErr) -> ExitCode {
    crate::log::write_exception(py, "The event loop cannot be used", error);
    ExitCode::Setup
}

/// Why the helper has raised: the application has not started, or the event loop is none.
fn refusal(py: Python<'_>, error: &PyErr) -> BootFailure {
    let read = || -> PyResult<BootFailure> {
        let value = error.value(py);
        let summary =
            format!("the application did not start: {}", value.getattr("summary")?.extract::<String>()?);
        let traceback = load::shortened(value.getattr("details")?.extract()?);
        Ok(BootFailure { code: ExitCode::AppImport, summary, traceback })
    };
    if Helper::Asgi.raised(py, "NotStarted", error) {
        read().unwrap_or_else(|error| load::internal(&error, py))
    } else {
        load::internal(error, py)
    }
}

fn event_loop(event_loop: EventLoop) -> &'static str {
    match event_loop {
        EventLoop::Auto => "auto",
        EventLoop::Asyncio => "asyncio",
        EventLoop::Uvloop => "uvloop",
    }
}

fn lifespan(lifespan: Lifespan) -> &'static str {
    match lifespan {
        Lifespan::Auto => "auto",
        Lifespan::On => "on",
        Lifespan::Off => "off",
    }
}
