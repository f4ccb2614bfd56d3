//! Settings files in Python, in the process that asks for one: the helper of the arbiter, or a zygote.

use crate::load;
use crate::python::Helper;
use contract::descriptors::{ANSWER, QUESTION};
use contract::exit::ExitCode;
use contract::message::BootFailure;
use contract::settings::{PythonSettings, PythonSource, WorkerSettings};
use pyo3::prelude::*;

/// In the helper: answers the arbiter's question, and ends the process.
pub(crate) fn answer(py: Python<'_>) -> PyResult<()> {
    // Whatever the file does: nobody would end what has no end when who asked is gone.
    sys::process::signal_when_parent_dies(sys::signal::SIGKILL)?;
    let conf = Helper::Conf.module(py)?;
    Helper::ConfAnswer.module(py)?.call_method1("answer", (conf, QUESTION, ANSWER)).map(drop)
}

/// In a zygote: evaluates the settings file, where that is one in Python. What it changes in the process stays.
pub(crate) fn evaluate(py: Python<'_>, settings: &WorkerSettings) -> Result<(), BootFailure> {
    let Some(python) = &settings.python_settings else { return Ok(()) };
    let (kind, source) = place(python);
    let internal = |error: PyErr| load::internal(&error, py);
    let conf = Helper::Conf.module(py).map_err(internal)?;
    conf.call_method1("settle", (&settings.directory, &settings.argv)).map_err(internal)?;
    let Err(error) = conf.call_method1("evaluate", (kind, source)) else { return Ok(()) };
    Err(failure(conf, &error, source).unwrap_or_else(internal))
}

/// What the helper is to evaluate: of which kind it is, and where or how it is called.
pub(crate) fn place(python: &PythonSettings) -> (&'static str, &str) {
    match &python.source {
        PythonSource::File(path) => ("File", path),
        PythonSource::Module(name) => ("Module", name),
    }
}

fn failure(conf: &Bound<'_, PyModule>, error: &PyErr, source: &str) -> PyResult<BootFailure> {
    let told = conf.call_method1("failure", (error.value(conf.py()), source))?;
    let text = |name: &str| told.get_item(name)?.extract::<String>();
    let summary = format!("{} (when it was evaluated a second time, for the application)", text("summary")?);
    Ok(BootFailure { code: ExitCode::Setup, summary, traceback: load::shortened(text("traceback")?) })
}
