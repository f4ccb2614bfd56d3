//! The Python helpers that are part of the extension: sources embedded at build time, compiled at first use.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;
use std::ffi::CString;

/// One embedded source.
#[derive(Clone, Copy)]
pub(crate) enum Helper {
    /// Importing the application.
    Load,
    /// Whether what the import left behind survives a fork.
    Survive,
    /// What a newborn worker does first.
    Newborn,
    /// Objects of the WSGI environment that are best written in Python.
    Wsgi,
    /// Whether the application is WSGI or ASGI.
    Interface,
    /// The threads of a threaded worker.
    Threads,
    /// The event loop of an ASGI worker.
    Asgi,
    /// The main greenlet of a gevent worker.
    Gevent,
    /// What the tasks of an event loop wait for.
    Chains,
    /// Applications that a file of PasteDeploy describes.
    Paste,
    /// Settings files in Python.
    Conf,
    /// What of them is told to the arbiter.
    ConfAnswer,
    /// The hooks of such a file.
    Hooks,
    /// What hooks are given.
    Objects,
    /// A request that hooks see.
    Passage,
    /// Gunicorn's defaults.
    Defaults,
    /// Which files are loaded, and a page in place of an application that cannot be.
    Reload,
    /// Every line that runs.
    Spew,
    /// Python's logging, as the settings say it.
    Logs,
    /// The server's own records, for who asked for them.
    Records,
    /// The error log, for applications that write there.
    ErrorLog,
}

impl Helper {
    fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::Load => ("_rcorn.load", include_str!("python/load.py")),
            Self::Survive => ("_rcorn.survive", include_str!("python/survive.py")),
            Self::Newborn => ("_rcorn.newborn", include_str!("python/newborn.py")),
            Self::Wsgi => ("_rcorn.wsgi", include_str!("python/wsgi.py")),
            Self::Interface => ("_rcorn.interface", include_str!("python/interface.py")),
            Self::Threads => ("_rcorn.threads", include_str!("python/threads.py")),
            Self::Asgi => ("_rcorn.asgi", include_str!("python/asgi.py")),
            Self::Gevent => ("_rcorn.gevent", include_str!("python/gevent.py")),
            Self::Logs => ("_rcorn.logs", include_str!("python/logs.py")),
            Self::Records => ("_rcorn.records", include_str!("python/records.py")),
            Self::ErrorLog => ("_rcorn.error_log", include_str!("python/error_log.py")),
            Self::Chains => ("_rcorn.chains", include_str!("python/chains.py")),
            Self::Paste => ("_rcorn.paste", include_str!("python/paste.py")),
            Self::Conf => ("_rcorn.conf", include_str!("python/conf.py")),
            Self::ConfAnswer => ("_rcorn.conf_answer", include_str!("python/conf_answer.py")),
            Self::Hooks => ("_rcorn.hooks", include_str!("python/hooks.py")),
            Self::Objects => ("_rcorn.objects", include_str!("python/objects.py")),
            Self::Passage => ("_rcorn.passage", include_str!("python/passage.py")),
            Self::Defaults => ("_rcorn.defaults", include_str!("python/defaults.py")),
            Self::Reload => ("_rcorn.reload", include_str!("python/reload.py")),
            Self::Spew => ("_rcorn.spew", include_str!("python/spew.py")),
        }
    }

    /// The helper as a module, compiled once.
    pub(crate) fn module(self, py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
        let module = MODULES[self as usize].get_or_try_init(py, || self.compile(py).map(Bound::unbind))?;
        Ok(module.bind(py))
    }

    /// Is this an exception of the helper's own, of that name?
    pub(crate) fn raised(self, py: Python<'_>, name: &str, error: &PyErr) -> bool {
        let kind = self.module(py).and_then(|helper| helper.getattr(name));
        kind.is_ok_and(|kind| error.is_instance(py, &kind))
    }

    fn compile(self, py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
        let (name, source) = self.source();
        let file = format!("<{name}>");
        PyModule::from_code(py, &CString::new(source)?, &CString::new(file)?, &CString::new(name)?)
    }
}

/// A module for each helper.
static MODULES: [PyOnceLock<Py<PyModule>>; 21] = [const { PyOnceLock::new() }; 21];

/// A traceback as Python prints it, without the frames of our own helpers.
pub(crate) fn traceback(error: &PyErr, py: Python<'_>) -> String {
    let formatted = Helper::Load
        .module(py)
        .and_then(|load| load.call_method1("format_traceback", (error.value(py), error.traceback(py))))
        .and_then(|text| text.extract::<String>());
    formatted
        .unwrap_or_else(|second| format!("{error}\n(and its traceback could not be printed: {second})\n"))
}
