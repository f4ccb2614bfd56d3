//! What zygotes are told for the sake of the settings' hooks, which run there: who has ended, how many workers are
//! wanted, that this is the end. A zygote with `child_exit` or `on_exit` outlives its workers.
//!
//! Where the settings have no hooks, nothing of this ever happens.

use super::super::action::Action;
use super::super::fleet::{Crew, Fleet, Role, Zygote};
use super::super::policy::{Moment, QUIT_GRACE, Rules};
use contract::id::{Generation, Pid, WorkerId};
use contract::logline::Level;
use contract::message::ToZygote;
use contract::settings::Preload;

/// Gunicorn's hooks before and behind a fork run before the application is imported: where there are any, it is the
/// workers that import it, unless the settings say in so many words that the zygote is to.
pub(super) fn keep_off_preload(rules: &mut Rules, todo: &mut Vec<Action>) {
    let Some(hook) = rules.early_hook().filter(|_| rules.preload == Preload::Auto) else { return };
    rules.preload = Preload::Off;
    let text = format!(
        "preload is off: the settings have {hook}, which runs before the application is imported; \
         preload_app = True has it imported before that"
    );
    todo.push(Action::Log(Level::Info, text));
}

/// A worker has ended.
pub(super) fn ended(
    generation: Generation,
    crew: &mut Crew,
    (worker, pid): (WorkerId, Pid),
    todo: &mut Vec<Action>,
) {
    if crew.rules.hooks.is_empty() {
        return;
    }
    match crew.zygote {
        Zygote::Ready => todo.push(Action::TellZygote(generation, news(worker, pid))),
        Zygote::Absent | Zygote::Starting { .. } if crew.role != Role::Leaving => {
            crew.hooking.ended.push((worker, pid));
        }
        _ => {}
    }
}

fn news(worker: WorkerId, pid: Pid) -> ToZygote {
    ToZygote::Ended { worker, pid: pid.0 }
}

/// A zygote can be told what has happened meanwhile.
pub(super) fn catch_up(generation: Generation, crew: &mut Crew, todo: &mut Vec<Action>) {
    crew.hooking.begun = true;
    for (worker, pid) in std::mem::take(&mut crew.hooking.ended) {
        todo.push(Action::TellZygote(generation, news(worker, pid)));
    }
}

/// Another number of workers is wanted.
pub(super) fn count_changed(generation: Generation, crew: &Crew, before: u32, todo: &mut Vec<Action>) {
    let now = crew.target;
    let hears = matches!(crew.zygote, Zygote::Ready | Zygote::Starting { .. });
    if hears && now != before && !crew.rules.hooks.is_empty() {
        todo.push(Action::TellZygote(generation, ToZygote::Workers { now, before }));
    }
}

/// The crew is sent away; does its zygote stay?
pub(super) fn stays(generation: Generation, crew: &mut Crew, now: Moment, todo: &mut Vec<Action>) -> bool {
    let stays = crew.zygote == Zygote::Ready && crew.rules.keeps_zygote();
    if stays && crew.role != Role::Leaving {
        crew.hooking.until = now.after(crew.rules.graceful_timeout);
        todo.push(Action::TellZygote(generation, ToZygote::Retire));
    }
    stays
}

/// Nobody waits for hooks any longer than for what was told to leave at once.
pub(super) fn hurry(crew: &mut Crew, now: Moment) {
    let soon = now.after(QUIT_GRACE);
    crew.hooking.until = crew.hooking.until.min(soon);
    if let Zygote::Ending { kill_at: Some(at) } = &mut crew.zygote {
        *at = soon.min(*at);
    }
}

/// Ends the zygotes that stayed for workers that are gone now. Who served until the end has the last word.
pub(super) fn end_zygotes(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    let anybody = fleet.crews.values().any(|crew| !crew.workers.is_empty());
    for (generation, crew) in &mut fleet.crews {
        let stayed = crew.role == Role::Leaving && crew.zygote == Zygote::Ready;
        if !stayed || !crew.workers.is_empty() || (crew.hooking.has_last_word && anybody) {
            continue;
        }
        if crew.hooking.has_last_word {
            todo.push(Action::TellZygote(*generation, ToZygote::Exit));
        }
        crew.zygote = Zygote::Ending { kill_at: Some(crew.hooking.until.max(now.after(QUIT_GRACE))) };
        todo.push(Action::CloseZygote(*generation));
    }
}
