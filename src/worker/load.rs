//! Importing the application, and putting a failure into words.

use crate::python::{self, Helper};
use contract::exit::ExitCode;
use contract::message::BootFailure;
use contract::settings::{PasteSettings, WorkerSettings};
use pyo3::prelude::*;

/// The longest traceback that is sent: a message has a limit, and nobody reads on.
const LONGEST_TRACEBACK: usize = 48 * 1024;

/// The application that the settings name, warmed up if they say so.
pub(crate) fn load(py: Python<'_>, settings: &WorkerSettings) -> Result<Py<PyAny>, BootFailure> {
    let application = import(py, settings)?;
    if let Some(spec) = &settings.warm_up {
        warm_up(py, spec, &application)?;
    }
    Ok(application)
}

/// Has somebody's function do what the first requests would have to do.
fn warm_up(py: Python<'_>, spec: &str, application: &Py<PyAny>) -> Result<(), BootFailure> {
    let helper = Helper::Load.module(py).map_err(|error| internal(&error, py))?;
    let Err(error) = helper.call_method1("warm_up", (spec, application)) else { return Ok(()) };
    let failure = failure(py, helper, ("run", "warm-up"), (spec, &error));
    Err(failure.unwrap_or_else(|second| internal(&second, py)))
}

fn import(py: Python<'_>, settings: &WorkerSettings) -> Result<Py<PyAny>, BootFailure> {
    let helper = Helper::Load.module(py).map_err(|error| internal(&error, py))?;
    let spec = &settings.app;
    let loaded = match &settings.paste {
        Some(paste) => load_paste(py, paste)?,
        None => helper.call_method1("load", (spec,)),
    };
    match loaded {
        Ok(application) => Ok(application.unbind()),
        Err(error) => {
            let failure = failure(py, helper, ("import", "application"), (spec, &error));
            Err(failure.unwrap_or_else(|second| internal(&second, py)))
        }
    }
}

fn load_paste<'py>(
    py: Python<'py>,
    paste: &PasteSettings,
) -> Result<PyResult<Bound<'py, PyAny>>, BootFailure> {
    let helper = Helper::Paste.module(py).map_err(|error| internal(&error, py))?;
    let loaded = helper.call_method1("load", (&paste.file, &paste.section, paste.defaults.clone()));
    match &loaded {
        Err(error) if Helper::Paste.raised(py, "NotInstalled", error) => Err(BootFailure {
            code: ExitCode::AppImport,
            summary: error.value(py).to_string(),
            traceback: String::new(),
        }),
        _ => Ok(loaded),
    }
}

/// It could not be done to what `spec` names.
fn failure(
    py: Python<'_>,
    helper: &Bound<'_, PyModule>,
    (done, what): (&str, &str),
    (spec, error): (&str, &PyErr),
) -> PyResult<BootFailure> {
    let value = error.value(py);
    if Helper::Load.raised(py, "NoCallable", error) {
        let summary = format!("no {what} at '{spec}': {value}");
        return Ok(BootFailure { code: ExitCode::AppCallable, summary, traceback: String::new() });
    }
    let reason = describe(py, error);
    let advice: String = helper.call_method1("advice", (spec, value))?.extract()?;
    let summary = format!("cannot {done} the {what} '{spec}': {reason}; {advice}");
    Ok(BootFailure { code: ExitCode::AppImport, summary, traceback: shortened(python::traceback(error, py)) })
}

/// The error as the last line of its traceback.
pub(crate) fn describe(py: Python<'_>, error: &PyErr) -> String {
    let described =
        Helper::Load.module(py).and_then(|load| load.call_method1("describe", (error.value(py),)));
    described.map_or_else(|_| error.to_string(), |text| text.to_string())
}

/// A failure of ours, not of the application.
pub(crate) fn internal(error: &PyErr, py: Python<'_>) -> BootFailure {
    let summary = format!("rcorn cannot start in this interpreter: {error}");
    BootFailure { code: ExitCode::Setup, summary, traceback: shortened(python::traceback(error, py)) }
}

/// The beginning and the end of a very long traceback.
pub(crate) fn shortened(text: String) -> String {
    if text.len() <= LONGEST_TRACEBACK {
        return text;
    }
    let head = text.floor_char_boundary(LONGEST_TRACEBACK / 2);
    let tail = text.ceil_char_boundary(text.len() - LONGEST_TRACEBACK / 2);
    format!("{}\n  […]\n{}", &text[..head], &text[tail..])
}
