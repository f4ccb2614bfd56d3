//! What `receive` gives: the body of the request, then that the client has gone.

use super::conversation::{Body, Client, State};
use super::websocket::Heard;
use http::Piece;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// The most that one event has of a body.
const MOST: usize = 64 * 1024;

/// An event for the application.
pub(super) enum Event {
    /// `http.request`: a piece of the body, and whether more follow.
    Body(Vec<u8>, bool),
    /// `http.disconnect`.
    Disconnect,
    /// Of a websocket.
    Websocket(Heard),
}

impl Event {
    pub(super) fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event = PyDict::new(py);
        match self {
            Self::Body(bytes, more) => {
                event.set_item(intern!(py, "type"), intern!(py, "http.request"))?;
                event.set_item(intern!(py, "body"), PyBytes::new(py, bytes))?;
                event.set_item(intern!(py, "more_body"), more)?;
            }
            Self::Disconnect => event.set_item(intern!(py, "type"), intern!(py, "http.disconnect"))?,
            Self::Websocket(heard) => put(heard, &event)?,
        }
        Ok(event.into_any())
    }
}

fn put(heard: &Heard, event: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = event.py();
    let kind = match heard {
        Heard::Connect => intern!(py, "websocket.connect"),
        Heard::Text(text) => {
            event.set_item(intern!(py, "text"), text)?;
            intern!(py, "websocket.receive")
        }
        Heard::Binary(bytes) => {
            event.set_item(intern!(py, "bytes"), PyBytes::new(py, bytes))?;
            intern!(py, "websocket.receive")
        }
        Heard::Disconnect(code, reason) => {
            event.set_item(intern!(py, "code"), code)?;
            event.set_item(intern!(py, "reason"), reason)?;
            intern!(py, "websocket.disconnect")
        }
    };
    event.set_item(intern!(py, "type"), kind)
}

/// The next event; `None` when it has not happened yet.
pub(super) fn next(state: &mut State) -> Option<Event> {
    if let Some(websocket) = &mut state.websocket {
        return websocket.next().map(Event::Websocket);
    }
    let piece = match &state.body {
        Body::None => Ok(Piece::End),
        Body::Arriving(inflow) => inflow.take(MOST),
        Body::Heard => {
            let is_over = state.exchange.is_none() || state.client != Client::There;
            return is_over.then_some(Event::Disconnect);
        }
    };
    match piece {
        Ok(Piece::Bytes(bytes)) => Some(Event::Body(bytes, !is_last(state))),
        Ok(Piece::End) => {
            state.body = Body::Heard;
            Some(Event::Body(Vec::new(), false))
        }
        Ok(Piece::Pending) => {
            ask_for_it(state);
            None
        }
        // It will never be complete: the answer to that is sent when the application ends without one.
        Err(_) => Some(Event::Disconnect),
    }
}

/// Was that all of the body?
fn is_last(state: &mut State) -> bool {
    let Body::Arriving(inflow) = &state.body else { return false };
    let is_last = inflow.take(0) == Ok(Piece::End);
    if is_last {
        state.body = Body::Heard;
    }
    is_last
}

/// A client may wait to be asked for the body.
fn ask_for_it(state: &mut State) {
    let Body::Arriving(inflow) = &state.body else { return };
    if inflow.expects_continue()
        && let Some(exchange) = &mut state.exchange
    {
        exchange.reply().go_on();
        state.leave_rest();
    }
}
