//! The arbiter: supervises zygotes and workers, and never carries a request nor loads Python.
//!
//! `run` waits and makes an `event` of what happened; `step` decides with nothing but the `fleet` (the register) and
//! `policy` (the limits) before it; `act` carries the `action`s out. The rest are the things that `act` holds: the
//! `ground` of each generation with its `listeners` (ours or `handed` over by systemd), the `wires` to zygotes and
//! workers and the `output` of these, how a `zygote` is started and what it is told (`worker_settings`), the `pidfile`;
//! `opening`, `handover`, `health`, `look`, `rotation`, `reloading` and `telling` are parts of the hands. In a reload we
//! become the program that lies on disk by then: `succession`, with everything that there is in a `state`.
//!
//! How a stop ends listening: our copies of the listeners are closed and socket files removed at once, then the
//! zygote's go with it, so the workers' copies are the last. Each worker accepts what is queued before it closes its
//! own; the last one's close ends the socket. A connection that comes later is refused. One that comes while the last
//! worker is still in a request is answered after it, or reset when `graceful_timeout` ends both.

mod act;
mod action;
mod cfg;
mod check;
mod event;
mod fleet;
mod ground;
mod handed;
mod handover;
pub(crate) mod health;
mod hindrance;
mod hooking;
mod listeners;
mod look;
pub(crate) mod memory;
mod opening;
mod output;
mod pidfile;
mod policy;
mod records;
mod reloading;
mod rotation;
mod run;
mod signals;
mod state;
mod step;
mod succession;
mod telling;
#[cfg(test)]
pub(crate) mod tests;
mod unfinished;
mod wires;
mod worker_settings;
mod zygote;

pub(crate) use act::Hands;
pub(crate) use check::check;
pub(crate) use event::{Event, Wish};
pub(crate) use fleet::{Crew, Fleet, Phase, Role, Stage, Why, Worker};
pub(crate) use listeners::Listener;
pub(crate) use output::{Ends, Outputs, Reader};
pub(crate) use state::{Crossing, LogsState};
pub(crate) use step::{LastWords, silent_end};
pub(crate) use succession::FIT;
pub(crate) use zygote::{BOOT, environment, text_of};

use crate::settings::{Invocation, Settings};
use crate::systemd::Manager;
use contract::exit::ExitCode;
use contract::id::Generation;
use hindrance::Hindrance;
use state::State;
use std::collections::VecDeque;

/// Serves until it is told to stop. Descriptors below `sys::spawn::FIRST_FREE` have to be reserved before.
pub(crate) fn serve(invocation: Invocation, settings: Settings) -> ExitCode {
    opening::set_title(&settings);
    let manager = Manager::of(&invocation);
    on_runtime(manager, ExitCode::Setup, async {
        let signals = signals::Signals::watch().map_err(system)?;
        // Whoever started us may have held some.
        sys::exec::release_signals().map_err(system)?;
        let hands = Hands::open(invocation, settings)?;
        let rules = hands.first_rules().ok_or("the first generation has no ground")?;
        let events = VecDeque::from([Event::Prepared(Generation(1), Ok(rules))]);
        run::run(hands, Fleet::new(), events, signals).await.map_err(system)
    })
}

/// Goes on where our former self stopped to let us take over.
pub(crate) fn follow(invocation: Invocation, state: i32) -> ExitCode {
    let manager = Manager::of(&invocation);
    on_runtime(manager, ExitCode::Succession, async {
        let state = State::read(succession::state_at(state)?)?;
        let signals = signals::Signals::watch().map_err(system)?;
        let (mut hands, fleet) = Hands::take_up(invocation, state)?;
        sys::exec::release_signals().map_err(system)?;
        let mut events = VecDeque::from(run::reap(&mut hands, &fleet));
        events
            .extend(fleet.preparing.map(|generation| Event::Prepared(generation, hands.prepare(generation))));
        run::run(hands, fleet, events, signals).await.map_err(system)
    })
}

/// As a child of the arbiter that runs: could we follow it?
pub(crate) fn could_follow(invocation: &Invocation, state: i32) -> Result<(), String> {
    succession::could_follow(invocation, succession::state_at(state)?)
}

fn on_runtime(
    mut manager: Manager,
    failed: ExitCode,
    served: impl Future<Output = Result<ExitCode, Hindrance>>,
) -> ExitCode {
    // A log that may not grow any more is no reason to end. It fails only for what is no signal.
    let _ = sys::signal::ignore(sys::signal::SIGXFSZ);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system);
    let code = runtime.and_then(|runtime| runtime.block_on(served));
    code.unwrap_or_else(|sentence| {
        act::say(&format!("rcorn: {sentence}\n"));
        manager.fail(&sentence, sentence.errno());
        failed
    })
}

#[allow(clippy::needless_pass_by_value, reason = "it is what map_err calls")]
fn system(error: std::io::Error) -> Hindrance {
    Hindrance::of(format!("cannot start: {error}"), &error)
}
