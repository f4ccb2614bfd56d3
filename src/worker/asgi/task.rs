//! The task of a request: how it begins, and how it ends.

use super::conversation::{Client, ClientDisconnected, Conversation, cancel as cancel_timer};
use super::scope::Scope;
use super::shared::Shared;
use super::{limits, talk};
use crate::hooks::Passage;
use crate::log;
use contract::logline::Level;
use http::Exchange;
use pyo3::exceptions::{
    PyKeyboardInterrupt, PySystemExit, asyncio::CancelledError, asyncio::InvalidStateError,
};
use pyo3::intern;
use pyo3::prelude::*;

/// Calls the application, in a task of its own. Most tasks end at once where they can begin at once (Python 3.12). An
/// error is an exception that is to end the loop.
pub(super) fn start<'py>(
    application: &Py<PyAny>,
    scope: Scope<'py>,
    conversation: &Bound<'py, Conversation>,
    passage: Option<Passage<'py>>,
) -> PyResult<()> {
    let py = conversation.py();
    let shared = &conversation.get().shared;
    let receive = shared.receive.bind(conversation)?;
    let mut send = shared.send.bind(conversation)?;
    if let Some(passage) = passage {
        send = passage.watch_send(&scope.dict, &send)?;
        conversation.get().state(conversation.py())?.passage = Some(passage.keep());
    }
    let event_loop = shared.event_loop(py)?;
    shared.task_began();
    let begun = application
        .bind(py)
        .call1((scope.dict, receive, send))
        .and_then(|coroutine| event_loop.create_task(coroutine));
    match begun {
        Ok(task) => {
            if let Some(result) = result_if_ended(conversation, &task)? {
                close(conversation, result);
                return Ok(());
            }
            // From here on something may happen to it.
            Conversation::remember(conversation);
            conversation.get().state(conversation.py())?.task = Some(task.clone().unbind());
            limits::begin(conversation)?;
            let ended = conversation.getattr(intern!(py, "ended"))?;
            task.call_method1(intern!(py, "add_done_callback"), (ended,)).map(drop)
        }
        Err(error) => {
            let ends_the_loop =
                error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py);
            close(conversation, Err(error.clone_ref(py)));
            if ends_the_loop { Err(error) } else { Ok(()) }
        }
    }
}

/// The task has ended after it had to wait.
pub(super) fn ended(conversation: &Bound<'_, Conversation>, task: &Bound<'_, PyAny>) {
    close(conversation, result_of(task));
}

/// What came of the task; `None` while it runs.
fn result_if_ended(
    conversation: &Bound<'_, Conversation>,
    task: &Bound<'_, PyAny>,
) -> PyResult<Option<PyResult<()>>> {
    // Who has answered has ended, as a rule, and needs no question; from who has not the result would be an exception.
    let is_answered = conversation.get().state(conversation.py())?.exchange.is_none();
    if !is_answered && !is_done(task) {
        return Ok(None);
    }
    let result = result_of(task);
    let is_early = |error: &PyErr| error.is_instance_of::<InvalidStateError>(task.py()) && !is_done(task);
    Ok(Some(result).filter(|result| !result.as_ref().is_err_and(is_early)))
}

fn is_done(task: &Bound<'_, PyAny>) -> bool {
    task.call_method0(intern!(task.py(), "done")).and_then(|answer| answer.is_truthy()).unwrap_or(false)
}

fn result_of(task: &Bound<'_, PyAny>) -> PyResult<()> {
    task.call_method0(intern!(task.py(), "result")).map(drop)
}

/// Ends what the task has not ended, and tells what was wrong with it.
fn close(conversation: &Bound<'_, Conversation>, result: PyResult<()>) {
    let py = conversation.py();
    let this = conversation.get();
    let Ok(mut state) = this.state(conversation.py()) else { return };
    let (task, timers, client) = (state.task.take(), std::mem::take(&mut state.timers), state.client);
    let passage = state.passage.take();
    let answer = if state.overdue { 504 } else { 500 };
    let left_open = state.exchange.as_mut().map(|exchange| exchange.reply().has_begun());
    if let Some(exchange) = state.exchange.as_mut().filter(|_| nobody_listens(py, client, &result)) {
        exchange.reply().abandon();
    }
    drop(state);
    drop(task);
    timers.into_iter().for_each(|timer| cancel_timer(py, Some(timer)));
    // A websocket goes on until its client has answered.
    let goes_on = talk::leave(conversation, if result.is_ok() { 1000 } else { 1011 });
    if goes_on {
        Conversation::remember(conversation);
    } else if let Ok(state) = this.state(conversation.py()) {
        this.end(py, state);
    }
    if let Some(passage) = passage {
        end_passage(&Passage::again(passage.into_bound(py)), answer);
    }
    this.shared.task_ended(py);
    match result {
        Err(error) => tell(conversation, client, &error),
        Ok(()) if client != Client::There || goes_on => {}
        Ok(()) => {
            let said = match left_open {
                Some(true) => "the application returned before its response was complete",
                Some(false) => "the application returned without a response",
                None => return,
            };
            log::write(Level::Error, &format!("{}: {said}", this.name(py)));
        }
    }
}

/// Did it end because its client has? Then nobody waits for an answer, and 500 would not be true.
fn nobody_listens(py: Python<'_>, client: Client, result: &PyResult<()>) -> bool {
    client != Client::There && result.as_ref().err().is_none_or(|error| is_about_leaving(error, py))
}

/// Runs `post_request`.
fn end_passage(passage: &Passage<'_>, answer: u16) {
    if let Err(error) = passage.end_task(answer) {
        log::write_exception(passage.py(), "A hook has failed", &error);
    }
}

/// A hook has refused the request, unless it was interrupted.
pub(super) fn tell_refused(py: Python<'_>, shared: &Shared, exchange: &Exchange, error: &PyErr) {
    if shared.is_interrupt(py, error) {
        return;
    }
    let line = String::from_utf8_lossy(exchange.request().raw_line()).into_owned();
    log::write_exception(py, &format!("Error handling request {line}"), error);
}

/// Tells what went wrong, unless that is only that the client has gone.
fn tell(conversation: &Bound<'_, Conversation>, client: Client, error: &PyErr) {
    let py = conversation.py();
    if conversation.get().shared.is_interrupt(py, error) {
        return;
    }
    let name = conversation.get().name(py);
    if client != Client::There && is_about_leaving(error, py) {
        return log::write(Level::Debug, &format!("{name}: the client has gone away"));
    }
    let is_cancelled = error.is_instance_of::<CancelledError>(py);
    if is_cancelled && conversation.get().state(conversation.py()).is_ok_and(|state| state.overdue) {
        return;
    }
    if is_cancelled && conversation.get().shared.is_draining() {
        return log::write(Level::Warning, &format!("{name}: cancelled, as the worker ends"));
    }
    log::write_exception(py, &format!("Error handling request {name}"), error);
}

/// Was the task cancelled, or told that nobody listens?
fn is_about_leaving(error: &PyErr, py: Python<'_>) -> bool {
    error.is_instance_of::<CancelledError>(py) || is_about_client(error, py)
}

/// Was it raised because the client has gone?
fn is_about_client(error: &PyErr, py: Python<'_>) -> bool {
    let mut error = Some(error.value(py).clone().into_any());
    // No chain of causes that people read is longer.
    for _ in 0..32 {
        let Some(this) = error else { return false };
        if this.is_instance_of::<ClientDisconnected>() {
            return true;
        }
        let next = |name| this.getattr(name).ok().filter(|next: &Bound<'_, PyAny>| !next.is_none());
        error = next("__cause__").or_else(|| next("__context__"));
    }
    false
}

/// Cancels the task; `why` is what its exception says.
pub(super) fn cancel(conversation: &Bound<'_, Conversation>, why: &str) {
    let py = conversation.py();
    if let Ok(Some(task)) = conversation.get().task(py) {
        let _ = task.call_method1(intern!(py, "cancel"), (why,));
    }
}
