//! A reload, from the wish to the ground of a new generation: the program that is to follow is tried by itself, then
//! we become it; it prepares the ground. Until then nothing has changed, whatever fails.

use super::super::action::{Action, Notice};
use super::super::fleet::{Crew, Fleet, Role, Stage, Zygote};
use super::super::policy::{CHECK_LIMIT, HURRY, Moment};
use super::super::records::Checking;
use super::settle::{self, Manner};
use contract::exit::ExitCode;
use contract::id::Generation;
use contract::logline::Level;
use contract::message::{BootFailure, ToZygote};

/// Starts the reload that was asked for, when nothing else is on its way.
pub(super) fn start_queued(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    if !fleet.reload_queued || fleet.is_booting() || fleet.stage != Stage::Running {
        return;
    }
    fleet.reload_queued = false;
    fleet.newest = fleet.newest.next();
    let awaits_hook = std::mem::take(&mut fleet.upgrade_queued) && call_hook(fleet, todo);
    let kill_at = Some(now.after(CHECK_LIMIT));
    fleet.checking = Some(Checking { generation: fleet.newest, kill_at, passed: false, awaits_hook });
    let text = format!("reloading: generation {} starts", fleet.newest);
    todo.push(Action::Log(Level::Info, text.clone()));
    todo.push(Action::Notify(Notice::Reloading, text));
    todo.push(Action::Check(fleet.newest));
}

/// Has `pre_exec` run, where there is one and somebody to run it.
fn call_hook(fleet: &Fleet, todo: &mut Vec<Action>) -> bool {
    let Some((generation, crew)) = fleet.serving() else { return false };
    let called = crew.rules.has_hook("pre_exec") && crew.zygote == Zygote::Ready;
    if called {
        let message = ToZygote::BeforeExec { generation: fleet.newest };
        todo.push(Action::TellZygote(generation, message));
    }
    called
}

/// `pre_exec` was called for `generation`. The answer for a reload that was given up comes too late.
pub(super) fn hook_answered(
    fleet: &mut Fleet,
    generation: Generation,
    ran: Result<(), BootFailure>,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    if fleet.checking.is_some_and(|check| check.generation == generation) {
        hook_ran(fleet, ran, now, todo);
    }
}

/// `pre_exec` has run, or failed.
pub(super) fn hook_ran(fleet: &mut Fleet, ran: Result<(), BootFailure>, now: Moment, todo: &mut Vec<Action>) {
    let Some(check) = fleet.checking.as_mut().filter(|check| check.awaits_hook) else { return };
    check.awaits_hook = false;
    let Checking { generation, passed, .. } = *check;
    match ran {
        Ok(()) if passed => succeed(fleet, generation, todo),
        Ok(()) => {}
        Err(failure) => {
            forget_check(fleet, todo);
            settle::give_up(fleet, generation, failure, now, todo);
        }
    }
}

fn succeed(fleet: &mut Fleet, generation: Generation, todo: &mut Vec<Action>) {
    fleet.checking = None;
    fleet.preparing = Some(generation);
    todo.push(Action::Succeed(generation));
}

/// The check is over.
pub(super) fn checked(
    fleet: &mut Fleet,
    generation: Generation,
    verdict: Result<(), String>,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    let Some(check) = fleet.checking.take_if(|checking| checking.generation == generation) else { return };
    let in_time = check.kill_at.is_some();
    match verdict {
        Ok(()) if check.awaits_hook => {
            // The hook has no more time than the check had, even if that was about to be killed.
            let kill_at = check.kill_at.or(Some(now));
            fleet.checking = Some(Checking { passed: true, kill_at, ..check });
            end_overdue_check(fleet, now, todo);
        }
        Ok(()) => succeed(fleet, generation, todo),
        Err(why) if in_time => settle::not_prepared(fleet, generation, why, now, todo),
        Err(_) => {
            let seconds = CHECK_LIMIT.as_secs();
            let why =
                format!("the program that is to follow took longer than {seconds} s to read the settings");
            settle::not_prepared(fleet, generation, why, now, todo);
        }
    }
}

/// A check that takes too long is ended; how it ends then says so.
pub(super) fn end_overdue_check(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    let Some(checking) = &mut fleet.checking else { return };
    if checking.kill_at.is_none_or(|at| at > now) {
        return;
    }
    if checking.passed {
        let summary = format!("the settings' hook pre_exec took longer than {} s", CHECK_LIMIT.as_secs());
        let failure = BootFailure { code: ExitCode::Setup, summary, traceback: String::new() };
        return hook_ran(fleet, Err(failure), now, todo);
    }
    checking.kill_at = None;
    todo.push(Action::KillCheck);
}

/// Nobody waits for the check any more.
pub(super) fn forget_check(fleet: &mut Fleet, todo: &mut Vec<Action>) {
    if fleet.checking.take().is_some() {
        todo.push(Action::KillCheck);
    }
}

/// When there are too many generations, the oldest that only finishes has to hurry.
pub(super) fn limit_generations(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    let most =
        fleet.crews.values().next_back().map_or(usize::MAX, |crew| crew.rules.max_generations as usize);
    let surplus = fleet.crews.len().saturating_sub(most.max(2));
    let leaving = fleet.crews.iter_mut().filter(|(_, crew)| crew.role == Role::Leaving);
    let patient: Vec<(&Generation, &mut Crew)> =
        leaving.take(surplus).filter(|(_, crew)| !crew.hurried).collect();
    for (generation, crew) in patient {
        let seconds = HURRY.as_secs();
        let text = format!(
            "generation {generation} has to end within {seconds} s: max_generations is {most}, and another one starts"
        );
        todo.push(Action::Log(Level::Warning, text));
        hurry(*generation, crew, now, todo);
    }
}

/// Who is in a request may finish it, but not for long; quiet connections are closed now.
fn hurry(generation: Generation, crew: &mut Crew, now: Moment, todo: &mut Vec<Action>) {
    crew.hurried = true;
    settle::send_away(generation, crew, Manner::Stop, now, todo);
    let limit = now.after(HURRY);
    for worker in crew.workers.values_mut() {
        worker.deadline = worker.deadline.map(|deadline| deadline.min(limit));
    }
}
