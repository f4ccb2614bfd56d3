//! Which kind of worker this is: what the settings say, and where they leave it open, what the application is.

use crate::load;
use crate::log;
use crate::python::Helper;
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
    /// WSGI, in greenlets.
    Gevent,
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
    let kind = match settings.worker_class {
        WorkerClass::Auto if found == Interface::Asgi => Kind::Asgi,
        WorkerClass::Auto | WorkerClass::Sync => wsgi(),
        WorkerClass::Threads => Kind::Threads(settings.threads),
        WorkerClass::Asgi => Kind::Asgi,
        WorkerClass::Gevent => Kind::Gevent,
    };
    match (found, kind == Kind::Asgi) {
        (Interface::Wsgi, true) => doubt(&settings.app, "a WSGI", "ASGI"),
        (Interface::Asgi, false) => doubt(&settings.app, "an ASGI", "WSGI"),
        _ => {}
    }
    Ok(kind)
}

/// The operator may know better than what the callable looks like.
fn doubt(app: &str, found: &str, said: &str) {
    let text = format!(
        "'{app}' looks like {found} application, and worker_class says {said}: leave worker_class out if it is one"
    );
    log::write(Level::Warning, &text);
}

fn interface(py: Python<'_>, application: &Py<PyAny>) -> PyResult<Interface> {
    let found = Helper::Interface.module(py)?.call_method1("interface", (application,))?;
    Ok(if found.eq("wsgi")? { Interface::Wsgi } else { Interface::Asgi })
}
