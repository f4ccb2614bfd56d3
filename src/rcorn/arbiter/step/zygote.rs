//! What zygotes say and how they end. Without one workers live on; it is started again when a fork is needed.

use super::super::action::Action;
use super::super::fleet::{Crew, Fleet, Role, Zygote};
use super::super::policy::{BackOff, Moment, QUIT_GRACE};
use super::worker::note_failure;
use super::{hooks, reload};
use contract::exit::ExitCode;
use contract::id::Generation;
use contract::logline::Level;
use contract::message::{BootFailure, FromZygote, PreloadOutcome};
use contract::settings::Preload;
use sys::process::Ended;

/// The interpreter could not be started at all.
pub(super) fn not_started(
    fleet: &mut Fleet,
    generation: Generation,
    why: String,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    let Some(crew) = fleet.crews.get_mut(&generation) else { return };
    crew.zygote = Zygote::Absent;
    let failure = BootFailure { code: ExitCode::Setup, summary: why, traceback: String::new() };
    failed(crew, failure, now, todo);
}

/// A zygote said something.
pub(super) fn said(
    fleet: &mut Fleet,
    generation: Generation,
    message: FromZygote,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    let Some(crew) = fleet.crews.get_mut(&generation) else { return };
    let boots = matches!(crew.zygote, Zygote::Starting { .. });
    match message {
        FromZygote::ExecHook { generation, ran } => {
            reload::hook_answered(fleet, generation, ran, now, todo);
        }
        FromZygote::Loaded(loaded) => todo.push(Action::Watch(loaded)),
        FromZygote::Booted { .. } | FromZygote::Failed(_) if !boots => {}
        FromZygote::Booted { preload: PreloadOutcome::Unsafe { reason } } => {
            start_again_without_preload(generation, crew, &reason, todo);
        }
        FromZygote::Booted { preload } => {
            crew.zygote = Zygote::Ready;
            crew.zygote_back_off = BackOff::default();
            hooks::catch_up(generation, crew, todo);
            let what = if preload == PreloadOutcome::Imported { "with" } else { "without" };
            let text = format!("zygote of generation {generation} is ready, {what} the application");
            todo.push(Action::Log(Level::Debug, text));
        }
        FromZygote::Failed(failure) => {
            crew.zygote = Zygote::Ending { kill_at: None };
            todo.push(Action::KillZygote(generation));
            failed(crew, failure, now, todo);
        }
    }
}

fn start_again_without_preload(
    generation: Generation,
    crew: &mut Crew,
    reason: &str,
    todo: &mut Vec<Action>,
) {
    crew.preload = Preload::Off;
    crew.zygote = Zygote::Ending { kill_at: None };
    todo.push(Action::KillZygote(generation));
    let text = format!(
        "preload is off: {reason}, which does not survive a fork; every worker imports the application itself"
    );
    todo.push(Action::Log(Level::Info, text));
}

/// The channel was closed: the process is about to end, or out of order.
pub(super) fn closed(fleet: &mut Fleet, generation: Generation, now: Moment) {
    let Some(crew) = fleet.crews.get_mut(&generation) else { return };
    // A zygote that boots keeps its state: how it ends says why it did not boot.
    if crew.zygote == Zygote::Ready {
        crew.zygote = Zygote::Ending { kill_at: Some(now.after(QUIT_GRACE)) };
    }
}

/// How a process ended, and what it wrote to standard error before it was known to be Python.
#[derive(Debug)]
pub(crate) struct LastWords {
    /// How.
    pub(crate) how: Ended,
    /// What it wrote.
    pub(crate) said: String,
}

/// The process ended.
pub(super) fn ended(
    fleet: &mut Fleet,
    generation: Generation,
    last: &LastWords,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    if fleet.in_role(Role::Serving) == Some(generation) {
        // Who has not answered by now never will.
        reload::hook_ran(fleet, Ok(()), now, todo);
    }
    let Some(crew) = fleet.crews.get_mut(&generation) else { return };
    match std::mem::replace(&mut crew.zygote, Zygote::Absent) {
        Zygote::Starting { .. } => failed(crew, silent_end(&crew.rules.python, last), now, todo),
        Zygote::Ready | Zygote::Ending { kill_at: Some(_) } if crew.role != Role::Leaving => {
            let lost =
                if crew.rules.hooks.is_empty() { "" } else { ", and what its hooks had in memory is lost" };
            let text = format!("zygote of generation {generation} {}; its workers go on{lost}", last.how);
            todo.push(Action::Log(Level::Warning, text));
        }
        _ => {}
    }
}

/// A zygote that ended and never said why.
pub(crate) fn silent_end(python: &str, LastWords { how, said }: &LastWords) -> BootFailure {
    let (code, hint) = match how {
        Ended::Exited(_) => (
            ExitCode::Setup,
            "is it a Python interpreter? See the setting \"python\"; or does the application end it when imported (os._exit)?",
        ),
        Ended::Killed(_) => {
            (ExitCode::AppImport, "look at the extension modules that the application imports")
        }
    };
    let quoted = said.lines().map(str::trim).find(|line| !line.is_empty());
    let quoted = quoted.map_or_else(String::new, |line| format!(" (it said \"{line}\")"));
    let summary = format!("{python} {how} before it could say why{quoted}: {hint}");
    BootFailure { code, summary, traceback: String::new() }
}

fn failed(crew: &mut Crew, failure: BootFailure, now: Moment, todo: &mut Vec<Action>) {
    crew.zygote_not_before = now.after(crew.zygote_back_off.failed());
    note_failure(crew, failure, todo);
}
