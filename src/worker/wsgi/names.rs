//! Names of header fields as keys of the environment, kept for the names that come again and again.
//!
//! Clients choose the names, so the memory is bounded: one entry per place, the newest wins.

use pyo3::prelude::*;
use pyo3::types::PyString;

const PLACES: usize = 256;
const LONGEST: usize = 48;

/// What a field name means for the environment.
#[derive(Clone)]
pub(super) enum Name<'py> {
    /// Its value goes under this key.
    Key(Bound<'py, PyString>),
    /// It is not passed on: with an underscore it could be taken for another name.
    Dropped,
}

struct Entry<'py> {
    sent: Box<[u8]>,
    name: Name<'py>,
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

    /// The meaning of a name as it was sent.
    pub(super) fn get(&mut self, sent: &[u8]) -> Name<'py> {
        if sent.len() > LONGEST {
            return self.make(sent);
        }
        let place = place_of(sent);
        if let Some(entry) = &self.places[place]
            && *entry.sent == *sent
        {
            return entry.name.clone();
        }
        let name = self.make(sent);
        self.places[place] = Some(Entry { sent: sent.into(), name: name.clone() });
        name
    }

    fn make(&self, sent: &[u8]) -> Name<'py> {
        if sent.contains(&b'_') {
            return Name::Dropped;
        }
        let upper: String = sent.iter().map(|byte| upper_case(*byte)).collect();
        let key = match upper.as_str() {
            "CONTENT_TYPE" | "CONTENT_LENGTH" => upper,
            _ => format!("HTTP_{upper}"),
        };
        Name::Key(PyString::intern(self.py, &key))
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
