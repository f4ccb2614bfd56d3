//! The zygote: imports the application if it may, then forks workers on order until its channel closes.
//!
//! It has one thread, owns no connection and no epoll, and never serves: what it imported is what its workers share.

use crate::birth::{self, Role};
use crate::conf;
use crate::delivery;
use crate::gevent;
use crate::hooks::{self, Hooks};
use crate::inherited::{self, Inherited, ZygoteChannel};
use crate::kind;
use crate::load;
use crate::newborn::{self, Newborn};
use crate::python::Helper;
use crate::{log, prepare, reload, spool, statsd};
use contract::channel::Received;
use contract::descriptors;
use contract::exit::ExitCode;
use contract::id::WorkerId;
use contract::logline::{Level, LogFormat};
use contract::message::{BootFailure, FromZygote, PreloadOutcome, ToZygote};
use contract::settings::{Preload, WorkerClass, WorkerSettings};
use pyo3::prelude::*;
use std::io;
use std::os::fd::OwnedFd;

/// Runs to the end of the process: as zygote it exits here, in a worker it returns that one's exit code.
pub(crate) fn run(py: Python<'_>) -> ExitCode {
    let Ok(channel) = sys::fd::adopt(descriptors::CHANNEL) else {
        return ExitCode::Setup;
    };
    let channel = ZygoteChannel::new(channel.into());
    match boot(py) {
        Ok((inherited, application, preload)) => {
            let _ = channel.send(&FromZygote::Booted { preload }, &[]);
            if inherited.settings.reload {
                reload::tell_loaded(|loaded| drop(channel.send(&FromZygote::Loaded(loaded), &[])));
            }
            obey(py, channel, inherited, application)
        }
        Err(failure) => {
            let code = failure.code;
            let _ = channel.send(&FromZygote::Failed(failure), &[]);
            code
        }
    }
}

type Booted = (Inherited, Option<Py<PyAny>>, PreloadOutcome);

fn boot(py: Python<'_>) -> Result<Booted, BootFailure> {
    let mut inherited = Inherited::adopt().map_err(|error| unusable(&error))?;
    log::set_up(&inherited.settings);
    statsd::set_up(&inherited.settings);
    spool::settle(&mut inherited.settings.http);
    let settings = &inherited.settings;
    sys::title::set(&format!("rcorn: zygote{}", title_suffix(&settings.name)));
    // Where records are made of what workers print, that goes through the arbiter.
    if settings.capture_output && settings.log_format == LogFormat::Plain {
        inherited::capture_output().map_err(|error| unusable(&error))?;
        newborn::print_by_lines(py).map_err(|error| load::internal(&error, py))?;
    }
    conf::evaluate(py, settings)?;
    prepare::prepare(py, settings).map_err(|error| load::internal(&error, py))?;
    if settings.worker_class == WorkerClass::Gevent {
        gevent::patch(py)?;
    }
    reload::prepare(py, settings).map_err(|error| load::internal(&error, py))?;
    delivery::offer_error_log(py, settings).map_err(|error| load::internal(&error, py))?;
    if settings.preload == Preload::On {
        delivery::set_up(py, settings)?;
    }
    inherited.hooks = hooks::make(py, settings)?;
    if let Some((hooks, settings)) = inherited.hooks() {
        hooks.start(py, settings)?;
    }
    let settings = &inherited.settings;
    let (application, outcome) = match settings.preload {
        Preload::Off => (None, PreloadOutcome::Off),
        Preload::On => (Some(import(py, settings)?), PreloadOutcome::Imported),
        Preload::Auto => preload_if_it_survives(py, settings)?,
    };
    if let Some(application) = &application {
        // What no worker could serve is told before there is any.
        kind::choose(py, settings, application)?;
    }
    if let Some((hooks, settings)) = inherited.hooks() {
        hooks.ready(py, settings)?;
    }
    let is_warm = application.is_some() && inherited.settings.warm_up.is_some();
    keep(py, is_warm).map_err(|error| load::internal(&error, py))?;
    Ok((inherited, application, outcome))
}

fn import(py: Python<'_>, settings: &WorkerSettings) -> Result<Py<PyAny>, BootFailure> {
    load::load(py, settings).or_else(|failure| reload::instead(py, settings, failure))
}

fn preload_if_it_survives(
    py: Python<'_>,
    settings: &WorkerSettings,
) -> Result<(Option<Py<PyAny>>, PreloadOutcome), BootFailure> {
    let internal = |error| load::internal(&error, py);
    let survive = Helper::Survive.module(py).map_err(internal)?;
    let before = survive.call_method0("snapshot").map_err(internal)?;
    // What handlers have started and connected does not survive either.
    delivery::set_up(py, settings)?;
    let application = import(py, settings)?;
    let left: Option<String> =
        survive.call_method1("left_behind", (before,)).and_then(|left| left.extract()).map_err(internal)?;
    Ok(match left {
        Some(reason) => (None, PreloadOutcome::Unsafe { reason }),
        None => (Some(application), PreloadOutcome::Imported),
    })
}

/// What is there now is there to stay: the collector need not touch it, so its pages stay shared. What a warm-up has left
/// is thrown away first; without one that would only make holes.
fn keep(py: Python<'_>, is_warm: bool) -> PyResult<()> {
    let gc = py.import("gc")?;
    if is_warm {
        gc.call_method0("collect")?;
    }
    gc.call_method0("freeze").map(drop)
}

fn unusable(error: &io::Error) -> BootFailure {
    let summary = format!("the zygote cannot use what the arbiter handed over: {error}");
    BootFailure { code: ExitCode::Setup, summary, traceback: String::new() }
}

/// ` [name]`, or nothing.
pub(crate) fn title_suffix(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" [{name}]") }
}

/// Forks on order. Ends the process when the arbiter has closed the channel; returns in workers only.
fn obey(
    py: Python<'_>,
    channel: ZygoteChannel,
    mut inherited: Inherited,
    application: Option<Py<PyAny>>,
) -> ExitCode {
    loop {
        let Received { message, fds } = match py.detach(|| channel.receive()) {
            Ok(Some(received)) => received,
            Ok(None) => sys::process::exit_now(0),
            Err(error) => {
                log::write(Level::Error, &format!("the zygote cannot hear the arbiter and leaves: {error}"));
                sys::process::exit_now(1)
            }
        };
        match message {
            ToZygote::Logs => inherited::replace_logs(&fds),
            ToZygote::Fork { slot, worker } => {
                let mut fds = fds.into_iter();
                let (Some(end), Some(stacks)) = (fds.next(), fds.next()) else { continue };
                let outputs = fds.next().zip(fds.next());
                if let Some(channel_of_worker) = fork(py, (end, worker), inherited.hooks.as_ref()) {
                    drop(channel);
                    let newborn = Newborn { channel: channel_of_worker, stacks, outputs, slot, worker };
                    return newborn::run(py, inherited, application, newborn);
                }
            }
            ToZygote::Retire => {
                inherited.listeners.clear();
                tell(py, &inherited, "retire", ());
            }
            ToZygote::Workers { now, before } => tell(py, &inherited, "workers", (now, before)),
            ToZygote::Ended { worker, pid } => tell(py, &inherited, "ended", (worker.0, pid)),
            ToZygote::Exit => tell(py, &inherited, "exit", ()),
            ToZygote::BeforeExec { generation } => {
                let ran = inherited.hooks.as_ref().map_or(Ok(()), |hooks| hooks.before_exec(py));
                let _ = channel.send(&FromZygote::ExecHook { generation, ran }, &[]);
            }
        }
    }
}

fn tell<'py>(py: Python<'py>, inherited: &Inherited, what: &str, how: impl pyo3::call::PyCallArgs<'py>) {
    if let Some(hooks) = &inherited.hooks {
        hooks.tell(py, what, how);
    }
}

fn fork(
    py: Python<'_>,
    (end, worker): (OwnedFd, WorkerId),
    hooks: Option<&Hooks>,
) -> Option<birth::WorkerChannel> {
    let forked = match hooks {
        None => birth::fork(py, end),
        Some(hooks) => birth::fork_with(py, end, worker, hooks),
    };
    match forked {
        Ok(Role::Worker(channel)) => Some(channel),
        Ok(Role::Zygote) => None,
        Err(error) => {
            log::write(Level::Error, &format!("the zygote cannot fork: {error}"));
            None
        }
    }
}
