//! The time of a request: what is told when it takes long, and how it is ended. `timeout` is none of them: the silence
//! of the event loop is the arbiter's to see.

use super::conversation::{Client, Conversation};
use super::{chains, task};
use crate::{log, overdue};
use pyo3::prelude::*;

/// The task has to wait: from here on it is a matter of time.
pub(super) fn begin(conversation: &Bound<'_, Conversation>) -> PyResult<()> {
    let settings = &conversation.get().shared.settings;
    for (limit, callback) in [(settings.slow_request, "is_slow"), (settings.request_timeout, "is_overdue")] {
        // A websocket is there to stay.
        if limit != 0 && conversation.get().state(conversation.py())?.websocket.is_none() {
            set(conversation, limit, callback)?;
        }
    }
    Ok(())
}

fn set(conversation: &Bound<'_, Conversation>, milliseconds: u64, callback: &str) -> PyResult<()> {
    let this = conversation.get();
    let callback = conversation.getattr(callback)?;
    let timer = this.shared.event_loop(conversation.py())?.call_later(milliseconds, &callback)?;
    this.state(conversation.py())?.timers.push(timer.unbind());
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
    let this = conversation.get();
    let name = name(conversation);
    overdue::tell_slow(this.shared.settings.slow_request, &name, &chain(conversation));
}

/// It takes too long: 504 where nothing was said yet.
pub(super) fn end_overdue(conversation: &Bound<'_, Conversation>) {
    let this = conversation.get();
    let name = name(conversation);
    overdue::tell_ended(this.shared.settings.request_timeout, &name, &chain(conversation));
    let Ok(mut state) = this.state(conversation.py()) else { return };
    state.overdue = true;
    if let Some(exchange) = &mut state.exchange {
        exchange.reply().give_up();
        state.client = Client::Gone;
    }
    this.end(conversation.py(), state);
    task::cancel(conversation, "the request took longer than request_timeout");
}

/// What it is, while the exchange is there.
fn name(conversation: &Bound<'_, Conversation>) -> String {
    let this = conversation.get();
    let state = this.state(conversation.py()).ok();
    let exchange = state.as_ref().and_then(|state| state.exchange.as_ref());
    exchange.map_or_else(
        || format!("\"{}\"", this.name(conversation.py())),
        |exchange| overdue::named(&exchange.request()),
    )
}

fn chain(conversation: &Bound<'_, Conversation>) -> String {
    chains::of(conversation).unwrap_or_else(|error| format!("{error}\n"))
}
