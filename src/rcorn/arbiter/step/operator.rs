//! What the operator wants.

use super::super::action::{Action, Notice};
use super::super::event::Wish;
use super::super::fleet::{Fleet, Role, Stage};
use super::super::policy::Moment;
use super::settle::{self, Manner};
use super::{hooks, reload};
use crate::control::Scale;
use contract::exit::ExitCode;
use contract::logline::Level;

/// The operator wants something.
pub(super) fn wish(fleet: &mut Fleet, wish: Wish, now: Moment, todo: &mut Vec<Action>) {
    match wish {
        Wish::Stop | Wish::Quit if fleet.stage != Stage::Running => hurry(fleet, now, todo),
        Wish::Stop => {
            todo.push(Action::Log(Level::Info, stop_text(fleet)));
            stop(fleet, ExitCode::Success, Manner::Stop, now, todo);
        }
        Wish::Quit => {
            todo.push(Action::Log(Level::Info, "stopping at once".to_owned()));
            stop(fleet, ExitCode::Success, Manner::Hurried, now, todo);
        }
        Wish::Reload => ask_for_reload(fleet, todo),
        Wish::Upgrade => {
            fleet.upgrade_queued = fleet.stage == Stage::Running;
            ask_for_reload(fleet, todo);
        }
        Wish::ReopenLogs => todo.push(Action::ReopenLogs),
        Wish::More => change_target(fleet, Scale::By(1), todo),
        Wish::Fewer => change_target(fleet, Scale::By(-1), todo),
        Wish::Scale(scale) => change_target(fleet, scale, todo),
        Wish::Winch => {
            let text = "SIGWINCH is ignored: rcorn is no daemon of its own making";
            todo.push(Action::Log(Level::Debug, text.to_owned()));
        }
    }
}

fn stop_text(fleet: &Fleet) -> String {
    let patience = fleet.crews.values().map(|crew| crew.rules.graceful_timeout).max().unwrap_or_default();
    format!("stopping: requests in flight have {} s to finish", patience.as_secs_f64())
}

/// Everyone leaves, and so do we, with this code.
pub(super) fn stop(fleet: &mut Fleet, code: ExitCode, manner: Manner, now: Moment, todo: &mut Vec<Action>) {
    fleet.stage = Stage::Stopping { code, hurried: manner == Manner::Hurried };
    reload::forget_check(fleet, todo);
    todo.push(Action::StopListening);
    todo.push(Action::Notify(Notice::Stopping, "stopping".to_owned()));
    let serving = fleet.in_role(Role::Serving).or_else(|| fleet.crews.keys().next_back().copied());
    for (generation, crew) in &mut fleet.crews {
        crew.hooking.has_last_word = serving == Some(*generation);
        settle::send_away(*generation, crew, manner, now, todo);
    }
}

/// Nobody waits for requests any longer.
fn hurry(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    let Stage::Stopping { code, hurried: false } = fleet.stage else { return };
    fleet.stage = Stage::Stopping { code, hurried: true };
    todo.push(Action::Log(Level::Info, "stopping at once".to_owned()));
    for (generation, crew) in &mut fleet.crews {
        settle::send_away(*generation, crew, Manner::Hurried, now, todo);
        hooks::hurry(crew, now);
    }
}

fn ask_for_reload(fleet: &mut Fleet, todo: &mut Vec<Action>) {
    if fleet.stage != Stage::Running {
        return;
    }
    if fleet.reload_queued || fleet.is_booting() {
        let text = "a generation is starting already; the reload that was asked for follows it";
        todo.push(Action::Log(Level::Info, text.to_owned()));
    }
    fleet.reload_queued = true;
}

fn change_target(fleet: &mut Fleet, scale: Scale, todo: &mut Vec<Action>) {
    let serving = fleet.in_role(Role::Serving).or_else(|| fleet.in_role(Role::Booting));
    let crew = serving.and_then(|generation| Some((generation, fleet.crews.get_mut(&generation)?)));
    let Some((generation, crew)) = crew else { return };
    let before = crew.target;
    crew.target = scale.of(before);
    hooks::count_changed(generation, crew, before, todo);
    let text = match crew.target {
        1 if before == 1 => "1 worker stays: there is always one".to_owned(),
        1 => "1 worker is wanted now".to_owned(),
        count => format!("{count} workers are wanted now"),
    };
    todo.push(Action::Log(Level::Info, text));
}
