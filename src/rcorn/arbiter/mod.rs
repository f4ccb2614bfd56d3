//! The arbiter: supervises zygotes and workers, and never carries a request nor loads Python.
//!
//! `run` waits and makes an `event` of what happened; `step` decides with nothing but the `fleet` (the register) and
//! `policy` (the limits) before it; `act` carries the `action`s out. The rest are the things that `act` holds: the
//! `ground` of each generation with its `listeners` (ours or `handed` over by systemd), the `wires` to zygotes and
//! workers, how a `zygote` is started and what it is told (`worker_settings`), the `pidfile`, `notify`.
//!
//! How a stop ends listening: our copies of the listeners are closed and socket files removed at once, then the
//! zygote's go with it, so the workers' copies are the last. Each worker accepts what is queued before it closes its
//! own; the last one's close ends the socket. A connection that comes later is refused. One that comes while the last
//! worker is still in a request is answered after it, or reset when `graceful_timeout` ends both.

mod act;
mod action;
mod check;
mod event;
mod fleet;
mod ground;
mod handed;
mod listeners;
mod memory;
mod notify;
mod pidfile;
mod policy;
mod run;
mod step;
#[cfg(test)]
mod tests;
mod wires;
mod worker_settings;
mod zygote;

pub(crate) use check::check;

use crate::settings::{Invocation, Settings};
use act::Hands;
use contract::exit::ExitCode;

/// Serves until it is told to stop. Descriptors below `sys::spawn::FIRST_FREE` have to be reserved before.
pub(crate) fn serve(invocation: Invocation, settings: Settings) -> ExitCode {
    act::set_title(&settings);
    let served = serve_on_runtime(invocation, settings);
    served.unwrap_or_else(|sentence| {
        act::say(&format!("rcorn: {sentence}\n"));
        ExitCode::Setup
    })
}

fn serve_on_runtime(invocation: Invocation, settings: Settings) -> Result<ExitCode, String> {
    let system = |error: std::io::Error| format!("cannot start: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    runtime.block_on(async {
        let signals = run::Signals::watch().map_err(system)?;
        let hands = Hands::open(invocation, settings)?;
        run::run(hands, signals).await.map_err(system)
    })
}
