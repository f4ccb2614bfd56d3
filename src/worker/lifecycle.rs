//! The life of a worker: Booting → Serving → Draining → gone, driven by messages and signals.
//!
//! | what happens                      | serving  | draining |
//! |-----------------------------------|----------|----------|
//! | `Drain`                           | drain    | drain    |
//! | `Retire`, SIGTERM                 | drain, and be patient with quiet connections | – |
//! | the channel ends (arbiter gone)   | drain    | –        |
//! | `GiveUp`                          | as `Retire`, and do not wait for what is stuck | do not wait for that |
//! | `Quit`, SIGINT, SIGQUIT           | leave    | leave    |
//! | nothing is in flight any more     | –        | leave    |
//!
//! What arrives while it boots waits until the application is imported. A drain has no time limit of its own: the
//! arbiter kills at `graceful_timeout`, and when that is gone the timer of `sys::signal::die_after_parent` does.

use crate::application::Application;
use crate::birth::{WorkerChannel, await_adoption};
use crate::delivery;
use crate::hooks::Hooks;
use crate::inherited::{self, Inherited};
use crate::kind;
use crate::meter::Meter;
use crate::python::Helper;
use crate::zygote::title_suffix;
use crate::{load, log, reload, service};
use contract::channel::Received;
use contract::descriptors;
use contract::exit::ExitCode;
use contract::id::{Slot, WorkerId};
use contract::logline::Level;
use contract::message::{BootFailure, FromWorker, ToWorker};
use contract::scoreboard::Scoreboard;
use http::{Farewell, Server, Turned};
use pyo3::prelude::*;
use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use sys::signal::{self, Noted};

/// Names of the descriptors that the server watches for us.
const CHANNEL: u32 = 0;
const SIGNALS: u32 = 1;

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
    if let Some((out, err)) = outputs {
        let printing = sys::fd::become_standard(1, out.as_fd());
        printing
            .and_then(|()| sys::fd::become_standard(2, err.as_fd()))
            .map_err(|error| failed(unable(&error)))?;
        print_by_lines(py).map_err(|error| failed(load::internal(&error, py)))?;
    }
    // Python's own handler first: ours then takes its place and calls it by way of an interrupt.
    let interrupted = newborn(py, stacks, stacks_to).map_err(|error| failed(load::internal(&error, py)))?;
    let Some(signals) = become_worker(&inherited, slot).map_err(|error| failed(unable(&error)))? else {
        return Ok(ExitCode::Success);
    };
    let hooks = inherited.hooks.clone();
    if let Some(hooks) = &hooks {
        let place = (Arc::clone(&inherited.scoreboard), slot);
        hooks.post_fork(py, worker, place).map_err(failed)?;
    }
    let application = match application {
        Some(application) => application,
        None => match delivery::set_up(py, settings).and_then(|()| load::load(py, settings)) {
            Ok(application) => application,
            // The import was interrupted, which is no failure of the application.
            Err(_) if is_to_leave(&signals) => return Ok(ExitCode::Success),
            Err(failure) => reload::instead(py, settings, failure).map_err(failed)?,
        },
    };
    let kind = kind::choose(py, settings, &application).map_err(failed)?;
    if let Some(hooks) = &hooks {
        hooks.loaded(py, &application).map_err(failed)?;
    }
    let post = Post { slot, signals, channel, patience, hooks, reload: settings.reload };
    service::serve(py, kind, (application, interrupted), inherited, post)
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
    // The handler writes to the number for as long as the process lives.
    helper.call_method1("show_stacks_on", (signal::report_signal(), stacks.into_raw_fd()))?;
    helper.call_method1("raise_on", (signal::SIGINT,)).map(Bound::unbind)
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

/// A worker that serves.
pub(crate) struct Worker<A> {
    pub(crate) server: Server,
    pub(crate) app: A,
    pub(crate) meter: Meter,
    signals: Noted,
    /// `None` once the arbiter is gone.
    channel: Option<WorkerChannel>,
    draining: bool,
    /// Milliseconds that a drain may take.
    patience: u64,
    hooks: Option<Hooks>,
    /// In development: files that were loaded are told, and quiet connections are to meet the new code.
    reload: bool,
}

/// Where a worker stands, and who it hears.
pub(crate) struct Post {
    /// Its place in the scoreboard.
    pub(crate) slot: Slot,
    pub(crate) signals: Noted,
    pub(crate) channel: WorkerChannel,
    /// Milliseconds that a drain may take.
    pub(crate) patience: u64,
    pub(crate) hooks: Option<Hooks>,
    /// The setting of that name.
    pub(crate) reload: bool,
}

/// Why the loop ends.
pub(crate) struct Leave(pub(crate) ExitCode);

impl<A: Application> Worker<A> {
    pub(crate) fn new((server, meter): (Server, Meter), app: A, post: Post) -> Self {
        let Post { signals, channel, patience, hooks, reload, .. } = post;
        Self { server, app, meter, signals, channel: Some(channel), draining: false, patience, hooks, reload }
    }

    /// Serves to the end. Gives the application back, which may have to be ended as well.
    pub(crate) fn serve(mut self) -> (ExitCode, A) {
        if self.is_unneeded() {
            return (ExitCode::Success, self.app);
        }
        let Leave(code) = match self.announce() {
            Ok(()) => self.turn_until_leave(),
            Err(error) => broken(&error),
        };
        self.meter.flush();
        (code, self.app)
    }

    /// Was it told to leave while it imported the application?
    pub(crate) fn is_unneeded(&self) -> bool {
        let Some(channel) = &self.channel else { return true };
        loop {
            match channel.try_receive() {
                Ok(Some(Received { message: ToWorker::Logs, fds })) => inherited::replace_logs(&fds),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // Told to, or not needed by anybody who is still there.
                _ => return true,
            }
        }
    }

    /// Tells the arbiter that it serves.
    pub(crate) fn announce(&mut self) -> io::Result<()> {
        self.server.watch(self.signals.as_fd(), SIGNALS)?;
        if let Some(channel) = &self.channel {
            self.server.watch(channel.as_fd(), CHANNEL)?;
            channel.send(&FromWorker::Ready, &[])?;
        }
        self.tell_loaded();
        Ok(())
    }

    fn turn_until_leave(&mut self) -> Leave {
        loop {
            let turned = match self.server.turn(&mut self.app, &mut self.meter) {
                Ok(turned) => turned,
                Err(error) => return broken(&error),
            };
            if let Err(leave) = self.mind(&turned) {
                return leave;
            }
            if self.draining && self.server.is_idle() {
                return Leave(ExitCode::Success);
            }
        }
    }

    /// Tells the arbiter why it does not serve.
    pub(crate) fn refuse(&self, failure: BootFailure) -> ExitCode {
        self.channel.as_ref().map_or(failure.code, |channel| refuse(channel, failure))
    }

    /// One turn without waiting, for who has a loop of his own: in how many milliseconds there has to be another.
    pub(crate) fn turn_within(&mut self) -> Result<Option<u64>, Leave> {
        let Self { server, app, meter, .. } = self;
        let turned = server.turn_within(app, meter).map_err(|error| broken(&error))?;
        self.mind(&turned)?;
        // What was heard may have changed when the server wants to be turned.
        Ok(if turned.keys.is_empty() { turned.next } else { Some(0) })
    }

    /// Does what signals, arbiter and application want, and what the number of requests asks for.
    fn mind(&mut self, turned: &Turned) -> Result<(), Leave> {
        for key in &turned.keys {
            if *key == SIGNALS { self.mind_signals()? } else { self.hear_arbiter()? }
        }
        self.tell_loaded();
        if self.app.wants_to_leave() {
            self.leave_on_own_account();
        }
        if self.meter.is_spent() && !self.draining {
            self.tell(&FromWorker::Spent);
        }
        Ok(())
    }

    /// Is this development, where files are watched?
    pub(crate) fn reloads(&self) -> bool {
        self.reload
    }

    fn tell_loaded(&self) {
        if self.reload {
            reload::tell_loaded(|loaded| self.tell(&FromWorker::Loaded(loaded)));
        }
    }

    /// Does it only finish what is in flight?
    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    fn mind_signals(&mut self) -> Result<(), Leave> {
        for signal in self.signals.take() {
            match signal {
                signal::SIGTERM => self.leave_on_own_account(),
                signal::SIGINT | signal::SIGQUIT => return Err(self.leave_at_once()),
                signal::SIGUSR1 => self.tell(&FromWorker::ReopenLogs),
                number if [signal::stacks_signal(), signal::report_signal()].contains(&number) => {
                    self.app.show_more(number);
                }
                _ => log::write(Level::Debug, &format!("a worker has no use for signal {signal}")),
            }
        }
        Ok(())
    }

    fn hear_arbiter(&mut self) -> Result<(), Leave> {
        let Some(channel) = &self.channel else { return Ok(()) };
        match channel.try_receive() {
            Ok(Some(received)) => match received.message {
                ToWorker::Drain => self.end(Farewell::Stop),
                ToWorker::Retire => self.end(self.retirement()),
                ToWorker::AloneOn(listeners) => {
                    listeners.iter().for_each(|index| self.server.is_alone_on(*index as usize));
                }
                ToWorker::GiveUp(lanes) => self.give_up(&lanes),
                ToWorker::Quit => return Err(self.leave_at_once()),
                ToWorker::Logs => inherited::replace_logs(&received.fds),
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(None) | Err(_) => self.arbiter_is_gone(),
        }
        Ok(())
    }

    fn leave_at_once(&self) -> Leave {
        if let Some(hooks) = &self.hooks {
            hooks.interrupted();
        }
        Leave(ExitCode::Success)
    }

    /// What else is in flight is finished; these requests are not waited for.
    fn give_up(&mut self, lanes: &[(u32, u64)]) {
        // Whose client has heard 504 may not be sent here again.
        if !self.draining {
            self.end(self.retirement());
        }
        for (lane, since) in lanes {
            if let Some(key) = self.app.stuck(*lane, *since) {
                sys::last_word::give(*lane);
                self.server.give_up(key, &mut self.app);
            }
        }
        if let Some(hooks) = &self.hooks {
            hooks.stuck();
        }
    }

    fn arbiter_is_gone(&mut self) {
        if let Some(channel) = self.channel.take() {
            log::write(Level::Warning, "the arbiter is gone; finishing what is in flight");
            let _ = self.server.unwatch(channel.as_fd());
        }
        self.end(Farewell::Stop);
    }

    /// Leaves without having been told to.
    pub(crate) fn leave_on_own_account(&mut self) {
        if !self.draining {
            self.tell(&FromWorker::Leaving);
            self.end(self.retirement());
        }
    }

    fn retirement(&self) -> Farewell {
        if self.reload {
            return Farewell::Vanish;
        }
        Farewell::Retire { patience: self.patience() }
    }

    /// How many milliseconds of a drain requests have: a tenth of the time is kept for the end itself.
    pub(crate) fn patience(&self) -> u64 {
        self.patience / 10 * 9
    }

    fn end(&mut self, farewell: Farewell) {
        self.draining = true;
        self.meter.draining();
        self.server.end(farewell);
    }

    fn tell(&self, message: &FromWorker) {
        // An arbiter that does not hear is gone or stuck; the end of the channel will say which.
        let _ = self.channel.as_ref().map(|channel| channel.send(message, &[]));
    }
}

/// The loop cannot go on.
fn broken(error: &io::Error) -> Leave {
    log::write(Level::Critical, &format!("the worker's loop failed: {error}"));
    Leave(ExitCode::Setup)
}
