//! `--check-config`: boots one zygote that imports the application, hears what it has to say, and ends it. Nothing is
//! bound and nothing is written.

use super::ground::Ground;
use super::step::{LastWords, silent_end};
use super::zygote::{Errand, Started, text_of};
use crate::settings::{Invocation, LogTarget, Settings};
use contract::exit::ExitCode;
use contract::id::{Generation, Pid};
use contract::message::{BootFailure, FromZygote};
use contract::settings::{Occasion, Preload};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use sys::poll::{Interest, Poller};
use sys::process::{self, Ended};
use sys::signal;

/// How long a zygote may take to leave that is no longer needed.
const PARTING: Duration = Duration::from_secs(1);

/// Tries whether the application can be imported.
pub(crate) fn check(invocation: &Invocation, settings: &Settings) -> Result<(), BootFailure> {
    let mut settings = settings.clone();
    settings.bind.clear();
    settings.metrics.bind = None;
    settings.error_log = LogTarget::Stream;
    settings.access_log = None;
    // A page about it in place of the application would be good news.
    settings.development.reload = false;
    let limit = settings.startup_timeout;
    let ground = Ground::prepare(invocation, settings, &[], &[]).map_err(|why| setup(why.into()))?;
    // Nothing begins here that a hook would have to hear of.
    let errand = Errand { preload: Preload::On, occasion: Occasion::Again, workers: 0 };
    let started = ground.start_zygote(invocation, Generation(1), errand).map_err(setup)?;
    let verdict = hear(&started, limit);
    let last = end(started);
    verdict.unwrap_or_else(|| Err(silent_end(&ground.rules().python, &last)))
}

fn setup(summary: String) -> BootFailure {
    BootFailure { code: ExitCode::Setup, summary, traceback: String::new() }
}

/// What the zygote says of the application; `None` when it ended without a word.
fn hear(started: &Started, limit: Duration) -> Option<Result<(), BootFailure>> {
    match wait(started, limit) {
        Ok(true) => {}
        Ok(false) => {
            let summary = format!("the application could not be imported within {} s", limit.as_secs_f64());
            return Some(Err(BootFailure { code: ExitCode::AppImport, ..setup(summary) }));
        }
        Err(error) => return Some(Err(setup(format!("cannot wait for a zygote: {error}")))),
    }
    match started.channel.receive() {
        Ok(Some(received)) => Some(match received.message {
            FromZygote::Booted { .. } | FromZygote::ExecHook { .. } | FromZygote::Loaded(_) => Ok(()),
            FromZygote::Failed(failure) => Err(failure),
        }),
        Ok(None) => None,
        Err(error) => Some(Err(setup(format!("the zygote cannot be understood: {error}")))),
    }
}

/// True when something can be heard, false when that took too long.
fn wait(started: &Started, limit: Duration) -> std::io::Result<bool> {
    let mut poller = Poller::new(1)?;
    poller.add(started.channel.as_fd(), 0, Interest::Read)?;
    let begin = Instant::now();
    loop {
        let rest = limit.saturating_sub(begin.elapsed()).as_millis();
        let rest = if limit.is_zero() { None } else { Some(u64::try_from(rest).unwrap_or(u64::MAX)) };
        match poller.wait(rest) {
            Ok(0) if rest == Some(0) => return Ok(false),
            Ok(0) => {}
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Ends it: how it did, and what it said before it was known to be Python.
fn end(started: Started) -> LastWords {
    let Started { pid: Pid(pid), channel, said } = started;
    drop(channel);
    let how = process::wait_or_kill(pid, PARTING).ok().flatten().unwrap_or(Ended::Killed(signal::SIGKILL));
    LastWords { how, said: text_of(said) }
}
