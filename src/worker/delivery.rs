//! What the server has to say, handed to Python's logging where somebody asked for that (`python/logs.py`, `python/records.py`).
//!
//! It is collected here and delivered between two turns of the loop: nothing of Python is called in the middle of something,
//! and in a gevent worker no frame of Rust lies below a handler that waits.

use crate::access_facts::{Noted, Told};
use crate::python::{self, Helper};
use crate::{load, log, statsd};
use contract::access::Facts;
use contract::exit::ExitCode;
use contract::logline::Level;
use contract::message::BootFailure;
use contract::settings::WorkerSettings;
use http::Record;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Are lines of the error log delivered?
static ERRORS: AtomicBool = AtomicBool::new(false);
/// And those of the access log?
static REQUESTS: AtomicBool = AtomicBool::new(false);
/// Is there something to be delivered?
static WAITING: AtomicBool = AtomicBool::new(false);
/// Somebody else fetches what is to be delivered.
static FETCHED: AtomicBool = AtomicBool::new(false);
static NEWS: Mutex<Vec<News>> = Mutex::new(Vec::new());

/// Something to deliver.
enum News {
    Line(Level, String, Option<PyErr>),
    Request(Box<Request>),
    /// The log files were reopened.
    Reopened,
}

/// A request that has ended.
struct Request {
    line: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    head: Vec<u8>,
    status: u16,
    sent: u64,
    took: u64,
    queued: Option<u64>,
    environ: Option<Py<PyDict>>,
    client: Option<String>,
    user: Option<Vec<u8>>,
    path: Vec<u8>,
    why: Option<&'static str>,
}

/// Sets Python's logging up as the settings say. To be called before the application is imported.
pub(crate) fn set_up(py: Python<'_>, settings: &WorkerSettings) -> Result<(), BootFailure> {
    if settings.logging.is_plain() {
        return Ok(());
    }
    let internal = |error: PyErr| load::internal(&error, py);
    Helper::ErrorLog.module(py).and_then(|helper| helper.call_method0("withdraw")).map_err(internal)?;
    configure(py, settings)?;
    if ERRORS.load(Relaxed) { Ok(()) } else { offer_error_log(py, settings).map_err(internal) }
}

/// The application may write to the error log, by Gunicorn's name for it, unless a configuration says otherwise.
pub(crate) fn offer_error_log(py: Python<'_>, settings: &WorkerSettings) -> PyResult<()> {
    let level = settings.log_level.to_string();
    let write = wrap_pyfunction!(write, py)?;
    Helper::ErrorLog.module(py)?.call_method1("set_up", (write, level)).map(drop)
}

/// A line of the application's own. Its loggers have their own levels, so all are written.
#[pyfunction]
#[pyo3(signature = (level, text, /))]
fn write(level: u32, text: &str) {
    let level = match level {
        0..20 => Level::Debug,
        20..30 => Level::Info,
        30..40 => Level::Warning,
        40..50 => Level::Error,
        50.. => Level::Critical,
    };
    log::write_here(level, text);
}

fn configure(py: Python<'_>, settings: &WorkerSettings) -> Result<(), BootFailure> {
    let internal = |error: PyErr| load::internal(&error, py);
    let helper = Helper::Logs.module(py).map_err(internal)?;
    let records = Helper::Records.module(py).map_err(internal)?;
    let values = serde_json::to_string(&settings.logging).unwrap_or_default();
    match helper
        .call_method1("set_up", (values, records))
        .and_then(|asked| asked.extract::<(bool, bool, bool)>())
    {
        Ok((errors, requests, statsd)) => {
            ERRORS.store(errors, Relaxed);
            REQUESTS.store(requests, Relaxed);
            if statsd {
                statsd::leave();
            }
            Ok(())
        }
        Err(error) => Err(failure(py, &error)),
    }
}

/// A mistake of the operator's is one sentence; whatever else went wrong comes with its traceback.
fn failure(py: Python<'_>, error: &PyErr) -> BootFailure {
    if Helper::Logs.raised(py, "Mistake", error) {
        let summary = error.value(py).to_string();
        BootFailure { code: ExitCode::Setup, summary, traceback: String::new() }
    } else {
        load::internal(error, py)
    }
}

/// Are requests told to Python's logging, instead of the access log?
pub(crate) fn takes_requests() -> bool {
    REQUESTS.load(Relaxed)
}

/// A line, with the exception that was the cause. Gives it back where nobody asked for it.
pub(crate) fn line(level: Level, text: &str, error: Option<PyErr>) -> bool {
    // A zygote has nothing to say that could wait.
    let is_asked_for = ERRORS.load(Relaxed) && log::is_worker();
    if is_asked_for {
        add(News::Line(level, text.to_owned(), error));
    }
    is_asked_for
}

/// A request that has ended.
pub(crate) fn request(record: &Record<'_>) {
    let told = Told::of(record, &[]);
    let headers = record.request.map(|request| {
        let fields = request.headers();
        fields.map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    });
    let noted = record.remark.and_then(|remark| remark.downcast_ref::<Noted>());
    let environ = match noted {
        Some(Noted::Environ(environ)) => Python::attach(|py| Some(environ.clone_ref(py))),
        _ => None,
    };
    add(News::Request(Box::new(Request {
        line: record.raw_line.to_vec(),
        headers: headers.unwrap_or_default(),
        head: record.response_head.to_vec(),
        status: record.status,
        sent: record.body_sent,
        took: record.app_ns,
        queued: told.queued(),
        environ,
        client: told.client().map(|ip| ip.to_string()),
        user: told.user().map(Cow::into_owned),
        path: told.path().into_owned(),
        why: record.why,
    })));
}

/// The log files were reopened: the application's are to follow. In a zygote that is left for those that it forks, which
/// have the files that it has.
pub(crate) fn reopened() {
    if !queue().iter().any(|news| matches!(news, News::Reopened)) {
        add(News::Reopened);
    }
}

fn add(news: News) {
    queue().push(news);
    WAITING.store(true, Relaxed);
}

fn queue() -> MutexGuard<'static, Vec<News>> {
    // Whoever panicked with it left it whole.
    NEWS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on somebody else fetches what there is.
pub(crate) fn is_fetched() {
    FETCHED.store(true, Relaxed);
}

/// Delivers what has been collected, unless somebody else fetches that.
pub(crate) fn deliver() {
    if WAITING.load(Relaxed) && !FETCHED.load(Relaxed) {
        Python::attach(deliver_now);
    }
}

/// Delivers what has been collected, whoever usually does that.
pub(crate) fn deliver_now(py: Python<'_>) {
    if !WAITING.load(Relaxed) {
        return;
    }
    let delivered = fetch(py)
        .and_then(|news| Helper::Records.module(py)?.call_method1("deliver", (news,)))
        .and_then(|failures| failures.extract::<Vec<String>>());
    match delivered {
        Ok(failures) => failures.iter().for_each(|failure| complain(failure)),
        Err(error) => complain(&python::traceback(&error, py)),
    }
}

/// Python's logging has failed, so this goes to the log itself.
pub(crate) fn complain(traceback: &str) {
    log::write_here(Level::Error, &format!("Python's logging has failed\n{traceback}"));
}

/// The same, where there is something.
pub(crate) fn fetch_some(py: Python<'_>) -> PyResult<Option<Bound<'_, PyList>>> {
    WAITING.load(Relaxed).then(|| fetch(py)).transpose()
}

/// What has been collected, in the words of the helper.
fn fetch(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    WAITING.store(false, Relaxed);
    let news = std::mem::take(&mut *queue());
    let list = PyList::empty(py);
    for news in news {
        list.append(in_words(py, news)?)?;
    }
    Ok(list)
}

fn in_words(py: Python<'_>, news: News) -> PyResult<Bound<'_, PyAny>> {
    let words = match news {
        News::Line(level, text, error) => {
            let error = error.map(|error| error.into_value(py));
            ("line", level.to_string().to_lowercase(), text, error).into_pyobject(py)?.into_any()
        }
        News::Request(request) => request_in_words(py, *request)?,
        News::Reopened => ("reopen",).into_pyobject(py)?.into_any(),
    };
    Ok(words)
}

fn request_in_words(py: Python<'_>, request: Request) -> PyResult<Bound<'_, PyAny>> {
    let bytes = |bytes: &[u8]| PyBytes::new(py, bytes);
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| (bytes(name), bytes(value))).collect();
    let numbers = (request.status, request.sent, request.took, request.queued);
    let words = (
        request.client.map(|client| PyString::new(py, &client)),
        request.user.as_deref().map(bytes),
        bytes(&request.path),
        request.why,
    );
    let line = bytes(&request.line);
    let all = ("request", line, headers, bytes(&request.head), numbers, request.environ, words);
    Ok(all.into_pyobject(py)?.into_any())
}
