//! The process as the application expects to find it: directory, `sys.path`, `sys.argv`.

use contract::settings::WorkerSettings;
use pyo3::prelude::*;
use pyo3::types::PyList;

/// Sets them. Nothing of the application has been imported yet.
pub(crate) fn prepare(py: Python<'_>, settings: &WorkerSettings) -> PyResult<()> {
    py.import("os")?.call_method1("chdir", (&settings.chdir,))?;
    let sys = py.import("sys")?;
    sys.setattr("argv", &settings.argv)?;
    let path = sys.getattr("path")?.cast_into::<PyList>()?;
    // `python -c` puts the empty string, the directory of the moment, first.
    if path.get_item(0).and_then(|first| first.extract::<String>()).is_ok_and(|first| first.is_empty()) {
        path.del_item(0)?;
    }
    // A settings file in Python may have put something in front of it on purpose.
    if settings.python_settings.is_none() || !path.contains(&settings.chdir)? {
        path.insert(0, &settings.chdir)?;
    }
    for directory in settings.pythonpath.iter().rev() {
        path.insert(0, directory)?;
    }
    Ok(())
}
