//! One request that is out, as the helper in Python sees it. Nothing here waits: what would have to is told so.

use crate::access_facts::Wanted;
use crate::loop_lanes::LoopLane;
use crate::overdue;
use crate::wsgi::{expect_head, fields, finish, part_of_file, piece_to_send, start, tell, variables};
use http::{Exchange, Flow, Inflow, Piece};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};

/// A request to be answered.
#[pyclass(frozen, module = "rcorn")]
pub(super) struct Job {
    #[pyo3(get)]
    key: usize,
    inflow: Option<Arc<Inflow>>,
    /// `None` when it has ended.
    out: Mutex<Option<Out>>,
}

/// What there is of a request until its end.
pub(super) struct Out {
    pub(super) exchange: Exchange,
    /// Its place where the arbiter sees it.
    pub(super) lane: LoopLane,
    /// The environment, and what the access log wants of it. It refers to the job, so that may not keep it for longer.
    pub(super) noted: Option<(Py<PyDict>, Wanted)>,
}

/// How sending went.
const SENT: u8 = 0;
const FULL: u8 = 1;
const NOBODY: u8 = 2;

fn told(flow: &io::Result<Flow>) -> u8 {
    match flow {
        Ok(Flow::Ready) => SENT,
        Ok(Flow::Full) => FULL,
        Err(_) => NOBODY,
    }
}

impl Job {
    pub(super) fn new(out: Out) -> Self {
        let (key, inflow) = (out.exchange.key(), out.exchange.inflow().map(Arc::clone));
        Self { key, inflow, out: Mutex::new(Some(out)) }
    }

    /// What it is, for the log.
    fn name(&self) -> String {
        self.with(|exchange| Ok(overdue::named(&exchange.request()))).unwrap_or_default()
    }

    /// Runs `work`, which must call nothing of the application.
    fn with<R>(&self, work: impl FnOnce(&mut Exchange) -> PyResult<R>) -> PyResult<R> {
        // Whoever panicked with it left it whole.
        match &mut *self.out.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(out) => work(&mut out.exchange),
            None => Err(PyRuntimeError::new_err("the response to this request is over")),
        }
    }
}

#[pymethods]
impl Job {
    /// Is the body of the request still arriving?
    #[getter]
    fn is_arriving(&self) -> bool {
        self.inflow.is_some()
    }

    /// `start_response`, less the `write` that it returns.
    #[pyo3(signature = (status, headers, exc_info=None, /))]
    fn start(
        &self,
        status: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        exc_info: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        // Taken in first: an iterator of the application may switch greenlets.
        let headers = status.py().get_type::<pyo3::types::PyList>().call1((headers,))?;
        self.with(|exchange| start(&mut exchange.reply(), status, &headers, exc_info))
    }

    /// Sends a piece of the body.
    #[pyo3(signature = (piece, last, /))]
    fn send(&self, piece: &Bound<'_, PyAny>, last: bool) -> PyResult<u8> {
        let Some(piece) = piece_to_send(piece, last)? else { return Ok(SENT) };
        self.with(|exchange| {
            let mut reply = exchange.reply();
            expect_head(&reply)?;
            let sent = reply.write(piece.as_bytes(), last);
            Ok(told(&sent.map(|_| exchange.leave_rest())))
        })
    }

    /// Sends what is left of a wrapped file as the whole body; `None` when it has to be read piece by piece.
    #[pyo3(signature = (file, /))]
    fn send_file(&self, file: &Bound<'_, PyAny>) -> PyResult<Option<u8>> {
        let Some((descriptor, offset, length)) = part_of_file(file)? else { return Ok(None) };
        // SAFETY: `part_of_file` took the number from the open file that the caller holds.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        self.with(|exchange| {
            let mut reply = exchange.reply();
            if !reply.takes_file() {
                return Ok(None);
            }
            let sent = reply.write_file(descriptor, offset, length);
            Ok(Some(told(&sent.map(|()| exchange.leave_rest()))))
        })
    }

    /// After something has happened: is there room for more?
    fn use_room(&self) -> PyResult<u8> {
        self.with(|exchange| Ok(told(&exchange.use_room())))
    }

    /// `wsgi.early_hints`.
    #[pyo3(signature = (headers, /))]
    fn hint(&self, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        let fields = fields(headers)?;
        let fields = fields.iter().map(|(name, value)| (&name[..], &value[..]));
        self.with(|exchange| {
            exchange.reply().hint(fields).map_err(|error| PyValueError::new_err(error.to_string()))?;
            exchange.leave_rest();
            Ok(())
        })
    }

    /// Up to `most` bytes of the body, none at its end, `None` when there are none yet.
    #[pyo3(signature = (most, /))]
    fn read<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let Some(inflow) = &self.inflow else { return Ok(Some(PyBytes::new(py, b""))) };
        if inflow.expects_continue() {
            // Where the response is over, so is the body.
            let _ = self.with(|exchange| {
                exchange.reply().go_on();
                exchange.leave_rest();
                Ok(())
            });
        }
        match inflow.take(most.max(1)) {
            Ok(Piece::Bytes(bytes)) => Ok(Some(PyBytes::new(py, &bytes))),
            Ok(Piece::End) => Ok(Some(PyBytes::new(py, b""))),
            Ok(Piece::Pending) => Ok(None),
            Err(refusal) => Err(PyOSError::new_err(refusal.why)),
        }
    }

    /// The application has returned, and everything was sent.
    fn finish(&self) -> PyResult<()> {
        self.with(|exchange| finish(&mut exchange.reply()))
    }

    /// The application has failed with this exception.
    #[pyo3(signature = (error, /))]
    fn fail(&self, py: Python<'_>, error: Bound<'_, PyAny>) {
        let error = PyErr::from_value(error);
        let failed = self.with(|exchange| {
            exchange.reply().fail(500);
            Ok(exchange.request().raw_line().to_vec())
        });
        // An exchange that has ended already was ended by us, which was told.
        if let Ok(raw_line) = failed {
            tell(py, &error, &raw_line, self.inflow.as_deref());
        }
    }

    /// It takes long; `stack` is where its greenlet waits.
    #[pyo3(signature = (milliseconds, stack, /))]
    fn tell_slow(&self, milliseconds: u64, stack: &str) {
        overdue::tell_slow(milliseconds, &self.name(), stack);
    }

    /// It takes too long: 504 where nothing was said yet. Its greenlet is killed then.
    #[pyo3(signature = (milliseconds, stack, /))]
    fn end_overdue(&self, py: Python<'_>, milliseconds: u64, stack: &str) {
        overdue::tell_ended(milliseconds, &self.name(), stack);
        let _ = self.with(|exchange| {
            exchange.reply().give_up();
            Ok(())
        });
        self.end(py);
    }

    /// The status that was sent, or nought, and how many bytes of the body.
    fn sent(&self) -> (u16, u64) {
        let sent = self.with(|exchange| {
            let reply = exchange.reply();
            Ok((reply.status(), reply.body_sent()))
        });
        // Ended by us, with 504.
        sent.unwrap_or((504, 0))
    }

    /// It is over, however it went. Later calls only say so.
    fn end(&self, py: Python<'_>) {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Out { mut exchange, lane, noted }) = out {
            let remark = noted.and_then(|(environ, wanted)| variables::note(environ.bind(py), &wanted));
            if let Some(remark) = remark {
                exchange.reply().remark(remark);
            }
            exchange.end();
            drop(lane);
        }
    }
}
