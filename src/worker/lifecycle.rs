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
use crate::birth::WorkerChannel;
use crate::hooks::Hooks;
use crate::inherited;
use crate::meter::Meter;
use crate::newborn::refuse;
use crate::{log, reload};
use contract::channel::Received;
use contract::exit::ExitCode;
use contract::id::Slot;
use contract::logline::Level;
use contract::message::{BootFailure, FromWorker, ToWorker};
use http::{Farewell, Server, Turned};
use std::io;
use std::os::fd::AsFd;
use sys::signal::{self, Noted};

/// Names of the descriptors that the server watches for us.
const CHANNEL: u32 = 0;
const SIGNALS: u32 = 1;

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

    /// Serves to the end. The application may have to be ended as well.
    pub(crate) fn serve(&mut self) -> ExitCode {
        if self.is_unneeded() {
            return ExitCode::Success;
        }
        let Leave(code) = match self.announce() {
            Ok(()) => self.turn_until_leave(),
            Err(error) => broken(&error),
        };
        self.meter.flush();
        code
    }

    /// Requests that were given up may have ended since nobody waited for them: they have their access lines as well.
    pub(crate) fn note_latecomers(&mut self) {
        self.server.note_latecomers(&mut self.app, &mut self.meter);
        self.meter.finish();
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
