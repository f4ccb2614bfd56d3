//! Files as a response: `http.response.pathsend` and `http.response.zerocopysend`. The kernel sends a regular file that
//! is the whole body; anything else is read, piece by piece, while the client has room for it.

use super::conversation::Conversation;
use super::events::{is_set, required};
use super::sending::{out, settle};
use crate::python::Helper;
use http::Flow;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

/// What `send` has to give to be awaited.
pub(super) enum Sent<'py> {
    Flow(Flow),
    /// A coroutine that does the rest.
    Goes(Bound<'py, PyAny>),
}

/// Sends the file at a path.
pub(super) fn path<'py>(
    conversation: &Bound<'py, Conversation>,
    event: &Bound<'py, PyDict>,
) -> PyResult<Sent<'py>> {
    let path: std::path::PathBuf = required(event, intern!(conversation.py(), "path"))?.extract()?;
    let file = File::open(path)?;
    let status = file.metadata()?;
    if !status.is_file() {
        return Err(PyRuntimeError::new_err("\"http.response.pathsend\" is for regular files"));
    }
    whole(conversation, file.as_fd(), (0, status.len())).map(Sent::Flow)
}

/// Sends a part of an open file.
pub(super) fn part<'py>(
    conversation: &Bound<'py, Conversation>,
    event: &Bound<'py, PyDict>,
) -> PyResult<Sent<'py>> {
    let py = conversation.py();
    let file = required(event, intern!(py, "file"))?;
    let (offset, count) = (event.get_item(intern!(py, "offset"))?, event.get_item(intern!(py, "count"))?);
    let more = is_set(event, intern!(py, "more_body"))?;
    let helper = Helper::Asgi.module(py)?;
    let part: Option<(i32, u64, u64)> =
        helper.call_method1("part_of_file", (&file, &offset, &count))?.extract()?;
    if let Some((number, offset, count)) = part.filter(|_| !more && takes_file(conversation)) {
        // SAFETY: the file object, which is alive as long as `event`, owns the descriptor.
        let file = unsafe { BorrowedFd::borrow_raw(number) };
        return whole(conversation, file, (offset, count)).map(Sent::Flow);
    }
    let send = conversation.getattr(intern!(py, "send"))?;
    helper.call_method1("send_pieces", (send, file, offset, count, more)).map(Sent::Goes)
}

fn takes_file(conversation: &Bound<'_, Conversation>) -> bool {
    let Ok(mut state) = conversation.get().state(conversation.py()) else { return false };
    state.trailers.is_none() && state.exchange.as_mut().is_some_and(|exchange| exchange.reply().takes_file())
}

/// The rest of the file is the whole body.
fn whole(
    conversation: &Bound<'_, Conversation>,
    file: BorrowedFd<'_>,
    (offset, length): (u64, u64),
) -> PyResult<Flow> {
    let mut state = conversation.get().state(conversation.py())?;
    let mut reply = out(&mut state, "a file")?.reply();
    if !reply.takes_file() {
        return Err(PyRuntimeError::new_err("a file was sent that is not the whole body"));
    }
    let written = reply.write_file(file, offset, length).map(|()| Flow::Ready);
    settle(conversation, state, &written, false)
}
