//! Names of header fields as ASGI wants them: bytes in lower case.

use crate::words::Words;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The names met so far.
pub(super) struct Fields(Words<Py<PyBytes>>);

impl Fields {
    pub(super) fn new() -> Self {
        Self(Words::new())
    }

    pub(super) fn get<'py>(&mut self, py: Python<'py>, sent: &[u8]) -> Bound<'py, PyBytes> {
        match self.0.get(sent, |sent| make(py, sent).unbind()) {
            Some(name) => name.bind(py).clone(),
            None => make(py, sent),
        }
    }
}

fn make<'py>(py: Python<'py>, sent: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &sent.to_ascii_lowercase())
}
