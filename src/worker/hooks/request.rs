//! Requests that hooks see: `python/passage.py` calls the functions, here is what it is told of the request.

use super::Hooks;
use crate::words;
use http::{Request, Version};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use sys::socket::Address;

/// A request under `pre_request` and `post_request`.
pub(crate) struct Passage<'py>(Bound<'py, PyAny>);

impl Hooks {
    /// A request comes.
    pub(crate) fn passage<'py>(&self, py: Python<'py>, request: &Request<'_>) -> PyResult<Passage<'py>> {
        let version = if request.version() == Version::Http10 { (1, 0) } else { (1, 1) };
        let scheme = if request.is_https() { "https" } else { "http" };
        let words = (
            words::method(py, request.method()),
            request.target(),
            request.whole_path(),
            request.query(),
            version,
            headers(py, request)?,
            scheme,
            peer(py, request)?,
        );
        self.object(py).call_method1(intern!(py, "passage"), words).map(Passage)
    }
}

impl<'py> Passage<'py> {
    /// The one that was kept.
    pub(crate) fn again(kept: Bound<'py, PyAny>) -> Self {
        Self(kept)
    }

    pub(crate) fn py(&self) -> Python<'py> {
        self.0.py()
    }

    /// To be kept.
    pub(crate) fn keep(self) -> Py<PyAny> {
        self.0.unbind()
    }

    /// `pre_request`.
    pub(crate) fn begin(&self) -> PyResult<()> {
        self.0.call_method0(intern!(self.0.py(), "begin")).map(drop)
    }

    /// The `start_response` that the application is to be called with.
    pub(crate) fn watch(
        &self,
        environ: &Bound<'py, PyAny>,
        start_response: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.0.call_method1(intern!(self.0.py(), "watch"), (environ, start_response))
    }

    /// The `send` that the application is to be called with.
    pub(crate) fn watch_send(
        &self,
        scope: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.0.call_method1(intern!(self.0.py(), "watch_send"), (scope, send))
    }

    /// `post_request`, with the status and the bytes that were sent.
    pub(crate) fn end(&self, (status, sent): (u16, u64)) -> PyResult<()> {
        self.0.call_method1(intern!(self.0.py(), "end"), (status, sent)).map(drop)
    }

    /// `post_request` of a task. `status` is our own answer, where the task has sent none.
    pub(crate) fn end_task(&self, status: u16) -> PyResult<()> {
        self.0.call_method1(intern!(self.0.py(), "end_task"), (status,)).map(drop)
    }
}

/// As Gunicorn has them: pairs of text, names in upper case.
fn headers<'py>(py: Python<'py>, request: &Request<'_>) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (name, value) in request.headers() {
        let name = words::latin1(py, &name.to_ascii_uppercase())?;
        list.append((name, words::latin1(py, value)?))?;
    }
    Ok(list)
}

fn peer<'py>(py: Python<'py>, request: &Request<'_>) -> PyResult<Bound<'py, PyAny>> {
    match request.peer() {
        Address::Tcp(address) => Ok((address.ip().to_string(), address.port()).into_pyobject(py)?.into_any()),
        _ => Ok(PyString::new(py, "").into_any()),
    }
}
