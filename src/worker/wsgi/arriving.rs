//! `wsgi.input` of a body that arrives while the request is answered: reading it waits, without the GIL.

use super::start::State;
use crate::lane::Lane;
use http::{Inflow, Piece};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// What the raw stream in `python/wsgi.py` reads from. The application may keep it: then it is told that it is too late.
#[pyclass(frozen, module = "rcorn")]
pub(super) struct Arriving {
    inflow: Arc<Inflow>,
    lane: Arc<Lane>,
    /// Where the reply is, to ask the client to go on.
    state: Py<State>,
}

impl Arriving {
    pub(super) fn new(inflow: &Arc<Inflow>, lane: &Arc<Lane>, state: Py<State>) -> Self {
        Self { inflow: Arc::clone(inflow), lane: Arc::clone(lane), state }
    }
}

#[pymethods]
impl Arriving {
    /// Up to `most` bytes, as soon as there are some; none at the end.
    #[pyo3(signature = (most, /))]
    fn read<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyBytes>> {
        if self.inflow.expects_continue() {
            // Where the response is over, so is the body.
            let _ = self.state.get().with(|reply| {
                reply.go_on();
                Ok(())
            });
        }
        loop {
            match self.inflow.take(most.max(1)) {
                Ok(Piece::Bytes(bytes)) => return Ok(PyBytes::new(py, &bytes)),
                Ok(Piece::End) => return Ok(PyBytes::new(py, b"")),
                Ok(Piece::Pending) => py.detach(|| self.lane.wait_for_client(|| self.inflow.wait())),
                Err(refusal) => return Err(PyOSError::new_err(refusal.why)),
            }
        }
    }
}
