//! The life of a gevent worker: the helper in Python has the main greenlet, and hands it back at the end.

use super::GeventApp;
use super::reactor::Reactor;
use crate::lifecycle::Worker;
use crate::load;
use crate::python::Helper;
use crate::wsgi::Site;
use contract::exit::ExitCode;
use pyo3::prelude::*;

/// Runs the worker in gevent's hub, to its end.
///
/// `limits` are `slow_request` and `request_timeout`, in milliseconds.
pub(crate) fn serve(py: Python<'_>, worker: Worker<GeventApp>, site: &Site, limits: (u64, u64)) -> ExitCode {
    if worker.is_unneeded() {
        return ExitCode::Success;
    }
    let (application, interrupted) = (site.application.bind(py), site.interrupted.bind(py));
    let reactor = match Reactor::new(py, worker, site) {
        Ok(reactor) => reactor,
        Err(error) => {
            crate::log::write_exception(py, "The hub of gevent cannot be used", &error);
            return ExitCode::Setup;
        }
    };
    let served = Helper::Wsgi.module(py).and_then(|wsgi| {
        let deliver = Helper::Records.module(py)?.getattr("deliver")?;
        let words = (&reactor, application, interrupted, wsgi, site.sendfile, limits, deliver);
        Helper::Gevent.module(py)?.call_method1("serve", words)
    });
    if let Err(error) = served {
        reactor.borrow().refuse(load::internal(&error, py));
    }
    reactor.borrow().end()
}
