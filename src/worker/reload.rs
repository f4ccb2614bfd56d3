//! Development (`reload`): the arbiter is told which files are loaded, and clients are told why an application cannot be.

use crate::log;
use crate::python::Helper;
use contract::logline::Level;
use contract::message::{BootFailure, Loaded};
use contract::settings::{WorkerClass, WorkerSettings};
use pyo3::prelude::*;

/// So many bytes of paths are told at a time.
const MOST: usize = 48 * 1024;

/// Nothing of the application has been imported yet.
pub(crate) fn prepare(py: Python<'_>, settings: &WorkerSettings) -> PyResult<()> {
    if settings.spew {
        Helper::Spew.module(py)?.call_method0("begin")?;
    }
    if settings.reload {
        let clock = py.import("time")?.getattr("time")?;
        Helper::Reload.module(py)?.call_method1("forget_fresh_bytecode", (clock,))?;
    }
    Ok(())
}

/// An application that says why there is none; or, where nobody asks for that, the failure.
pub(crate) fn instead(
    py: Python<'_>,
    settings: &WorkerSettings,
    failure: BootFailure,
) -> Result<Py<PyAny>, BootFailure> {
    if !settings.reload {
        return Err(failure);
    }
    shown(py, &failure, settings.worker_class == WorkerClass::Asgi).map_err(|_| failure)
}

/// An application that shows this failure to clients.
pub(crate) fn shown(py: Python<'_>, failure: &BootFailure, is_asgi: bool) -> PyResult<Py<PyAny>> {
    let BootFailure { summary, traceback, .. } = failure;
    // Here it comes below.
    let summary = summary.trim_end_matches("; see the traceback above");
    let text = format!("{summary}; clients are shown why, until a file changes\n{traceback}");
    log::write(Level::Error, text.trim_end());
    let words = (summary, traceback, is_asgi);
    Helper::Reload.module(py)?.call_method1("stand_in", words).map(Bound::unbind)
}

/// What was loaded and has not been told yet, in parts that fit into a message. `tell` is called where there is any.
pub(crate) fn tell_loaded(mut tell: impl FnMut(Loaded)) {
    let told = Python::attach(loaded);
    match told {
        Ok(parts) => parts.into_iter().for_each(&mut tell),
        Err(error) => log::write(Level::Warning, &format!("reload cannot see what is loaded: {error}")),
    }
}

fn loaded(py: Python<'_>) -> PyResult<Vec<Loaded>> {
    let (files, patterns): (Vec<String>, Vec<String>) =
        Helper::Reload.module(py)?.call_method0("news")?.extract()?;
    let mut parts = vec![Loaded { files: Vec::new(), patterns }];
    let mut length = 0;
    for file in files {
        length += file.len();
        if length > MOST {
            length = file.len();
            parts.push(Loaded::default());
        }
        if let Some(part) = parts.last_mut() {
            part.files.push(file);
        }
    }
    parts.retain(|part| !part.files.is_empty() || !part.patterns.is_empty());
    Ok(parts)
}
