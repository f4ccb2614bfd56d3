//! One call of the application, from `application(environ, start_response)` to the result's `close()`.

use super::file::Files;
use super::start::{Sent, StartResponse, State};
use crate::log;
use contract::logline::Level;
use http::Reply;
use pyo3::exceptions::PyAssertionError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::io;

/// Calls the application and sends what it returns. An error is an exception of the application.
pub(super) fn run<'py>(
    (application, files): (&Bound<'py, PyAny>, &Files<'py>),
    (environ, callable): (Bound<'py, PyDict>, Bound<'py, PyAny>),
    start: &mut StartResponse<'py>,
    reply: &mut Reply<'_>,
) -> PyResult<()> {
    start.lend(reply, |state| {
        let result = application.call1((environ, callable))?;
        let sent = send_all(state, files, &result);
        let closed = close(&result);
        sent.and(closed)
    })
}

/// Sends the pieces of a result, each before the next one is asked for.
fn send_all<'py>(state: &State, files: &Files<'py>, result: &Bound<'py, PyAny>) -> PyResult<()> {
    let sent = if let Ok(list) = result.cast_exact::<PyList>() {
        send_known(state, list.iter(), list.len())?
    } else if let Ok(tuple) = result.cast_exact::<PyTuple>() {
        send_known(state, tuple.iter(), tuple.len())?
    } else if files.is_wrapped(result)
        && let Some(sent) = files.send(state, result)?
    {
        sent
    } else {
        send_stream(state, result)?
    };
    if sent == Sent::Nobody { Ok(()) } else { state.with(finish) }
}

/// A result whose last piece is known to be the last: alone, it needs no other framing than its length.
fn send_known<'py>(
    state: &State,
    pieces: impl Iterator<Item = Bound<'py, PyAny>>,
    count: usize,
) -> PyResult<Sent> {
    for (index, piece) in pieces.enumerate() {
        if state.send(&piece, index + 1 == count)? == Sent::Nobody {
            return Ok(Sent::Nobody);
        }
    }
    Ok(Sent::Yes)
}

fn send_stream(state: &State, result: &Bound<'_, PyAny>) -> PyResult<Sent> {
    // PEP 3333, "Handling the Content-Length Header": one piece alone may be given its length.
    let single = matches!(result.len(), Ok(1));
    for piece in result.try_iter()? {
        if state.send(&piece?, single)? == Sent::Nobody {
            return Ok(Sent::Nobody);
        }
    }
    Ok(Sent::Yes)
}

/// The application has given all that it has.
pub(crate) fn finish(reply: &mut Reply<'_>) -> PyResult<()> {
    if !reply.has_begun() {
        return Err(PyAssertionError::new_err("the application returned without calling start_response"));
    }
    let missing = reply.missing();
    match reply.finish() {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let missing = missing.unwrap_or_default();
            let text = format!("the response is {missing} bytes short of its Content-Length");
            log::write(Level::Error, &text);
        }
        // Otherwise the client is gone, which is not the application's fault.
        Ok(()) | Err(_) => {}
    }
    Ok(())
}

/// PEP 3333: whatever happened, a result that has `close` is closed, once.
fn close(result: &Bound<'_, PyAny>) -> PyResult<()> {
    if result.is_exact_instance_of::<PyList>() {
        return Ok(());
    }
    match result.getattr_opt(intern!(result.py(), "close"))? {
        Some(close) => close.call0().map(drop),
        None => Ok(()),
    }
}
