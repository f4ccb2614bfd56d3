//! Names of header fields as keys of the environment.

use crate::words::Words;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The names met so far.
pub(super) struct Names<'py> {
    py: Python<'py>,
    words: Words<Bound<'py, PyString>>,
}

impl<'py> Names<'py> {
    pub(super) fn new(py: Python<'py>) -> Self {
        Self { py, words: Words::new() }
    }

    /// The key for a name as it was sent. Equal keys are the same object.
    pub(super) fn get(&mut self, sent: &[u8]) -> Bound<'py, PyString> {
        let py = self.py;
        match self.words.get(sent, |sent| make(py, sent)) {
            Some(key) => key.clone(),
            None => make(py, sent),
        }
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
