//! Which kind of worker this is: what the settings say, and where they leave it open, what the application is.

use crate::load;
use crate::log;
use crate::python::Helper;
use contract::exit::ExitCode;
use contract::logline::Level;
use contract::message::BootFailure;
use contract::settings::{WorkerClass, WorkerSettings};
use pyo3::prelude::*;

/// The kinds that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// WSGI, one request at a time.
    Sync,
    /// WSGI, in so many threads.
    Threads(u32),
    /// ASGI, in an event loop.
    Asgi,
}

/// How an application is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interface {
    Wsgi,
    Asgi,
}

/// The kind of worker for this application.
pub(crate) fn choose(
    py: Python<'_>,
    settings: &WorkerSettings,
    application: &Py<PyAny>,
) -> Result<Kind, BootFailure> {
    let found = interface(py, application).map_err(|error| load::internal(&error, py))?;
    let wsgi = || if settings.threads > 1 { Kind::Threads(settings.threads) } else { Kind::Sync };
    match (settings.worker_class, found) {
        (WorkerClass::Auto, Interface::Asgi) => Ok(Kind::Asgi),
        (WorkerClass::Asgi, _) => {
            if found == Interface::Wsgi {
                let text = format!(
                    "'{}' looks like a WSGI application, and worker_class says ASGI: leave worker_class out if it is one",
                    settings.app
                );
                log::write(Level::Warning, &text);
            }
            Ok(Kind::Asgi)
        }
        (WorkerClass::Gevent, _) => Err(not_yet("worker_class is gevent")),
        (WorkerClass::Auto, Interface::Wsgi) => Ok(wsgi()),
        (WorkerClass::Sync | WorkerClass::Threads, _) => {
            if found == Interface::Asgi {
                let text = format!(
                    "'{}' looks like an ASGI application, and worker_class says WSGI: leave worker_class out if it is one",
                    settings.app
                );
                log::write(Level::Warning, &text);
            }
            let threaded = settings.worker_class == WorkerClass::Threads;
            Ok(if threaded { Kind::Threads(settings.threads) } else { wsgi() })
        }
    }
}

fn interface(py: Python<'_>, application: &Py<PyAny>) -> PyResult<Interface> {
    let found = Helper::Interface.module(py)?.call_method1("interface", (application,))?;
    Ok(if found.eq("wsgi")? { Interface::Wsgi } else { Interface::Asgi })
}

/// The place to change once it is there.
fn not_yet(why: &str) -> BootFailure {
    let summary =
        format!("{why}, which rcorn cannot serve yet: for the time being serve it with uvicorn or Gunicorn");
    BootFailure { code: ExitCode::AppCallable, summary, traceback: String::new() }
}
