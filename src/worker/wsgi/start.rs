//! `start_response` and the `write` that it returns, as two bound methods of one object that serves many requests.
//!
//! The object is used again unless the application kept a reference; what it kept then only says that it is too late.

use super::hints::EarlyHints;
use crate::lane::Lane;
use http::{Flow, Reply};
use pyo3::exceptions::{PyAssertionError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use std::borrow::Cow;
use std::os::fd::BorrowedFd;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The pooled object and its methods.
pub(super) struct StartResponse<'py> {
    state: Bound<'py, State>,
    start: Bound<'py, PyAny>,
    hints: Bound<'py, EarlyHints>,
}

impl<'py> StartResponse<'py> {
    pub(super) fn new(py: Python<'py>, lane: Arc<Lane>) -> PyResult<Self> {
        let (state, start) = State::with_methods(py, lane)?;
        let hints = Bound::new(py, EarlyHints::new(state.clone().unbind()))?;
        Ok(Self { state, start, hints })
    }

    /// What the application is called with.
    pub(super) fn callable(&self) -> &Bound<'py, PyAny> {
        &self.start
    }

    /// What its methods share.
    pub(super) fn state(&self) -> &Bound<'py, State> {
        &self.state
    }

    /// `wsgi.early_hints`.
    pub(super) fn early_hints(&self) -> &Bound<'py, PyAny> {
        self.hints.as_any()
    }

    /// Lends `reply` to `run`, and to the methods as long as that runs.
    pub(super) fn lend<R>(&mut self, reply: &mut Reply<'_>, run: impl FnOnce(&State) -> R) -> R {
        self.state.get().reply.store(std::ptr::from_mut(reply).cast(), Relaxed);
        let result = run(self.state.get());
        self.state.get().reply.store(null_mut(), Relaxed);
        result
    }

    /// To be called between requests: replaces the object when the application kept a method of it.
    pub(super) fn renew(&mut self) -> PyResult<()> {
        let write_kept = self.state.get().writer().as_ref().is_some_and(|write| kept(write.as_ptr()));
        if write_kept || kept(self.start.as_ptr()) {
            let lane = Arc::clone(&self.state.get().lane);
            let (state, start) = State::with_methods(self.start.py(), lane)?;
            self.hints.get().follow(state.clone().unbind());
            self.start = start;
            *std::mem::replace(&mut self.state, state).get().writer() = None;
        }
        Ok(())
    }
}

/// Does anybody beside us hold a reference?
fn kept(object: *mut pyo3::ffi::PyObject) -> bool {
    // SAFETY: the caller holds a reference, and the GIL.
    unsafe { pyo3::ffi::Py_REFCNT(object) > 1 }
}

/// How sending a piece went.
#[derive(PartialEq, Eq)]
pub(super) enum Sent {
    /// On its way.
    Yes,
    /// There is nobody any more to send it to.
    Nobody,
}

/// What the two methods share: the reply of the request that is being answered.
#[pyclass(frozen, module = "rcorn", name = "StartResponse")]
pub(super) struct State {
    reply: AtomicPtr<Reply<'static>>,
    /// Refers to this object in turn, so it has to be taken out for both to end.
    write: Mutex<Option<Py<PyAny>>>,
    lane: Arc<Lane>,
}

impl State {
    /// With its `start_response`; its `write` is inside.
    fn with_methods(py: Python<'_>, lane: Arc<Lane>) -> PyResult<(Bound<'_, Self>, Bound<'_, PyAny>)> {
        let (reply, write) = (AtomicPtr::new(null_mut()), Mutex::new(None));
        let state = Bound::new(py, Self { reply, write, lane })?;
        *state.get().writer() = Some(state.getattr("write")?.unbind());
        let start = state.getattr("start_response")?;
        Ok((state, start))
    }

    fn writer(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        // Whoever panicked with it left it whole: there is nothing but one assignment.
        self.write.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` with the reply, which nobody else can reach meanwhile.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Reply<'_>) -> PyResult<R>) -> PyResult<R> {
        let pointer = self.reply.swap(null_mut(), Relaxed);
        if pointer.is_null() {
            return Err(PyRuntimeError::new_err(
                "the response to this request is over, or used by another thread",
            ));
        }
        // SAFETY: `lend` stored the pointer of a reply that outlives its `run`, and `run` is still on the stack, as
        // the pointer is taken back there. Taking it out makes this the only reference.
        let result = work(unsafe { &mut *pointer });
        self.reply.store(pointer, Relaxed);
        result
    }

    /// Sends a piece of the body; waits without the GIL while the client is slow.
    pub(super) fn send(&self, piece: &Bound<'_, PyAny>, last: bool) -> PyResult<Sent> {
        let Some(piece) = piece_to_send(piece, last)? else { return Ok(Sent::Yes) };
        self.with(|reply| {
            expect_head(reply)?;
            let sent = match reply.write(piece.as_bytes(), last) {
                Ok(Flow::Ready) => Ok(()),
                Ok(Flow::Full) => piece.py().detach(|| self.lane.wait_for_client(|| reply.wait_for_room())),
                Err(error) => Err(error),
            };
            if !last {
                self.lane.made_progress();
            }
            Ok(if sent.is_ok() { Sent::Yes } else { Sent::Nobody })
        })
    }
}

impl State {
    /// Sends part of a file as the whole body; `None` when something else was said already.
    pub(super) fn send_file(
        &self,
        py: Python<'_>,
        file: BorrowedFd<'_>,
        (offset, length): (u64, u64),
    ) -> PyResult<Option<Sent>> {
        self.with(|reply| {
            if !reply.takes_file() {
                return Ok(None);
            }
            let sent = py.detach(|| reply.write_file(file, offset, length));
            Ok(Some(if sent.is_ok() { Sent::Yes } else { Sent::Nobody }))
        })
    }
}

#[pymethods]
impl State {
    #[pyo3(signature = (status, response_headers, exc_info=None, /))]
    fn start_response(
        &self,
        py: Python<'_>,
        status: &Bound<'_, PyAny>,
        response_headers: &Bound<'_, PyAny>,
        exc_info: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.with(|reply| start(reply, status, response_headers, exc_info))?;
        let write = self.writer().as_ref().map(|write| write.clone_ref(py));
        write.ok_or_else(|| PyRuntimeError::new_err("the response to this request is over"))
    }

    #[pyo3(signature = (data, /))]
    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        // Whether anybody still listens is no business of an application that pushes.
        self.send(data, false).map(drop)
    }
}

/// The exception that an `exc_info` triple is about.
fn raised(exc_info: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    Ok(PyErr::from_value(exc_info.get_item(1)?))
}

/// What `start_response` does, less the `write` that it returns.
pub(crate) fn start(
    reply: &mut Reply<'_>,
    status: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    exc_info: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    match exc_info {
        Some(exc_info) if reply.is_sent() => Err(raised(exc_info)?),
        None if reply.has_begun() => {
            Err(PyAssertionError::new_err("start_response was called a second time without exc_info"))
        }
        _ => begin(reply, status, headers),
    }
}

/// A piece of the body; nothing when nothing is to be sent for it.
pub(crate) fn piece_to_send<'a, 'py>(
    piece: &'a Bound<'py, PyAny>,
    last: bool,
) -> PyResult<Option<&'a Bound<'py, PyBytes>>> {
    match piece.cast::<PyBytes>() {
        Ok(bytes) => Ok((last || !bytes.as_bytes().is_empty()).then_some(bytes)),
        Err(_) => {
            let found = piece.get_type().name()?;
            Err(PyTypeError::new_err(format!("a piece of the response must be bytes, not {found}")))
        }
    }
}

/// The body comes behind the head.
pub(crate) fn expect_head(reply: &Reply<'_>) -> PyResult<()> {
    if reply.has_begun() {
        return Ok(());
    }
    Err(PyAssertionError::new_err("a piece of the response came before start_response was called"))
}

fn begin(reply: &mut Reply<'_>, status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<()> {
    let bad = |error: http::BadHead| PyValueError::new_err(error.to_string());
    reply.begin(&text(status, "the status")?).map_err(bad)?;
    for field in headers.try_iter()? {
        let (name, value) = pair(&field?)?;
        let (name, value) = (text(&name, "a header name")?, text(&value, "a header value")?);
        reply.header(&name, &value).map_err(bad)?;
    }
    Ok(())
}

/// A list of header fields as bytes.
pub(crate) fn fields(headers: &Bound<'_, PyAny>) -> PyResult<Vec<(Vec<u8>, Vec<u8>)>> {
    let field = |field: PyResult<Bound<'_, PyAny>>| {
        let (name, value) = pair(&field?)?;
        Ok((text(&name, "a header name")?.into_owned(), text(&value, "a header value")?.into_owned()))
    };
    headers.try_iter()?.map(field).collect()
}

fn pair<'py>(field: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    match field.cast::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => Ok((pair.get_item(0)?, pair.get_item(1)?)),
        _ => Err(PyTypeError::new_err(format!("a header must be a tuple of name and value, not {field:?}"))),
    }
}

/// A native string of PEP 3333 as the bytes that it stands for.
fn text<'a>(value: &'a Bound<'_, PyAny>, what: &str) -> PyResult<Cow<'a, [u8]>> {
    let Ok(string) = value.cast::<PyString>() else {
        let found = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!("{what} must be str, not {found}: {value:?}")));
    };
    match string.to_str() {
        Ok(ascii) if ascii.is_ascii() => Ok(Cow::Borrowed(ascii.as_bytes())),
        _ => {
            let encoded = string.call_method1(intern!(string.py(), "encode"), ("latin-1",))?;
            Ok(Cow::Owned(encoded.cast_into::<PyBytes>()?.as_bytes().to_vec()))
        }
    }
}
