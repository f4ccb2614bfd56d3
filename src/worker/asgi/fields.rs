//! Header fields as ASGI wants them: pairs of bytes, the name in lower case.

use crate::words::{LONGEST_VALUE, Words, is_secret};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// The names met so far.
pub(super) struct Fields(Words<Name>);

/// A name, and the pair that it came in last: most values come again and again.
struct Name {
    name: Py<PyBytes>,
    last: Option<(Box<[u8]>, Py<PyTuple>)>,
    keeps: bool,
}

impl Fields {
    pub(super) fn new() -> Self {
        Self(Words::new())
    }

    /// The pair for a field as it was sent.
    pub(super) fn pair<'py>(
        &mut self,
        py: Python<'py>,
        sent: &[u8],
        value: &[u8],
    ) -> PyResult<Bound<'py, PyTuple>> {
        match self.0.get(sent, |sent| Name::new(py, sent)) {
            Some(name) => name.pair(py, value),
            None => pair(&make(py, sent), value),
        }
    }
}

impl Name {
    fn new(py: Python<'_>, sent: &[u8]) -> Self {
        Self { name: make(py, sent).unbind(), last: None, keeps: !is_secret(sent) }
    }

    fn pair<'py>(&mut self, py: Python<'py>, value: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
        if let Some((known, last)) = &self.last
            && **known == *value
        {
            return Ok(last.bind(py).clone());
        }
        let made = pair(self.name.bind(py), value)?;
        if self.keeps {
            self.last = (value.len() <= LONGEST_VALUE).then(|| (value.into(), made.clone().unbind()));
        }
        Ok(made)
    }
}

fn pair<'py>(name: &Bound<'py, PyBytes>, value: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    (name, PyBytes::new(name.py(), value)).into_pyobject(name.py())
}

fn make<'py>(py: Python<'py>, sent: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &sent.to_ascii_lowercase())
}
