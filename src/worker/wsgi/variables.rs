//! What the access log wants of an environment, as that is when the application is done with it.

use crate::access_facts::{Noted, Wanted};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// What is wanted, for whoever keeps the books. Names in formats are in lower case; those of an environment in any.
pub(crate) fn note(environ: &Bound<'_, PyDict>, wanted: &Wanted) -> Option<http::Remark> {
    let value = |name: &String| find(environ, name).map(|value| bytes(&value));
    Some(Box::new(match wanted {
        Wanted::Nothing => return None,
        Wanted::Variables(names) => Noted::Variables(names.iter().map(value).collect()),
        Wanted::Environ => Noted::Environ(environ.clone().unbind()),
    }))
}

fn find<'py>(environ: &Bound<'py, PyDict>, name: &str) -> Option<Bound<'py, PyAny>> {
    let known = |name: &str| environ.get_item(name).ok().flatten();
    known(&name.to_ascii_uppercase()).or_else(|| known(name)).or_else(|| {
        let mut all = environ.iter();
        all.find(|(key, _)| key.extract::<String>().is_ok_and(|key| key.to_lowercase() == name))
            .map(|(_, value)| value)
    })
}

/// PEP 3333: each character of a text is a byte. What is more than that is of the application's own making.
fn bytes(value: &Bound<'_, PyAny>) -> Vec<u8> {
    let text = value.str().map(|text: Bound<'_, PyString>| text.to_string_lossy().into_owned());
    let text = text.unwrap_or_default();
    let narrow = text.chars().map(|character| u8::try_from(u32::from(character)));
    narrow.collect::<Result<_, _>>().unwrap_or_else(|_| text.clone().into_bytes())
}
