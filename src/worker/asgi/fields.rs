//! Names of header fields as bytes in lower case, kept for the names that come again and again.
//!
//! Clients choose the names, so the memory is bounded: one entry per place, the newest wins.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

const PLACES: usize = 256;
const LONGEST: usize = 48;

struct Entry {
    sent: Box<[u8]>,
    name: Py<PyBytes>,
}

/// The names met so far.
pub(super) struct Fields {
    places: Vec<Option<Entry>>,
}

impl Fields {
    pub(super) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| None).collect() }
    }

    /// The name as ASGI wants it.
    pub(super) fn get<'py>(&mut self, py: Python<'py>, sent: &[u8]) -> Bound<'py, PyBytes> {
        if sent.len() > LONGEST {
            return make(py, sent);
        }
        let place = place_of(sent);
        if let Some(entry) = &self.places[place]
            && *entry.sent == *sent
        {
            return entry.name.bind(py).clone();
        }
        let name = make(py, sent);
        self.places[place] = Some(Entry { sent: sent.into(), name: name.clone().unbind() });
        name
    }
}

fn make<'py>(py: Python<'py>, sent: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &sent.to_ascii_lowercase())
}

/// FNV-1a over the name.
fn place_of(name: &[u8]) -> usize {
    let hash =
        name.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash ^ hash >> 16) as usize % PLACES
}
