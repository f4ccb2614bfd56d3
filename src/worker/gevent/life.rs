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
    let served = Helper::Gevent.module(py).and_then(|helper| {
        helper.call_method1(
            "serve",
            (&reactor, application, interrupted, site.sendfile, (seconds(limits.0), seconds(limits.1))),
        )
    });
    if let Err(error) = served {
        reactor.borrow().refuse(load::internal(&error, py));
    }
    reactor.borrow().end()
}

#[allow(clippy::cast_precision_loss, reason = "no number of milliseconds has more than 52 bits")]
pub(super) fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}
