//! Variables of an environment that the access log asks for, as they are when the application is done with it.

use crate::access_facts::Variables;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Their values, for `names` in lower case; names of the environment may be written in any.
pub(crate) fn of(environ: &Bound<'_, PyDict>, names: &[String]) -> Variables {
    names.iter().map(|name| find(environ, name).map(|value| bytes(&value))).collect()
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
