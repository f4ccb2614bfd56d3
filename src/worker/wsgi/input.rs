//! `wsgi.input`. The body is complete before the call, so it is a plain `BytesIO` or a file; without a body it is
//! one object for all requests, as there is nothing in it that could change.

use http::Body;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyModule};
use std::os::fd::{AsFd, IntoRawFd};

/// Makes `wsgi.input`.
pub(super) struct Inputs<'py> {
    empty: Bound<'py, PyAny>,
    memory: Bound<'py, PyAny>,
    file: Bound<'py, PyAny>,
}

impl<'py> Inputs<'py> {
    pub(super) fn new(py: Python<'py>, helper: &Bound<'py, PyModule>) -> PyResult<Self> {
        Ok(Self {
            empty: Bound::new(py, EmptyInput)?.into_any(),
            memory: helper.getattr("memory_input")?,
            file: helper.getattr("file_input")?,
        })
    }

    pub(super) fn make(&self, body: &Body<'_>) -> PyResult<Bound<'py, PyAny>> {
        match body {
            // What arrives while it is answered has an input of its own.
            Body::Empty | Body::Arriving => Ok(self.empty.clone()),
            Body::Memory(bytes) => self.memory.call1((PyBytes::new(self.memory.py(), bytes),)),
            Body::Spooled { file, .. } => {
                let number = file.as_fd().try_clone_to_owned().map(IntoRawFd::into_raw_fd);
                self.file.call1((number?,))
            }
        }
    }
}

/// The body of a request that has none.
#[pyclass(frozen, module = "rcorn")]
struct EmptyInput;

#[pymethods]
impl EmptyInput {
    #[pyo3(signature = (size=None, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<isize>) -> Bound<'py, PyBytes> {
        let _ = size;
        PyBytes::new(py, b"")
    }

    #[pyo3(signature = (size=None, /))]
    fn readline<'py>(&self, py: Python<'py>, size: Option<isize>) -> Bound<'py, PyBytes> {
        self.read(py, size)
    }

    #[pyo3(signature = (hint=None, /))]
    fn readlines<'py>(&self, py: Python<'py>, hint: Option<isize>) -> Bound<'py, PyList> {
        let _ = hint;
        PyList::empty(py)
    }

    fn __iter__<'py>(slf: PyRef<'py, Self>) -> PyRef<'py, Self> {
        slf
    }

    fn __next__(&self) -> Option<Py<PyAny>> {
        None
    }
}
