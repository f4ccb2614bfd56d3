//! From an imported application to a worker of its kind that serves: the one place that knows all kinds.

use crate::asgi::{self, AsgiApp};
use crate::gevent::{self, GeventApp};
use crate::inherited::Inherited;
use crate::kind::Kind;
use crate::lane::Lane;
use crate::lifecycle::{Post, Worker};
use crate::loop_lanes::LoopLanes;
use crate::meter::Meter;
use crate::newborn::{refuse, unable};
use crate::threads::ThreadedApp;
use crate::wsgi::{Site, WsgiApp};
use crate::{http_config, load};
use contract::exit::ExitCode;
use http::Server;
use pyo3::prelude::*;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// The application, and the exception that interrupts it.
type Parts = (Py<PyAny>, Py<PyAny>);

/// Serves to the end, or tells the arbiter why that cannot be.
pub(crate) fn serve(
    py: Python<'_>,
    kind: Kind,
    parts: Parts,
    inherited: Inherited,
    post: Post,
) -> Result<ExitCode, ExitCode> {
    match kind {
        Kind::Sync => sync(py, parts, inherited, post),
        Kind::Asgi => asgi(py, parts, inherited, post),
        Kind::Gevent => gevent(py, parts, inherited, post),
        Kind::Threads(count) => threads(py, count, parts, inherited, post),
    }
}

/// What every kind needs, or the refusal.
fn usable<T>(py: Python<'_>, post: &Post, made: PyResult<T>) -> Result<T, ExitCode> {
    made.map_err(|error| refuse(&post.channel, load::internal(&error, py)))
}

fn equip(inherited: Inherited, post: &Post) -> Result<(Server, Meter), ExitCode> {
    let server = server(&inherited).map_err(|error| refuse(&post.channel, unable(&error)))?;
    Ok((server, Meter::new(inherited, post.slot)))
}

fn server(inherited: &Inherited) -> io::Result<Server> {
    let listeners: io::Result<Vec<OwnedFd>> = inherited.listeners.iter().map(OwnedFd::try_clone).collect();
    let mut server = Server::new(http_config::of(&inherited.settings), listeners?)?;
    server.hear_siblings(Arc::clone(&inherited.bell))?;
    Ok(server)
}

fn sync(py: Python<'_>, parts: Parts, inherited: Inherited, post: Post) -> Result<ExitCode, ExitCode> {
    let lane = Lane::new(Arc::clone(&inherited.scoreboard), post.slot, 0);
    let app = Site::new(py, parts, &inherited, false).and_then(|site| WsgiApp::new(py, &site, lane));
    let app = usable(py, &post, app)?;
    let mut worker = Worker::new(equip(inherited, &post)?, app, post);
    let code = worker.serve();
    worker.meter.finish();
    Ok(code)
}

fn threads(
    py: Python<'_>,
    count: u32,
    parts: Parts,
    inherited: Inherited,
    post: Post,
) -> Result<ExitCode, ExitCode> {
    let (board, interrupted) = (Arc::clone(&inherited.scoreboard), parts.1.clone_ref(py));
    let app = Site::new(py, parts, &inherited, true)
        .and_then(|site| ThreadedApp::new(py, (site, interrupted), (board, post.slot), count));
    let app = usable(py, &post, app)?;
    let (server, mut meter) = equip(inherited, &post)?;
    meter.only_while(app.alive());
    let hooks = post.hooks.clone();
    let mut worker = Worker::new((server, meter), app, post);
    let code = py.detach(|| worker.serve());
    // Before the threads are ended: with one that is stuck, so is the process.
    let code = hooks.map_or(code, |hooks| hooks.farewell(py, code));
    let threads = worker.app.end(py);
    worker.note_latecomers();
    threads.leave(py, code);
    Ok(code)
}

fn gevent(py: Python<'_>, parts: Parts, inherited: Inherited, post: Post) -> Result<ExitCode, ExitCode> {
    let site = usable(py, &post, Site::new(py, parts, &inherited, true))?;
    // Those of one request, which Rust cannot see here: the helper keeps them.
    let limits = (inherited.settings.asgi.slow_request, inherited.settings.asgi.request_timeout);
    let app = GeventApp::new(LoopLanes::new(Arc::clone(&inherited.scoreboard), post.slot));
    let worker = Worker::new(equip(inherited, &post)?, app, post);
    Ok(gevent::serve(py, worker, &site, limits))
}

fn asgi(py: Python<'_>, parts: Parts, inherited: Inherited, post: Post) -> Result<ExitCode, ExitCode> {
    let lanes = LoopLanes::new(Arc::clone(&inherited.scoreboard), post.slot);
    let app = usable(py, &post, AsgiApp::new(py, parts, &inherited, lanes))?;
    let settings = inherited.settings.asgi.clone();
    Ok(asgi::serve(py, Worker::new(equip(inherited, &post)?, app, post), &settings))
}
