//! ASGI 3.0 (spec version 2.5): a request becomes a scope and a task, what the task sends is written at once.
//!
//! Everything runs on one thread, in the application's event loop, which watches the server's descriptor (`reactor`).
//! A request that is out is a `Conversation`: `receive` and `send` are its methods. Whatever the application can be
//! made to wait for (a body that arrives, a client that reads slowly) it waits for in `waiting`.

mod chains;
mod conversation;
mod events;
mod fields;
mod files;
mod life;
mod limits;
mod method;
mod reactor;
mod receiving;
mod scope;
mod sending;
mod shared;
mod talk;
mod task;
mod waiting;
mod websocket;

use crate::application::{Application, show_behind_stacks};
use crate::hooks::{Hooks, Passage};
use crate::inherited::Inherited;
use crate::log;
use crate::loop_lanes::LoopLanes;
use crate::python::Helper;
use conversation::Conversation;
use http::websocket::Handshake;
use http::{App, Exchange, Manner, Stirred};
pub(crate) use life::serve;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scope::Scopes;
use shared::Shared;

/// The application, ready to be called.
pub(crate) struct AsgiApp {
    application: Py<PyAny>,
    scopes: Scopes,
    /// A worker has one, for as long as it lives.
    shared: &'static Shared,
    hooks: Option<Hooks>,
    /// An exception of the application that is to end the loop.
    escaped: Option<PyErr>,
}

impl AsgiApp {
    /// Prepares everything that is the same for all requests.
    pub(crate) fn new(
        py: Python<'_>,
        (application, interrupted): (Py<PyAny>, Py<PyAny>),
        inherited: &Inherited,
        lanes: &'static LoopLanes,
    ) -> PyResult<Self> {
        let interface = Helper::Interface.module(py)?.call_method1("interface", (&application,))?;
        let application = if interface.eq("asgi2")? || interface.eq("awaited")? {
            let given = (application, interface);
            Helper::Asgi.module(py)?.call_method1("coroutine_function", given)?.unbind()
        } else {
            application
        };
        let scopes = Scopes::new(py, inherited)?;
        let shared = Box::leak(Box::new(Shared::new(py, interrupted, &inherited.settings.asgi, lanes)?));
        let hooks = inherited.hooks.as_ref().and_then(Hooks::of_requests);
        Ok(Self { application, scopes, shared, hooks, escaped: None })
    }

    /// From now on every request gets a copy of this.
    fn set_state(&mut self, state: Option<Py<PyDict>>) {
        self.scopes.set_state(state);
    }

    fn begin(&mut self, py: Python<'_>, mut exchange: Exchange) {
        let lane = self.shared.lanes.enter(&mut exchange);
        let running = lane.lane();
        let offer = match Handshake::read(&exchange.request()) {
            Handshake::No => None,
            Handshake::Offered(offer) => Some(offer),
            Handshake::Refused(refusal) => return exchange.reply().explain(refusal.status, refusal.why),
        };
        let scope = match self.scopes.build(py, &exchange.request(), offer.as_ref()) {
            Ok(scope) => scope,
            Err(error) => return log::write_exception(py, "A request cannot be put into words", &error),
        };
        let hooks = self.hooks.as_ref().filter(|_| offer.is_none());
        let passage = match hooks.map(|hooks| passage(py, hooks, &exchange)).transpose() {
            Ok(passage) => passage,
            // The exchange ends here: its client hears 500.
            Err(error) => return task::tell_refused(py, self.shared, &exchange, &error),
        };
        let begun =
            Conversation::new(py, (exchange, lane, offer), &scope, self.shared).and_then(|conversation| {
                // Most tasks begin to run at once: then it is known whose code it is that blocks the loop.
                self.shared.lanes.set_running(running);
                task::start(&self.application, scope, &conversation, passage)
            });
        self.shared.lanes.set_running(None);
        if let Err(error) = begun {
            self.escaped = Some(error);
        }
    }
}

/// Runs `pre_request`.
fn passage<'py>(py: Python<'py>, hooks: &Hooks, exchange: &Exchange) -> PyResult<Passage<'py>> {
    let passage = hooks.passage(py, &exchange.request())?;
    match passage.begin() {
        Ok(()) => Ok(passage),
        Err(error) => {
            passage.end_task(500)?;
            Err(error)
        }
    }
}

impl App for AsgiApp {
    const MANNER: Manner = Manner::Away { gathered: 0 };

    fn take(&mut self, exchange: Exchange) {
        Python::attach(|py| self.begin(py, exchange));
    }

    fn stirred(&mut self, key: usize, what: Stirred) {
        Python::attach(|py| {
            if let Some(conversation) = self.shared.find(py, key) {
                conversation.get().stirred(&conversation, what);
            }
        });
    }

    /// The loop waits elsewhere: this never takes long.
    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        wait()
    }

    fn interrupted(&mut self) {}
}

impl Application for AsgiApp {
    /// Exceptions that are to end the process end the event loop.
    fn wants_to_leave(&self) -> bool {
        false
    }

    fn show_more(&self, signal: i32) {
        Python::attach(|py| show_behind_stacks(py, signal, chains::all(py, self.shared)));
    }
}
