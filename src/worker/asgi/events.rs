//! What the application puts into an event, and what is wrong with it.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

/// An event, with what most of them have.
pub(super) struct Event<'a, 'py> {
    pub(super) dict: &'a Bound<'py, PyDict>,
    pub(super) kind: Option<Bound<'py, PyAny>>,
    pub(super) status: Option<Bound<'py, PyAny>>,
    pub(super) headers: Option<Bound<'py, PyAny>>,
    pub(super) trailers: Option<Bound<'py, PyAny>>,
    pub(super) body: Option<Bound<'py, PyAny>>,
    pub(super) more_body: Option<Bound<'py, PyAny>>,
}

impl<'a, 'py> Event<'a, 'py> {
    pub(super) fn of(event: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        let py = event.py();
        let dict = event.cast().map_err(|_| {
            let found = event.get_type().to_string();
            PyTypeError::new_err(format!("an ASGI event must be a dict, not {found}"))
        })?;
        let keys = [
            intern!(py, "type"),
            intern!(py, "status"),
            intern!(py, "headers"),
            intern!(py, "trailers"),
            intern!(py, "body"),
            intern!(py, "more_body"),
        ];
        let [kind, status, headers, trailers, body, more_body] = values(dict, keys)?;
        Ok(Self { dict, kind, status, headers, trailers, body, more_body })
    }

    /// A value that has to be there.
    pub(super) fn required<'v>(
        &self,
        value: &'v Option<Bound<'py, PyAny>>,
        key: &str,
    ) -> PyResult<&'v Bound<'py, PyAny>> {
        value.as_ref().ok_or_else(|| is_missing(self.dict, key))
    }
}

/// What a dictionary has under these keys, found in one pass: a search for each costs more than that.
fn values<'py, const N: usize>(
    dict: &Bound<'py, PyDict>,
    keys: [&Bound<'py, PyString>; N],
) -> PyResult<[Option<Bound<'py, PyAny>>; N]> {
    let (mut values, mut found) = ([const { None }; N], 0);
    for (key, value) in dict {
        // What is written in a program is the same object everywhere.
        if let Some(place) = keys.iter().position(|known| key.is(*known)) {
            values[place] = Some(value);
            found += 1;
        }
    }
    if found < dict.len() {
        for (value, key) in values.iter_mut().zip(keys).filter(|(value, _)| value.is_none()) {
            *value = dict.get_item(key)?;
        }
    }
    Ok(values)
}

fn is_missing(event: &Bound<'_, PyDict>, key: &str) -> PyErr {
    PyValueError::new_err(format!("the ASGI event has no '{key}': {event:?}"))
}

/// A value that has to be there.
pub(super) fn required<'py>(
    event: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    event.get_item(key)?.ok_or_else(|| is_missing(event, &key.to_string()))
}

/// Is the value there, and true?
pub(super) fn is_set(event: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<bool> {
    is_true(event.get_item(key)?.as_ref())
}

pub(super) fn is_true(value: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    value.map_or(Ok(false), Bound::is_truthy)
}

/// Bytes, as whatever keeps them.
pub(super) fn bytes<'py>(value: Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyBytes>> {
    let value = match value.cast_into::<PyBytes>() {
        Ok(bytes) => return Ok(bytes),
        Err(error) => error.into_inner(),
    };
    let py = value.py();
    let is_buffer = ["bytearray", "memoryview"].iter().any(|name| {
        py.import("builtins")
            .and_then(|builtins| value.is_instance(&builtins.getattr(*name)?))
            .unwrap_or(false)
    });
    if is_buffer {
        return Ok(py.get_type::<PyBytes>().call1((value,))?.cast_into()?);
    }
    Err(PyTypeError::new_err(format!("{what} must be bytes, not {}", value.get_type().name()?)))
}

/// The header fields of an event, as pairs of bytes: nothing of the application runs while they are looked at later.
#[derive(Default)]
pub(super) struct Headers<'py>(Option<Bound<'py, PyList>>);

impl<'py> Headers<'py> {
    pub(super) fn of(value: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let Some(value) = value else { return Ok(Self::default()) };
        let is_plain = |list: &Bound<'py, PyList>| list.iter().all(|pair| look(&pair, |_, _| ()).is_some());
        if let Ok(list) = value.cast_exact::<PyList>()
            && is_plain(list)
        {
            return Ok(Self(Some(list.clone())));
        }
        let pairs: PyResult<Vec<_>> = value.try_iter()?.map(|pair| header(&pair?)).collect();
        PyList::new(value.py(), pairs?).map(|list| Self(Some(list)))
    }

    /// Gives each name with its value.
    pub(super) fn each<E>(&self, mut take: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.0.iter().flatten().try_for_each(|pair| look(&pair, &mut take).unwrap_or(Ok(())))
    }

    /// To be kept.
    pub(super) fn to_vec(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let pairs = self.0.iter().flatten();
        pairs.filter_map(|pair| look(&pair, |name, value| (name.to_vec(), value.to_vec()))).collect()
    }
}

/// Looks at name and value, if they are in the form that they usually come in.
fn look<R>(pair: &Bound<'_, PyAny>, take: impl FnOnce(&[u8], &[u8]) -> R) -> Option<R> {
    let pair = pair.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2)?;
    let (name, value) = (pair.get_borrowed_item(0).ok()?, pair.get_borrowed_item(1).ok()?);
    let (name, value) = (name.cast::<PyBytes>().ok()?, value.cast::<PyBytes>().ok()?);
    Some(take(name.as_bytes(), value.as_bytes()))
}

/// Name and value.
type Header<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

fn header<'py>(pair: &Bound<'py, PyAny>) -> PyResult<Header<'py>> {
    if !pair.len().is_ok_and(|length| length == 2) {
        return Err(PyTypeError::new_err(format!("a header must be a pair of name and value, not {pair:?}")));
    }
    Ok((bytes(pair.get_item(0)?, "a header name")?, bytes(pair.get_item(1)?, "a header value")?))
}
