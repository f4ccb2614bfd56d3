//! Names of header fields as keys of the environment.

use crate::words::{LONGEST_VALUE, Words, is_secret, latin1};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The names met so far.
pub(super) struct Names<'py> {
    py: Python<'py>,
    words: Words<Name<'py>>,
}

/// A name, and the value that came with it last: most values come again and again.
struct Name<'py> {
    key: Bound<'py, PyString>,
    last: Option<Bound<'py, PyString>>,
    keeps: bool,
}

impl<'py> Names<'py> {
    pub(super) fn new(py: Python<'py>) -> Self {
        Self { py, words: Words::new() }
    }

    /// The key for a name as it was sent. Equal keys are the same object.
    pub(super) fn get(&mut self, sent: &[u8]) -> Bound<'py, PyString> {
        let py = self.py;
        match self.words.get(sent, |sent| Name::new(py, sent)) {
            Some(name) => name.key.clone(),
            None => make(py, sent),
        }
    }

    /// The key for a name as it was sent, and its value.
    pub(super) fn field(
        &mut self,
        sent: &[u8],
        value: &[u8],
    ) -> PyResult<(Bound<'py, PyString>, Bound<'py, PyString>)> {
        let py = self.py;
        match self.words.get(sent, |sent| Name::new(py, sent)) {
            Some(name) => Ok((name.key.clone(), name.value(py, value)?)),
            None => Ok((make(py, sent), latin1(py, value)?)),
        }
    }
}

impl<'py> Name<'py> {
    fn new(py: Python<'py>, sent: &[u8]) -> Self {
        Self { key: make(py, sent), last: None, keeps: !is_secret(sent) }
    }

    fn value(&mut self, py: Python<'py>, value: &[u8]) -> PyResult<Bound<'py, PyString>> {
        // As both are ASCII, the same bytes are the same text.
        if let Some(last) = &self.last
            && last.to_str().is_ok_and(|known| known.as_bytes() == value)
        {
            return Ok(last.clone());
        }
        let made = latin1(py, value)?;
        if self.keeps {
            self.last = (value.len() <= LONGEST_VALUE && value.is_ascii()).then(|| made.clone());
        }
        Ok(made)
    }
}

fn make<'py>(py: Python<'py>, sent: &[u8]) -> Bound<'py, PyString> {
    let upper: String = sent.iter().map(|byte| upper_case(*byte)).collect();
    let key = match upper.as_str() {
        // With an underscore of its own it is a field like any other.
        "CONTENT_TYPE" | "CONTENT_LENGTH" if !sent.contains(&b'_') => upper,
        _ => format!("HTTP_{upper}"),
    };
    PyString::intern(py, &key)
}

fn upper_case(byte: u8) -> char {
    if byte == b'-' { '_' } else { byte.to_ascii_uppercase().into() }
}
