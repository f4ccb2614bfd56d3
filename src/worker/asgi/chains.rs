//! What tasks wait for, as text: for whoever wants to know why a request takes so long.

use super::conversation::Conversation;
use super::shared::Shared;
use crate::python::Helper;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Of the task of one request.
pub(super) fn of(conversation: &Bound<'_, Conversation>) -> PyResult<String> {
    let py = conversation.py();
    let this = conversation.get();
    let Some(task) = this.task(py)? else { return Ok(String::new()) };
    Helper::Chains.module(py)?.call_method1("chain", (task, this.name(py)))?.extract()
}

/// Of all tasks of the event loop; those of requests with what they are about.
pub(super) fn all(py: Python<'_>, shared: &Shared) -> PyResult<String> {
    let names = PyDict::new(py);
    for conversation in shared.all(py) {
        let this = conversation.get();
        if let Some(task) = this.task(py)? {
            names.set_item(task, this.name(py))?;
        }
    }
    let event_loop = shared.event_loop(py)?.as_any(py);
    Helper::Chains.module(py)?.call_method1("chains", (event_loop, names))?.extract()
}
