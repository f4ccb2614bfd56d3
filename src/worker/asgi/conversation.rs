//! One request that is out: `receive` and `send` are its methods, for as long as the application keeps them.
//!
//! | the exchange | the client      | `receive` gives               | `send`                                       |
//! |--------------|-----------------|-------------------------------|----------------------------------------------|
//! | is out       | is there        | the body, then waits          | writes                                       |
//! | is out       | sends no more   | the body, then the disconnect | writes: it may still read                    |
//! | is out       | is gone         | the body, then the disconnect | raises `ClientDisconnected`, an `OSError`    |
//! | has ended    |                 | the disconnect                | raises: the response was complete, or as above |
//!
//! Nothing of Python is called while the state is locked.

use super::files::Sent;
use super::scope::Scope;
use super::shared::Shared;
use super::waiting::{Step, Waiting, Wanted};
use super::websocket::Websocket;
use super::{limits, receiving, sending, talk};
use crate::guarded::{Guard, Guarded};
use crate::loop_lanes::LoopLane;
use http::websocket::Offer;
use http::{Exchange, Flow, Inflow, Stirred, session_clock};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Arc;

pyo3::create_exception!(rcorn, ClientDisconnected, PyOSError, "The client of this request has gone away.");

/// What became of the client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    There,
    /// It sends nothing more.
    Silent,
    /// Nothing that is written will be read.
    Gone,
}

/// What changes in the course of a request.
pub(super) struct State {
    /// `None` when it has ended.
    pub(super) exchange: Option<Exchange>,
    /// Its place where the arbiter sees it, as long as the exchange is out.
    pub(super) lane: Option<LoopLane>,
    /// The body of the request, as long as the application has not heard its end.
    pub(super) body: Body,
    pub(super) client: Client,
    /// Fields that follow the body, where the application has said that some will.
    pub(super) trailers: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    /// Is there no room for more of the response?
    full: bool,
    /// Futures of those who wait for something to happen.
    waiters: Vec<Py<PyAny>>,
    /// Where hooks see the request.
    pub(super) passage: Option<Py<PyAny>>,
    /// Of the request; while it runs.
    pub(super) task: Option<Py<PyAny>>,
    /// What limits its time.
    pub(super) timers: Vec<Py<PyAny>>,
    /// It took longer than a request may.
    pub(super) overdue: bool,
    /// It has some time left, as its client has gone.
    pub(super) in_grace: bool,
    pub(super) websocket: Option<Box<Websocket>>,
    /// When something of the websocket is due: in milliseconds, and the timer.
    timer: Option<(u64, Py<PyAny>)>,
}

/// The body of a request.
pub(super) enum Body {
    /// There is none, and the application has not heard that yet.
    None,
    Arriving(Arc<Inflow>),
    /// The application has heard the end.
    Heard,
}

/// One request.
#[pyclass(frozen, module = "rcorn")]
pub(crate) struct Conversation {
    key: usize,
    /// Not the scope: applications keep `receive` and `send` there.
    method: Option<Py<PyString>>,
    path: Py<PyString>,
    pub(super) shared: &'static Shared,
    state: Guarded<State>,
}

impl Conversation {
    pub(super) fn new<'py>(
        py: Python<'py>,
        (exchange, lane, offer): (Exchange, LoopLane, Option<Offer>),
        scope: &Scope<'py>,
        shared: &'static Shared,
    ) -> PyResult<Bound<'py, Self>> {
        let key = exchange.key();
        let body = exchange.inflow().map_or(Body::None, |inflow| Body::Arriving(Arc::clone(inflow)));
        let state = State {
            exchange: Some(exchange),
            lane: Some(lane),
            body,
            client: Client::There,
            trailers: None,
            full: false,
            waiters: Vec::new(),
            passage: None,
            task: None,
            timers: Vec::new(),
            overdue: false,
            in_grace: false,
            websocket: offer.map(|offer| Box::new(Websocket::new(offer))),
            timer: None,
        };
        let (method, path) = (scope.method.clone().map(Bound::unbind), scope.path.clone().unbind());
        Bound::new(py, Self { key, method, path, shared, state: Guarded::new(state) })
    }

    /// The state. An error when another thread has it at this moment.
    pub(super) fn state<'a>(&'a self, py: Python<'a>) -> PyResult<Guard<'a, State>> {
        self.state.hold(py).ok_or_else(|| {
            PyRuntimeError::new_err("receive and send are to be called in the event loop's thread")
        })
    }

    /// The task of the request, while it runs.
    pub(super) fn task<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.state(py)?.task.as_ref().map(|task| task.bind(py).clone()))
    }

    /// `GET /path`, for the log.
    pub(super) fn name(&self, py: Python<'_>) -> String {
        let path = self.path.bind(py);
        match &self.method {
            Some(method) => format!("{} {path}", method.bind(py)),
            None => path.to_string(),
        }
    }

    /// From now on what happens to the exchange is told to this conversation.
    pub(super) fn remember(slf: &Bound<'_, Self>) {
        slf.get().shared.remember(slf.get().key, slf);
    }

    /// Something happened to the exchange.
    pub(super) fn stirred(&self, slf: &Bound<'_, Self>, what: Stirred) {
        let Ok(mut state) = self.state(slf.py()) else { return };
        let Some(exchange) = &mut state.exchange else { return };
        match what {
            Stirred::Room => match exchange.use_room() {
                Ok(flow) => state.full = flow == Flow::Full,
                Err(_) => state.client = Client::Gone,
            },
            Stirred::Silent if state.client == Client::There => state.client = Client::Silent,
            Stirred::Body | Stirred::Silent => {}
            Stirred::Gone => state.client = Client::Gone,
        }
        let client = state.client;
        if let Some(websocket) = &mut state.websocket {
            if client != Client::There && websocket.is_unanswered() {
                websocket.lose();
            }
            return talk::attend(slf, state);
        }
        let leaves = state.client != Client::There && !state.in_grace;
        state.in_grace |= leaves;
        self.wake(slf.py(), state);
        if leaves {
            limits::end_after_grace(slf);
        }
    }

    /// Tells those who wait that something has happened.
    pub(super) fn wake(&self, py: Python<'_>, mut state: Guard<'_, State>) {
        let waiters = std::mem::take(&mut state.waiters);
        drop(state);
        wake(py, waiters);
    }

    /// Makes sure that something is done in so many milliseconds.
    pub(super) fn set_timer(&self, slf: &Bound<'_, Self>, milliseconds: u64) {
        let at = session_clock().saturating_add(milliseconds);
        let Ok(mut state) = self.state(slf.py()) else { return };
        if state.timer.as_ref().is_some_and(|(timer, _)| *timer <= at) {
            return;
        }
        let earlier = state.timer.take();
        drop(state);
        cancel(slf.py(), earlier.map(|(_, timer)| timer));
        let timer = slf
            .getattr(intern!(slf.py(), "tick"))
            .and_then(|tick| self.shared.event_loop(slf.py())?.call_later(milliseconds, &tick));
        if let (Ok(timer), Ok(mut state)) = (timer, self.state(slf.py())) {
            state.timer = Some((at, timer.unbind()));
        }
    }

    /// Ends the exchange, if it has not ended: whoever waits for more of the request hears that there is none.
    pub(super) fn end(&self, py: Python<'_>, mut state: Guard<'_, State>) {
        if let Some(websocket) = &mut state.websocket {
            websocket.lose();
        }
        let (exchange, lane) = (state.exchange.take(), state.lane.take());
        let waiters = std::mem::take(&mut state.waiters);
        let timer = state.timer.take();
        state.body = Body::Heard;
        drop(state);
        cancel(py, timer.map(|(_, timer)| timer));
        if let Some(exchange) = exchange {
            self.shared.forget(py, self.key);
            exchange.end();
        }
        drop(lane);
        wake(py, waiters);
    }

    /// One attempt of whoever waits.
    pub(super) fn step<'py>(slf: &Bound<'py, Self>, wanted: Wanted) -> PyResult<Step<'py>> {
        let (py, this) = (slf.py(), slf.get());
        let mut state = this.state(py)?;
        let (event, has_room) = match wanted {
            Wanted::Event => (receiving::next(&mut state), false),
            Wanted::Room => (None, !state.is_full()),
        };
        if event.is_some() && state.websocket.is_some() {
            // There is room for what was held up.
            talk::attend(slf, state);
        } else {
            drop(state);
        }
        if let Some(event) = event {
            return event.to_dict(py).map(Step::Value);
        }
        if has_room {
            return Ok(Step::Value(py.None().into_bound(py)));
        }
        let future = this.shared.event_loop(py)?.create_future(py)?;
        this.state(py)?.waiters.push(future.clone().unbind());
        Ok(Step::Later(future))
    }
}

impl State {
    /// Must whoever sends wait?
    pub(super) fn is_full(&self) -> bool {
        self.full && self.exchange.is_some() && self.client != Client::Gone
    }

    /// Behind everything that is written while the exchange goes on.
    pub(super) fn leave_rest(&mut self) -> Flow {
        let flow = self.exchange.as_mut().map_or(Flow::Ready, Exchange::leave_rest);
        self.full = flow == Flow::Full;
        flow
    }
}

#[pymethods]
impl Conversation {
    /// ASGI's `receive`.
    fn receive(slf: Py<Self>) -> Waiting {
        Waiting::new(slf, Wanted::Event)
    }

    /// ASGI's `send`.
    #[pyo3(signature = (event, /))]
    fn send<'py>(slf: &Bound<'py, Self>, event: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match sending::send(slf, event)? {
            Sent::Goes(coroutine) => Ok(coroutine),
            Sent::Flow(Flow::Ready) => Ok(slf.get().shared.done.bind(slf.py()).clone().into_any()),
            Sent::Flow(Flow::Full) => {
                Ok(Bound::new(slf.py(), Waiting::new(slf.clone().unbind(), Wanted::Room))?.into_any())
            }
        }
    }

    /// Called when the task has ended that did not end at once.
    #[pyo3(signature = (task, /))]
    fn ended(slf: &Bound<'_, Self>, task: &Bound<'_, PyAny>) {
        super::task::ended(slf, task);
    }

    /// Something of a websocket is due.
    fn tick(slf: &Bound<'_, Self>) {
        if let Ok(mut state) = slf.get().state(slf.py()) {
            state.timer = None;
        }
        talk::tick(slf);
    }

    /// The client has gone long ago.
    fn grace_is_over(slf: &Bound<'_, Self>) {
        super::task::cancel(slf, "the client has gone away");
    }

    /// It takes long.
    fn is_slow(slf: &Bound<'_, Self>) {
        limits::tell_slow(slf);
    }

    /// It takes longer than a request may.
    fn is_overdue(slf: &Bound<'_, Self>) {
        limits::end_overdue(slf);
    }
}

/// Tells those who wait that something has happened.
fn wake(py: Python<'_>, waiters: Vec<Py<PyAny>>) {
    for future in waiters {
        let future = future.bind(py);
        let is_done = future.call_method0(intern!(py, "done")).and_then(|done| done.is_truthy());
        if let Ok(false) = is_done {
            // A loop that is closed has nobody to wake.
            let _ = future.call_method1(intern!(py, "set_result"), (py.None(),));
        }
    }
}

/// Cancels a timer.
pub(super) fn cancel(py: Python<'_>, timer: Option<Py<PyAny>>) {
    if let Some(timer) = timer {
        // One that has fired is none any more.
        let _ = timer.bind(py).call_method0(intern!(py, "cancel"));
    }
}
