//! The conversation of a websocket: what the application sends, what the client says, and how it ends.

use super::conversation::{Client, ClientDisconnected, Conversation, State};
use super::events::{Event, Headers, bytes};
use super::sending;
use super::websocket::{Stage, Websocket};
use crate::guarded::Guard;
use http::websocket::{Closed, Session};
use http::{Flow, session_clock};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Does what one event of the application says.
pub(super) fn send<'py>(
    conversation: &Bound<'py, Conversation>,
    event: &Event<'_, 'py>,
    kind: &str,
) -> PyResult<Flow> {
    match kind {
        "websocket.send" => message(conversation, event.dict),
        "websocket.accept" => accept(conversation, event.dict),
        "websocket.close" => close(conversation, event.dict),
        "websocket.http.response.start" => {
            refuse(&mut *conversation.get().state(conversation.py())?)?;
            sending::start(conversation, event)
        }
        "websocket.http.response.body" => sending::body(conversation, event),
        other => {
            Err(PyRuntimeError::new_err(format!("an ASGI event was sent that no websocket knows: {other:?}")))
        }
    }
}

/// The application answers with an ordinary response.
fn refuse(state: &mut State) -> PyResult<()> {
    let websocket = of(state)?;
    if matches!(websocket.stage, Stage::Open(_)) {
        return Err(PyRuntimeError::new_err("the websocket was accepted already"));
    }
    websocket.stage = Stage::Refused;
    Ok(())
}

fn of(state: &mut State) -> PyResult<&mut Websocket> {
    state.websocket.as_deref_mut().ok_or_else(|| PyRuntimeError::new_err("this is no websocket"))
}

fn accept<'py>(conversation: &Bound<'py, Conversation>, event: &Bound<'py, PyDict>) -> PyResult<Flow> {
    let py = conversation.py();
    let subprotocol = text(event, intern!(py, "subprotocol"))?;
    let headers = Headers::of(event.get_item(intern!(py, "headers"))?.as_ref())?.to_vec();
    let config = conversation.get().shared.websockets;
    let mut state = conversation.get().state(conversation.py())?;
    let State { exchange, websocket, lane, .. } = &mut *state;
    let (Some(exchange), Some(websocket)) = (exchange, websocket) else { return Err(gone()) };
    let Stage::Offered(offer) = &websocket.stage else {
        return Err(PyRuntimeError::new_err("\"websocket.accept\" was sent behind another answer"));
    };
    let fields = headers.iter().map(|(name, value)| (&name[..], &value[..]));
    let (session, inflow) = exchange
        .open_websocket(offer, subprotocol.as_deref(), fields, &config)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    websocket.open(session, inflow);
    if let Some(lane) = lane {
        lane.becomes_websocket();
    }
    let mut out = Vec::new();
    if conversation.get().shared.is_draining() {
        websocket.drain(&mut out);
    }
    say(&mut state, &out)?;
    attend(conversation, state);
    Ok(Flow::Ready)
}

/// A value that may be missing, or None.
fn text(event: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<Option<String>> {
    match event.get_item(key)? {
        Some(value) if !value.is_none() => value.extract().map(Some),
        _ => Ok(None),
    }
}

fn gone() -> PyErr {
    ClientDisconnected::new_err("the client has gone away")
}

fn message<'py>(conversation: &Bound<'py, Conversation>, event: &Bound<'py, PyDict>) -> PyResult<Flow> {
    let py = conversation.py();
    let present = |key| event.get_item(key).map(|value| value.filter(|value| !value.is_none()));
    if let Some(message) = present(intern!(py, "text"))? {
        let message = message.cast_into::<PyString>()?;
        let message = message.to_str()?;
        return speak(conversation, |session, out| session.send_text(message, out));
    }
    let Some(message) = present(intern!(py, "bytes"))? else {
        return Err(PyTypeError::new_err("\"websocket.send\" has neither text nor bytes"));
    };
    let message = bytes(message, "the message")?;
    speak(conversation, |session, out| session.send_binary(message.as_bytes(), out))
}

fn speak(
    conversation: &Bound<'_, Conversation>,
    write: impl FnOnce(&mut Session, &mut Vec<u8>) -> Result<(), Closed>,
) -> PyResult<Flow> {
    let mut state = conversation.get().state(conversation.py())?;
    let is_gone = state.exchange.is_none() || state.client == Client::Gone;
    let mut out = Vec::new();
    match &mut of(&mut state)?.stage {
        Stage::Open(open) if !open.session.is_over() => write(&mut open.session, &mut out)
            .map_err(|Closed| PyRuntimeError::new_err("a message was sent behind \"websocket.close\""))?,
        Stage::Offered(_) if !is_gone => {
            return Err(PyRuntimeError::new_err("\"websocket.send\" was sent before \"websocket.accept\""));
        }
        _ => return Err(gone()),
    }
    say(&mut state, &out)
}

fn close<'py>(conversation: &Bound<'py, Conversation>, event: &Bound<'py, PyDict>) -> PyResult<Flow> {
    let py = conversation.py();
    let code: u16 = match event.get_item(intern!(py, "code"))? {
        Some(code) if !code.is_none() => code.extract()?,
        _ => 1000,
    };
    let reason = text(event, intern!(py, "reason"))?.unwrap_or_default();
    let mut state = conversation.get().state(conversation.py())?;
    match &mut of(&mut state)?.stage {
        Stage::Refused => return Err(PyRuntimeError::new_err("the websocket was refused already")),
        Stage::Offered(_) => return forbid(conversation, state),
        Stage::Open(open) => {
            let mut out = Vec::new();
            let closed = open.session.close(code, &reason, session_clock(), &mut out);
            closed.map_err(|error| PyValueError::new_err(error.to_string()))?;
            // A client that is gone hears nothing, which is what was wanted.
            let _ = say(&mut state, &out);
        }
    }
    attend(conversation, state);
    Ok(Flow::Ready)
}

/// Closed before it was accepted.
fn forbid(conversation: &Bound<'_, Conversation>, mut state: Guard<'_, State>) -> PyResult<Flow> {
    refuse(&mut state)?;
    if let Some(exchange) = &mut state.exchange {
        let mut reply = exchange.reply();
        // A client that is gone hears nothing, which is what was wanted.
        let _ = reply.begin(b"403 Forbidden").map(|()| reply.write(b"", true).and_then(|_| reply.finish()));
    }
    conversation.get().end(conversation.py(), state);
    Ok(Flow::Ready)
}

/// Sends what was written. An error when nobody is there to hear it.
fn say(state: &mut State, out: &[u8]) -> PyResult<Flow> {
    if out.is_empty() {
        return Ok(Flow::Ready);
    }
    let written = state.exchange.as_mut().map(|exchange| exchange.reply().write(out, false));
    if let Some(Ok(_)) = written {
        return Ok(state.leave_rest());
    }
    state.client = Client::Gone;
    Err(gone())
}

/// Hears what has come, answers what the protocol answers, and ends what is over.
pub(super) fn attend(conversation: &Bound<'_, Conversation>, mut state: Guard<'_, State>) {
    let State { websocket: Some(_), .. } = &*state else { return };
    while !state.is_full() {
        let Some(websocket) = &mut state.websocket else { return };
        let mut out = Vec::new();
        websocket.listen(&mut out);
        if out.is_empty() || say(&mut state, &out).is_err() {
            break;
        }
    }
    let this = conversation.get();
    let client = state.client;
    let Some(websocket) = &mut state.websocket else { return };
    if client == Client::Gone {
        websocket.lose();
    }
    if websocket.is_over() {
        if let Some(exchange) = &mut state.exchange {
            let _ = exchange.reply().finish();
        }
        return this.end(conversation.py(), state);
    }
    let due = websocket.due();
    this.wake(conversation.py(), state);
    if let Some(due) = due {
        this.set_timer(conversation, due);
    }
}

/// Something is due.
pub(super) fn tick(conversation: &Bound<'_, Conversation>) {
    act(conversation, Websocket::tick);
}

/// The worker leaves.
pub(super) fn drain(conversation: &Bound<'_, Conversation>) {
    act(conversation, Websocket::drain);
}

/// Does something that the protocol has an answer to.
fn act(conversation: &Bound<'_, Conversation>, what: fn(&mut Websocket, &mut Vec<u8>)) {
    let Ok(mut state) = conversation.get().state(conversation.py()) else { return };
    let mut out = Vec::new();
    if let Some(websocket) = &mut state.websocket {
        what(websocket, &mut out);
    }
    let _ = say(&mut state, &out);
    attend(conversation, state);
}

/// The task has ended. False when the websocket was never opened: then the response is what counts.
pub(super) fn leave(conversation: &Bound<'_, Conversation>, code: u16) -> bool {
    let Ok(mut state) = conversation.get().state(conversation.py()) else { return false };
    let Some(Websocket { stage: Stage::Open(open), .. }) = state.websocket.as_deref_mut() else {
        return false;
    };
    let mut out = Vec::new();
    let _ = open.session.close(code, "", session_clock(), &mut out);
    let _ = say(&mut state, &out);
    attend(conversation, state);
    true
}
