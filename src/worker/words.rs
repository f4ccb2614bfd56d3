//! Words of requests as objects of Python, kept for those that come again and again.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

const PLACES: usize = 256;
const LONGEST: usize = 48;

/// Longer values of fields are made anew each time.
pub(crate) const LONGEST_VALUE: usize = 256;
/// Fields whose values are not kept longer than their request.
const SECRETS: [&str; 3] = ["cookie", "authorization", "proxy-authorization"];

/// May the value that comes with this name not be kept?
pub(crate) fn is_secret(name: &[u8]) -> bool {
    SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
}

/// What was made of words. Clients choose them, so the memory is bounded: one entry per place, the newest wins.
pub(crate) struct Words<V> {
    places: Vec<Option<(Box<[u8]>, V)>>,
}

impl<V> Words<V> {
    pub(crate) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| None).collect() }
    }

    /// What `make` makes of the word, or made of it before; `None` when that is too long to be kept.
    pub(crate) fn get(&mut self, word: &[u8], make: impl FnOnce(&[u8]) -> V) -> Option<&mut V> {
        if word.len() > LONGEST {
            return None;
        }
        let place = &mut self.places[place_of(word)];
        if place.as_ref().is_some_and(|(known, _)| **known != *word) {
            *place = None;
        }
        Some(&mut place.get_or_insert_with(|| (word.into(), make(word))).1)
    }
}

/// FNV-1a over the word.
fn place_of(word: &[u8]) -> usize {
    let hash =
        word.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash ^ hash >> 16) as usize % PLACES
}

/// A method of HTTP.
pub(crate) fn method<'py>(py: Python<'py>, method: &str) -> Bound<'py, PyString> {
    match method {
        "GET" => intern!(py, "GET").clone(),
        "POST" => intern!(py, "POST").clone(),
        "HEAD" => intern!(py, "HEAD").clone(),
        other => PyString::new(py, other),
    }
}

/// Bytes as PEP 3333 wants them: each one a character.
pub(crate) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    // SAFETY: pointer and length are of one live slice; the result is a new reference or null with an error set.
    unsafe {
        let text = pyo3::ffi::PyUnicode_DecodeLatin1(
            bytes.as_ptr().cast(),
            bytes.len().cast_signed(),
            std::ptr::null(),
        );
        Ok(Bound::from_owned_ptr_or_err(py, text)?.cast_into_unchecked())
    }
}
