//! What `send` does: events of the application become a response, written before `send` returns.

use super::conversation::{Client, ClientDisconnected, Conversation, State};
use super::events::{Event, Headers, bytes, is_set, is_true, required};
use super::files::{self, Sent};
use super::talk;
use crate::guarded::Guard;
use crate::log;
use contract::logline::Level;
use http::{Exchange, Flow, status_line};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use std::io;

/// Does what one event says; what it gives says whether the client has to be waited for.
pub(super) fn send<'py>(
    conversation: &Bound<'py, Conversation>,
    event: &Bound<'py, PyAny>,
) -> PyResult<Sent<'py>> {
    let event = Event::of(event)?;
    let kind = event.required(&event.kind, "type")?;
    let flow = match kind.cast::<PyString>()?.to_str()? {
        "http.response.start" => start(conversation, &event),
        "http.response.body" => body(conversation, &event),
        "http.response.early_hint" => early_hint(conversation, event.dict),
        "http.response.trailers" => trailers(conversation, event.dict),
        "http.response.pathsend" => return files::path(conversation, event.dict),
        "http.response.zerocopysend" => return files::part(conversation, event.dict),
        kind if kind.starts_with("websocket.") => talk::send(conversation, &event, kind),
        other => Err(PyRuntimeError::new_err(format!("an unknown ASGI event was sent: {other:?}"))),
    };
    flow.map(Sent::Flow)
}

/// The exchange that `kind` is about, or why it may not be sent any more.
pub(super) fn out<'s>(state: &'s mut State, kind: &str) -> PyResult<&'s mut Exchange> {
    match (&mut state.exchange, state.client) {
        (_, Client::Gone) => Err(ClientDisconnected::new_err("the client has gone away")),
        (Some(exchange), _) => Ok(exchange),
        (None, _) => Err(PyRuntimeError::new_err(format!("{kind:?} was sent behind the complete response"))),
    }
}

pub(super) fn start<'py>(conversation: &Bound<'py, Conversation>, event: &Event<'_, 'py>) -> PyResult<Flow> {
    let status: u16 = event.required(&event.status, "status")?.extract()?;
    let has_trailers = is_true(event.trailers.as_ref())?;
    let headers = Headers::of(event.headers.as_ref())?;
    let mut state = conversation.get().state(conversation.py())?;
    let mut reply = out(&mut state, "http.response.start")?.reply();
    if reply.has_begun() {
        return Err(PyRuntimeError::new_err("\"http.response.start\" was sent a second time"));
    }
    let bad = |error: http::BadHead| PyValueError::new_err(error.to_string());
    reply.begin(status_line(&mut [0; 48], status)).map_err(bad)?;
    headers.each(|name, value| reply.header(name, value)).map_err(bad)?;
    if has_trailers {
        state.trailers = Some(Vec::new());
    }
    Ok(Flow::Ready)
}

pub(super) fn body<'py>(conversation: &Bound<'py, Conversation>, event: &Event<'_, 'py>) -> PyResult<Flow> {
    let piece = match &event.body {
        Some(piece) => bytes(piece.clone(), "the body")?,
        None => PyBytes::new(conversation.py(), b""),
    };
    let mut state = conversation.get().state(conversation.py())?;
    // Behind the body come the trailers.
    let more = is_true(event.more_body.as_ref())? || state.trailers.is_some();
    let mut reply = out(&mut state, "http.response.body")?.reply();
    if !reply.has_begun() {
        return Err(PyRuntimeError::new_err(
            "\"http.response.body\" was sent before \"http.response.start\"",
        ));
    }
    let piece = piece.as_bytes();
    let too_long = reply.missing().is_some_and(|missing| (piece.len() as u64) > missing);
    if more && piece.is_empty() && reply.is_sent() {
        return Ok(Flow::Ready);
    }
    let written = reply.write(piece, !more);
    let flow = settle(conversation, state, &written, more)?;
    if too_long {
        return Err(PyRuntimeError::new_err("the response is longer than its Content-Length"));
    }
    Ok(flow)
}

/// Behind a write: the client may have gone, the response may be complete, or more may follow.
pub(super) fn settle<'py>(
    conversation: &Bound<'py, Conversation>,
    mut state: Guard<'_, State>,
    written: &io::Result<Flow>,
    more: bool,
) -> PyResult<Flow> {
    let py = conversation.py();
    if written.is_err() {
        state.client = Client::Gone;
        conversation.get().end(py, state);
        return Err(ClientDisconnected::new_err("the client has gone away"));
    }
    if more {
        return Ok(state.leave_rest());
    }
    let short = state.exchange.as_mut().and_then(finish);
    conversation.get().end(py, state);
    if let Some(missing) = short {
        let name = conversation.get().name(py);
        log::write(
            Level::Error,
            &format!("{name}: the response is {missing} bytes short of its Content-Length"),
        );
    }
    Ok(Flow::Ready)
}

/// The response is complete, unless so many bytes are missing.
fn finish(exchange: &mut Exchange) -> Option<u64> {
    let mut reply = exchange.reply();
    let missing = reply.missing();
    let finished = reply.finish();
    missing.filter(|_| finished.is_err_and(|error| error.kind() == io::ErrorKind::InvalidData))
}

/// `103 Early Hints`.
fn early_hint<'py>(conversation: &Bound<'py, Conversation>, event: &Bound<'py, PyDict>) -> PyResult<Flow> {
    let links: PyResult<Vec<_>> = required(event, intern!(conversation.py(), "links"))?
        .try_iter()?
        .map(|link| bytes(link?, "a link"))
        .collect();
    let links = links?;
    let fields = links.iter().map(|link| (&b"link"[..], link.as_bytes()));
    let mut state = conversation.get().state(conversation.py())?;
    let hinted = out(&mut state, "http.response.early_hint")?.reply().hint(fields);
    hinted.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(state.leave_rest())
}

/// Fields behind the body. A client that did not ask for them gets none.
fn trailers<'py>(conversation: &Bound<'py, Conversation>, event: &Bound<'py, PyDict>) -> PyResult<Flow> {
    let py = conversation.py();
    let more = is_set(event, intern!(py, "more_trailers"))?;
    let headers = Headers::of(event.get_item(intern!(py, "headers"))?.as_ref())?;
    let mut state = conversation.get().state(conversation.py())?;
    out(&mut state, "http.response.trailers")?;
    let Some(trailers) = &mut state.trailers else {
        return Err(PyRuntimeError::new_err("\"http.response.start\" did not say that trailers would come"));
    };
    trailers.extend(headers.to_vec());
    if more {
        return Ok(Flow::Ready);
    }
    let trailers = std::mem::take(trailers);
    let (request, mut reply) = out(&mut state, "http.response.trailers")?.parts();
    let taken = if request.takes_trailers() { &trailers[..] } else { &[] };
    let written = reply.finish_with(taken.iter().map(|(name, value)| (&name[..], &value[..])));
    let written = written.map_err(|error| PyValueError::new_err(error.to_string()))?;
    settle(conversation, state, &written.map(|()| Flow::Ready), false)
}
