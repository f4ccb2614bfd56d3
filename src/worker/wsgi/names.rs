//! Names of header fields as keys of the environment, kept for the names that come again and again.
//!
//! Clients choose the names, so the memory is bounded: one entry per place, the newest wins.

use pyo3::prelude::*;
use pyo3::types::PyString;

const PLACES: usize = 256;
const LONGEST: usize = 48;

struct Entry<'py> {
    sent: Box<[u8]>,
    key: Bound<'py, PyString>,
}

/// The names met so far.
pub(super) struct Names<'py> {
    py: Python<'py>,
    places: Vec<Option<Entry<'py>>>,
}

impl<'py> Names<'py> {
    pub(super) fn new(py: Python<'py>) -> Self {
        Self { py, places: (0..PLACES).map(|_| None).collect() }
    }

    /// The key for a name as it was sent. Equal keys are the same object.
    pub(super) fn get(&mut self, sent: &[u8]) -> Bound<'py, PyString> {
        if sent.len() > LONGEST {
            return self.make(sent);
        }
        let place = place_of(sent);
        if let Some(entry) = &self.places[place]
            && *entry.sent == *sent
        {
            return entry.key.clone();
        }
        let key = self.make(sent);
        self.places[place] = Some(Entry { sent: sent.into(), key: key.clone() });
        key
    }

    fn make(&self, sent: &[u8]) -> Bound<'py, PyString> {
        let upper: String = sent.iter().map(|byte| upper_case(*byte)).collect();
        let key = match upper.as_str() {
            // With an underscore of its own it is a field like any other.
            "CONTENT_TYPE" | "CONTENT_LENGTH" if !sent.contains(&b'_') => upper,
            _ => format!("HTTP_{upper}"),
        };
        PyString::intern(self.py, &key)
    }
}

fn upper_case(byte: u8) -> char {
    if byte == b'-' { '_' } else { byte.to_ascii_uppercase().into() }
}

/// FNV-1a over the name.
fn place_of(name: &[u8]) -> usize {
    let hash =
        name.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash ^ hash >> 16) as usize % PLACES
}
