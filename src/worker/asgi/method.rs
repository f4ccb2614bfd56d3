//! Methods of a class, for each of its objects without a search: an application gets two with every request.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// One method.
pub(super) struct Method {
    function: Py<PyAny>,
    bind: ffi::descrgetfunc,
}

impl Method {
    pub(super) fn of(class: &Bound<'_, PyType>, name: &str) -> PyResult<Self> {
        let function = class.getattr(name)?;
        // SAFETY: every type has slots, and what lies in this one is a function of this kind, or nothing.
        let bind: Option<ffi::descrgetfunc> = unsafe {
            std::mem::transmute(ffi::PyType_GetSlot(function.get_type().as_type_ptr(), ffi::Py_tp_descr_get))
        };
        let bind = bind.ok_or_else(|| PyTypeError::new_err(format!("{name} is no method")))?;
        Ok(Self { function: function.unbind(), bind })
    }

    /// As an attribute of this object would be.
    pub(super) fn bind<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let class = object.get_type();
        // SAFETY: called as CPython calls it, with three objects that are there; it gives a new reference, or an error.
        unsafe {
            let bound = (self.bind)(self.function.as_ptr(), object.as_ptr(), class.as_ptr());
            Bound::from_owned_ptr_or_err(object.py(), bound)
        }
    }
}
