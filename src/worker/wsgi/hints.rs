//! `wsgi.early_hints`: a callable that sends 103 for the request that is being answered. One object serves all
//! requests, so that it costs those nothing that do not use it.

use super::start::{State, fields};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

/// The callable.
#[pyclass(frozen, module = "rcorn")]
pub(super) struct EarlyHints {
    /// Where the reply of the current request is.
    state: Mutex<Py<State>>,
}

impl EarlyHints {
    pub(super) fn new(state: Py<State>) -> Self {
        Self { state: Mutex::new(state) }
    }

    /// From now on the replies are there.
    pub(super) fn follow(&self, state: Py<State>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

#[pymethods]
impl EarlyHints {
    #[pyo3(signature = (headers, /))]
    fn __call__(&self, py: Python<'_>, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone_ref(py);
        let fields = fields(headers)?;
        let fields = fields.iter().map(|(name, value)| (&name[..], &value[..]));
        state.get().with(|reply| reply.hint(fields).map_err(|error| PyValueError::new_err(error.to_string())))
    }
}
