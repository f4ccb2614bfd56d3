//! Results that `wsgi.file_wrapper` made of a regular file: the kernel sends them, without Python in between.

use super::start::{Sent, State};
use crate::python::Helper;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyModule;
use std::os::fd::{BorrowedFd, RawFd};

/// Descriptor, position and length of what is left of this file, where the kernel may send it.
pub(crate) fn part_of_file(file: &Bound<'_, PyAny>) -> PyResult<Option<(RawFd, u64, u64)>> {
    Helper::Wsgi.module(file.py())?.call_method1("part_of_file", (file,))?.extract()
}

/// Knows what can be sent so.
pub(super) struct Files<'py> {
    wrapper: Bound<'py, PyAny>,
    enabled: bool,
}

impl<'py> Files<'py> {
    pub(super) fn new(helper: &Bound<'py, PyModule>, enabled: bool) -> PyResult<Self> {
        Ok(Self { wrapper: helper.getattr("FileWrapper")?, enabled })
    }

    /// Is it what `wsgi.file_wrapper` makes?
    pub(super) fn is_wrapped(&self, result: &Bound<'py, PyAny>) -> bool {
        self.enabled && result.get_type().is(&self.wrapper)
    }

    /// Sends the rest of the wrapped file; `None` when its bytes have to be asked for one block after another.
    pub(super) fn send(&self, state: &State, result: &Bound<'py, PyAny>) -> PyResult<Option<Sent>> {
        let file = result.getattr(intern!(result.py(), "filelike"))?;
        let Some((descriptor, offset, length)) = part_of_file(&file)? else {
            return Ok(None);
        };
        // SAFETY: `part_of_file` took the number from the open file that `result` holds until its `close`, which is
        // called after this.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        state.send_file(result.py(), descriptor, (offset, length))
    }
}
