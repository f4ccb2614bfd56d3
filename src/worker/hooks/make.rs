//! Evaluates the settings file once more and finds the functions of its hooks.

use super::native::Native;
use super::{Hooks, Made};
use crate::python::{self, Helper};
use crate::{conf, load};
use contract::descriptors;
use contract::exit::ExitCode;
use contract::message::BootFailure;
use contract::settings::{HookSettings, PythonSettings, WorkerSettings};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;

/// The hooks that the settings have, if any.
pub(crate) fn make(py: Python<'_>, settings: &WorkerSettings) -> Result<Option<Hooks>, BootFailure> {
    let (Some(file), Some(hooks)) = (&settings.python_settings, &settings.hooks) else { return Ok(None) };
    let native = Py::new(py, Native::new()).map_err(|error| load::internal(&error, py))?;
    let made = evaluated(py, (settings, file, hooks), &native).map_err(|error| unusable(py, file, &error))?;
    let watches = made.getattr("watches").and_then(|watches| watches.extract());
    let watches = watches.map_err(|error| load::internal(&error, py))?;
    Ok(Some(Hooks(Arc::new(Made { object: made.unbind(), native, watches }))))
}

fn evaluated<'py>(
    py: Python<'py>,
    (settings, file, hooks): (&WorkerSettings, &PythonSettings, &HookSettings),
    native: &Py<Native>,
) -> PyResult<Bound<'py, PyAny>> {
    let (kind, source) = conf::place(file);
    let values = serde_json::to_string(&hooks.cfg).map_err(std::io::Error::from)?;
    let values = py.import("json")?.call_method1("loads", (values,))?;
    let facts = PyDict::new(py);
    facts.set_item("hooks", &file.hooks)?;
    facts.set_item("source", source)?;
    facts.set_item("values", values)?;
    facts.set_item("app", &settings.app)?;
    facts.set_item("pid", settings.arbiter)?;
    facts.set_item("workers", hooks.workers)?;
    let listeners = descriptors::LISTENERS..descriptors::LISTENERS + settings.listeners.cast_signed();
    facts.set_item("listeners", listeners.collect::<Vec<i32>>())?;
    let conf = Helper::Conf.module(py)?;
    let namespace = conf.call_method1("evaluate", (kind, source))?;
    let defaults = Helper::Defaults.module(py)?.getattr("DEFAULTS")?;
    let modules = (conf, Helper::Objects.module(py)?, Helper::Passage.module(py)?, defaults);
    Helper::Hooks.module(py)?.call_method1("make", (namespace, facts, modules, native))
}

fn unusable(py: Python<'_>, file: &PythonSettings, error: &PyErr) -> BootFailure {
    let code = ExitCode::Setup;
    if Helper::Hooks.raised(py, "Unusable", error) {
        return BootFailure { code, summary: error.value(py).to_string(), traceback: String::new() };
    }
    let source = conf::place(file).1;
    let summary = format!("{source}: the settings cannot be evaluated: {}", load::describe(py, error));
    BootFailure { code, summary, traceback: load::shortened(python::traceback(error, py)) }
}
