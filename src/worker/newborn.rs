//! How a process that was just forked becomes a worker: what it inherits, its signals, its application. `lifecycle` is
//! about what follows.
//!
//! What arrives while it boots waits until the application is imported.

use crate::birth::{WorkerChannel, await_adoption};
use crate::delivery;
use crate::inherited::Inherited;
use crate::kind::{self, Kind};
use crate::lifecycle::Post;
use crate::python::Helper;
use crate::zygote::title_suffix;
use crate::{load, log, reload, service};
use contract::descriptors;
use contract::exit::ExitCode;
use contract::id::{Slot, WorkerId};
use contract::message::{BootFailure, FromWorker};
use contract::scoreboard::Scoreboard;
use pyo3::prelude::*;
use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use sys::signal::{self, Noted};

/// All are caught, most to do no harm: a caught signal has its default effect again in a program that the
/// application starts, an ignored one would stay ignored there.
const CAUGHT: [i32; 9] = [
    signal::SIGTERM,
    signal::SIGINT,
    signal::SIGQUIT,
    signal::SIGUSR1,
    signal::SIGHUP,
    signal::SIGUSR2,
    signal::SIGWINCH,
    signal::SIGTTIN,
    signal::SIGTTOU,
];

/// What a worker comes with.
pub(crate) struct Newborn {
    /// Its end of its channel.
    pub(crate) channel: WorkerChannel,
    /// Where it writes its stacks when the operator wants to see them.
    pub(crate) stacks: OwnedFd,
    /// What its standard output and standard error are to be.
    pub(crate) outputs: Option<(OwnedFd, OwnedFd)>,
    /// Its place in the scoreboard.
    pub(crate) slot: Slot,
    /// Its name.
    pub(crate) worker: WorkerId,
}

/// Runs a newborn worker to its end.
pub(crate) fn run(
    py: Python<'_>,
    inherited: Inherited,
    application: Option<Py<PyAny>>,
    newborn: Newborn,
) -> ExitCode {
    let hooks = inherited.hooks.clone();
    let mut code = begin(py, inherited, application, newborn).unwrap_or_else(|code| code);
    if let Some(hooks) = hooks {
        code = hooks.farewell(py, code);
    }
    delivery::deliver_now(py);
    code
}

/// Becomes a worker, imports the application, and serves.
fn begin(
    py: Python<'_>,
    inherited: Inherited,
    application: Option<Py<PyAny>>,
    Newborn { channel, stacks, outputs, slot, worker }: Newborn,
) -> Result<ExitCode, ExitCode> {
    let failed = |failure| refuse(&channel, failure);
    let settings = &inherited.settings;
    let patience = settings.graceful_timeout;
    log::set_worker(slot.0 + 1);
    sys::title::set(&format!("rcorn: worker {slot}{}", title_suffix(&settings.name)));
    // Where somebody reads what it prints, the stacks of a stuck request are told with it.
    let stacks_to = if outputs.is_some() { 2 } else { descriptors::ERROR_LOG };
    if let Some(outputs) = outputs {
        print_to(py, outputs).map_err(failed)?;
    }
    // Python's own handler first: ours then takes its place and calls it by way of an interrupt.
    let interrupted = newborn(py, stacks, stacks_to).map_err(|error| failed(load::internal(&error, py)))?;
    let Some(signals) = become_worker(&inherited, slot).map_err(|error| failed(unable(&error)))? else {
        return Ok(ExitCode::Success);
    };
    let place = (Arc::clone(&inherited.scoreboard), slot);
    let booted = boot(py, &inherited, application, (worker, place), &signals);
    let Some((kind, application)) = booted.map_err(failed)? else { return Ok(ExitCode::Success) };
    let hooks = inherited.hooks.clone();
    let post = Post { slot, signals, channel, patience, hooks, reload: settings.reload };
    service::serve(py, kind, (application, interrupted), inherited, post)
}

/// Has the hooks run and the application imported, whatever that was not done before. `None` where the worker is to leave.
fn boot(
    py: Python<'_>,
    inherited: &Inherited,
    application: Option<Py<PyAny>>,
    (worker, place): (WorkerId, (Arc<Scoreboard>, Slot)),
    signals: &Noted,
) -> Result<Option<(Kind, Py<PyAny>)>, BootFailure> {
    let (settings, hooks) = (&inherited.settings, &inherited.hooks);
    let begun = || {
        if application.is_none() {
            delivery::set_up(py, settings)?;
        }
        hooks.as_ref().map_or(Ok(()), |hooks| hooks.post_fork(py, worker, place))
    };
    let Some(()) = unless_interrupted(signals, begun())? else { return Ok(None) };
    let application = match application {
        Some(application) => application,
        None => match unless_interrupted(signals, load::load(py, settings)) {
            Ok(Some(application)) => application,
            Ok(None) => return Ok(None),
            Err(failure) => reload::instead(py, settings, failure)?,
        },
    };
    let kind = kind::choose(py, settings, &application)?;
    let Some(hooks) = hooks else { return Ok(Some((kind, application))) };
    let application = unless_interrupted(signals, hooks.loaded(py, &application))?;
    Ok(application.map(|application| (kind, application)))
}

/// A failure of what was interrupted, as the worker is to leave, is none: `None`.
fn unless_interrupted<T>(signals: &Noted, outcome: Result<T, BootFailure>) -> Result<Option<T>, BootFailure> {
    match outcome {
        Err(_) if is_to_leave(signals) => Ok(None),
        outcome => outcome.map(Some),
    }
}

fn become_worker(inherited: &Inherited, slot: Slot) -> io::Result<Option<Noted>> {
    let signals = Noted::watch(&CAUGHT)?;
    signals.interrupt_on(&[signal::SIGINT, signal::SIGQUIT], interrupt_python)?;
    if !await_adoption(inherited.settings.arbiter) {
        return Ok(None);
    }
    // For the life of the process: a signal handler writes there.
    let board: &'static Arc<Scoreboard> = Box::leak(Box::new(Arc::clone(&inherited.scoreboard)));
    sys::last_word::install(board.slot(slot).every_lane().map(|lane| lane.answered_place()).collect())?;
    signal::die_after_parent(inherited.settings.graceful_timeout)?;
    Ok(Some(signals))
}

/// Gives the exception that an interrupt raises in the application.
fn newborn(py: Python<'_>, stacks: OwnedFd, shown_on: i32) -> PyResult<Py<PyAny>> {
    // Before somebody watches the signal that shows the stacks: this makes it harmless first.
    signal::abort_shows_stacks()?;
    let helper = Helper::Newborn.module(py)?;
    helper.call_method0("reseed")?;
    helper.call_method1("show_stacks_on", (signal::stacks_signal(), shown_on))?;
    helper.call_method1("show_stacks_on", (signal::thread_stack_signal(), shown_on, false))?;
    // The handler writes to the number for as long as the process lives.
    helper.call_method1("show_stacks_on", (signal::report_signal(), stacks.into_raw_fd()))?;
    helper.call_method1("raise_on", (signal::SIGINT,)).map(Bound::unbind)
}

/// Standard output and standard error are these from now on.
fn print_to(py: Python<'_>, (out, err): (OwnedFd, OwnedFd)) -> Result<(), BootFailure> {
    let printing = sys::fd::become_standard(1, out.as_fd());
    printing.and_then(|()| sys::fd::become_standard(2, err.as_fd())).map_err(|error| unable(&error))?;
    print_by_lines(py).map_err(|error| load::internal(&error, py))
}

/// What is printed is to be read as soon as a line is whole.
pub(crate) fn print_by_lines(py: Python<'_>) -> PyResult<()> {
    Helper::Newborn.module(py)?.call_method0("print_by_lines").map(drop)
}

/// Called by a signal handler.
extern "C" fn interrupt_python() {
    // SAFETY: may be called from a signal handler and without the GIL, says its documentation.
    unsafe { pyo3::ffi::PyErr_SetInterruptEx(signal::SIGINT) };
}

fn is_to_leave(signals: &Noted) -> bool {
    signals.take().iter().any(|signal| matches!(*signal, signal::SIGINT | signal::SIGQUIT))
}

/// Tells the arbiter why this worker does not serve.
pub(crate) fn refuse(channel: &WorkerChannel, failure: BootFailure) -> ExitCode {
    let code = failure.code;
    let _ = channel.send(&FromWorker::Failed(failure), &[]);
    code
}

pub(crate) fn unable(error: &io::Error) -> BootFailure {
    let summary = format!("a worker cannot start: {error}");
    BootFailure { code: ExitCode::Setup, summary, traceback: String::new() }
}
