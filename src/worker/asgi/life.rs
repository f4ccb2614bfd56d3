//! The life of an ASGI worker: the helper in Python has the event loop, and hands it back at the end.

use super::AsgiApp;
use super::reactor::Reactor;
use crate::lifecycle::Worker;
use crate::load;
use crate::python::Helper;
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
    let reactor = match Bound::new(py, Reactor::new(worker)) {
        Ok(reactor) => reactor,
        Err(error) => return failed(py, &error),
    };
    let served = Helper::Asgi.module(py).and_then(|helper| {
        helper.call_method1("serve", (&reactor, application, interrupted, words.0, words.1))
    });
    if let Err(error) = served {
        reactor.borrow().refuse(refusal(py, &error));
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
    let is_refusal = Helper::Asgi
        .module(py)
        .and_then(|helper| helper.getattr("NotStarted"))
        .is_ok_and(|kind| error.value(py).is_instance(&kind).unwrap_or(false));
    if is_refusal {
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
