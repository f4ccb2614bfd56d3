//! The time of a request: what is told when it takes long, and how it is ended. `timeout` is none of them: the silence
//! of the event loop is the arbiter's to see.

use super::conversation::{Client, Conversation};
use super::{chains, task};
use crate::log;
use contract::logline::Level;
use http::Exchange;
use pyo3::prelude::*;

/// The task has to wait: from here on it is a matter of time.
pub(super) fn begin(conversation: &Bound<'_, Conversation>) -> PyResult<()> {
    let settings = &conversation.get().shared.settings;
    for (limit, callback) in [(settings.slow_request, "is_slow"), (settings.request_timeout, "is_overdue")] {
        // A websocket is there to stay.
        if limit != 0 && conversation.get().state()?.websocket.is_none() {
            set(conversation, limit, callback)?;
        }
    }
    Ok(())
}

fn set(conversation: &Bound<'_, Conversation>, milliseconds: u64, callback: &str) -> PyResult<()> {
    let this = conversation.get();
    let callback = conversation.getattr(callback)?;
    let timer = this.shared.event_loop(conversation.py())?.call_later(milliseconds, &callback)?;
    this.state()?.timers.push(timer.unbind());
    Ok(())
}

/// The client has gone: the task has some time left.
pub(super) fn end_after_grace(conversation: &Bound<'_, Conversation>) {
    let grace = conversation.get().shared.settings.disconnect_grace;
    if let Err(error) = set(conversation, grace, "grace_is_over") {
        log::write_exception(conversation.py(), "A task whose client has gone cannot be ended", &error);
    }
}

/// It takes long: what it waits for is told, once.
pub(super) fn tell_slow(conversation: &Bound<'_, Conversation>) {
    let limit = conversation.get().shared.settings.slow_request;
    tell(conversation, Level::Warning, &format!("slow request: {} in", seconds(limit)), "it goes on");
}

/// It takes too long: 504 where nothing was said yet.
pub(super) fn end_overdue(conversation: &Bound<'_, Conversation>) {
    let limit = conversation.get().shared.settings.request_timeout;
    tell(
        conversation,
        Level::Critical,
        &format!("REQUEST TIMEOUT: {} in", seconds(limit)),
        "it is cancelled",
    );
    let Ok(mut state) = conversation.get().state() else { return };
    state.overdue = true;
    if let Some(exchange) = &mut state.exchange {
        give_up(exchange);
        state.client = Client::Gone;
    }
    conversation.get().end(conversation.py(), state);
    task::cancel(conversation, "the request took longer than request_timeout");
}

fn give_up(exchange: &mut Exchange) {
    let mut reply = exchange.reply();
    if reply.is_sent() {
        reply.fail(504);
    } else {
        reply.explain(504, "the application did not answer in time");
    }
}

fn tell(conversation: &Bound<'_, Conversation>, level: Level, what: &str, then: &str) {
    let py = conversation.py();
    let chain = chains::of(conversation).unwrap_or_else(|error| format!("{error}\n"));
    log::write(level, &format!("{what} \"{}\"; {then}\n{chain}", conversation.get().name(py)));
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}
