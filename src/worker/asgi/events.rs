//! What the application puts into an event, and what is wrong with it.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

/// The event as the dictionary that it has to be.
pub(super) fn event<'a, 'py>(event: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyDict>> {
    event.cast().map_err(|_| {
        let found = event.get_type().to_string();
        PyTypeError::new_err(format!("an ASGI event must be a dict, not {found}"))
    })
}

/// A value that has to be there.
pub(super) fn required<'py>(
    event: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    event
        .get_item(key)?
        .ok_or_else(|| PyValueError::new_err(format!("the ASGI event has no {key:?}: {event:?}")))
}

/// Is the value there, and true?
pub(super) fn is_set(event: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<bool> {
    event.get_item(key)?.map_or(Ok(false), |value| value.is_truthy())
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

/// The header fields of an event. Nothing of the application runs while they are looked at later.
pub(super) fn headers<'py>(value: Option<Bound<'py, PyAny>>) -> PyResult<Vec<Header<'py>>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if let Ok(list) = value.cast::<PyList>() {
        return list.iter().map(|pair| header(&pair)).collect();
    }
    value.try_iter()?.map(|pair| header(&pair?)).collect()
}

/// Name and value.
pub(super) type Header<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

fn header<'py>(pair: &Bound<'py, PyAny>) -> PyResult<Header<'py>> {
    let (name, value) = match pair.cast::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => (pair.get_item(0)?, pair.get_item(1)?),
        _ if pair.len().is_ok_and(|length| length == 2) => (pair.get_item(0)?, pair.get_item(1)?),
        _ => {
            return Err(PyTypeError::new_err(format!(
                "a header must be a pair of name and value, not {pair:?}"
            )));
        }
    };
    Ok((bytes(name, "a header name")?, bytes(value, "a header value")?))
}
