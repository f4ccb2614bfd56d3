//! What `receive` and `send` give to be awaited.
//!
//! They have the methods of a coroutine, so that `asyncio.create_task(receive())` works. A message is taken only when
//! the task runs that waits for it: one whose task is cancelled while it wakes up is not lost.

use super::conversation::Conversation;
use pyo3::exceptions::{PyStopIteration, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

/// What came of an attempt.
pub(super) enum Step<'py> {
    /// The value that was waited for.
    Value(Bound<'py, PyAny>),
    /// This future tells when to try again.
    Later(Bound<'py, PyAny>),
}

/// There is nothing to wait for. One object serves everybody.
#[pyclass(frozen, module = "rcorn")]
pub(super) struct Done;

#[pymethods]
impl Done {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> Option<Py<PyAny>> {
        None
    }

    #[pyo3(signature = (_value, /))]
    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (kind, value=None, _traceback=None, /))]
    fn throw(
        &self,
        kind: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        Err(thrown(kind, value)?)
    }

    fn close(&self) {}
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// The next event.
    Event,
    /// Room for more of the response.
    Room,
}

/// Waits until there is what is wanted.
#[pyclass(frozen, module = "rcorn")]
pub(super) struct Waiting {
    conversation: Py<Conversation>,
    wanted: Wanted,
    /// Iterates over the future that tells when to try again.
    future: Mutex<Option<Py<PyAny>>>,
}

impl Waiting {
    pub(super) fn new(conversation: Py<Conversation>, wanted: Wanted) -> Self {
        Self { conversation, wanted, future: Mutex::new(None) }
    }

    fn take_future(&self) -> Option<Py<PyAny>> {
        self.future.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn step<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(future) = self.take_future() {
            // It has to be asked, for its own sake; it is done, or was cancelled.
            let _ = future.bind(py).call_method0(intern!(py, "__next__"));
        }
        match Conversation::step(self.conversation.bind(py), self.wanted)? {
            Step::Value(value) => Err(PyStopIteration::new_err((value.unbind(),))),
            Step::Later(future) => {
                let future = future.call_method0(intern!(py, "__await__"))?;
                let yielded = future.call_method0(intern!(py, "__next__"))?;
                *self.future.lock().unwrap_or_else(PoisonError::into_inner) = Some(future.unbind());
                Ok(yielded)
            }
        }
    }
}

#[pymethods]
impl Waiting {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py)
    }

    #[pyo3(signature = (_value, /))]
    fn send<'py>(&self, py: Python<'py>, _value: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py)
    }

    #[pyo3(signature = (kind, value=None, _traceback=None, /))]
    fn throw(
        &self,
        kind: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        drop(self.take_future());
        Err(thrown(kind, value)?)
    }

    fn close(&self) {
        drop(self.take_future());
    }
}

/// The exception that the arguments of `throw` stand for.
fn thrown(kind: &Bound<'_, PyAny>, value: Option<&Bound<'_, PyAny>>) -> PyResult<PyErr> {
    let is_exception =
        |object: &Bound<'_, PyAny>| object.is_instance_of::<pyo3::exceptions::PyBaseException>();
    match value {
        Some(value) if is_exception(value) => Ok(PyErr::from_value(value.clone())),
        _ if is_exception(kind) => Ok(PyErr::from_value(kind.clone())),
        _ if kind.is_callable() => {
            let made = value.map_or_else(|| kind.call0(), |value| kind.call1((value,)))?;
            Ok(PyErr::from_value(made))
        }
        _ => Err(PyTypeError::new_err("throw needs an exception")),
    }
}
