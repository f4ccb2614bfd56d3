//! What the passing of time brings about: limits that are reached, requests that take too long.

use super::super::action::Action;
use super::super::event::{Busy, Doing};
use super::super::fleet::{Crew, Fleet, Phase, Role, Why, Worker, Zygote};
use super::super::policy::{ASLEEP, HURRY, Moment, Rules, SHORTEST_LOOK, beat};
use super::stuck::{self, lane};
use super::{idle, recycle, reload};
use contract::exit::ExitCode;
use contract::id::Generation;
use contract::logline::Level;
use contract::message::BootFailure;
use sys::signal::SIGKILL;

/// Time has passed. `busy` is what the scoreboards said, if they were read.
pub(super) fn tick(fleet: &mut Fleet, busy: &[Busy], now: Moment, todo: &mut Vec<Action>) {
    for (generation, crew) in &mut fleet.crews {
        end_overdue_boot(crew, now);
        end_overdue_zygote(*generation, crew, now, todo);
        end_overdue_workers(*generation, crew, now, todo);
    }
    reload::end_overdue_check(fleet, now, todo);
    recycle::weigh(fleet, now, todo);
    idle::count(fleet, now, todo);
    if fleet.wants_look(now) && !was_asleep(fleet, now) {
        fleet.look_at = None;
        for busy in busy {
            check_progress(fleet, busy, now, todo);
        }
        fleet.look_at = next_look(fleet, busy, now);
    }
}

/// Was all of us stopped for a while (a frozen container, a machine without time)? Then everybody may first show that
/// he is awake.
fn was_asleep(fleet: &mut Fleet, now: Moment) -> bool {
    let late = fleet.look_at.is_some_and(|at| at.until(now) > ASLEEP);
    // Once: who is always late has to judge all the same.
    let asleep = late && !fleet.slept;
    fleet.slept = asleep;
    if asleep {
        fleet.look_at = Some(now.after(ASLEEP));
    }
    asleep
}

fn end_overdue_boot(crew: &mut Crew, now: Moment) {
    let overdue = crew.deadline.is_some_and(|deadline| deadline <= now);
    if crew.role != Role::Booting || !overdue || crew.failure.is_some() {
        return;
    }
    let limit = crew.rules.startup_timeout.unwrap_or_default().as_secs_f64();
    let (ready, target) = (crew.ready(), crew.target);
    let summary = format!(
        "the application was not ready within {limit} s ({ready} of {target} workers were); \
         see what its import waits for, or raise startup_timeout"
    );
    crew.failure = Some(BootFailure { code: ExitCode::AppImport, summary, traceback: String::new() });
}

fn end_overdue_zygote(generation: Generation, crew: &mut Crew, now: Moment, todo: &mut Vec<Action>) {
    let (Zygote::Starting { kill_at: Some(at) } | Zygote::Ending { kill_at: Some(at) }) = crew.zygote else {
        return;
    };
    if at > now {
        return;
    }
    if matches!(crew.zygote, Zygote::Starting { .. }) {
        crew.zygote_not_before = now.after(crew.zygote_back_off.failed());
        let text = format!("zygote of generation {generation} was not ready in time; it is killed");
        todo.push(Action::Log(Level::Warning, text));
    }
    crew.zygote = Zygote::Ending { kill_at: None };
    todo.push(Action::KillZygote(generation));
}

fn end_overdue_workers(generation: Generation, crew: &mut Crew, now: Moment, todo: &mut Vec<Action>) {
    let patience = if crew.hurried { HURRY } else { crew.rules.graceful_timeout }.as_secs_f64();
    let overdue = |worker: &&mut Worker| worker.deadline.is_some_and(|deadline| deadline <= now);
    for worker in crew.workers.values_mut().filter(overdue) {
        worker.deadline = None;
        if let Some(text) = why_killed(worker, patience) {
            todo.push(Action::Log(Level::Warning, text));
        }
        match worker.pid {
            Some(pid) => todo.push(Action::Signal(pid, SIGKILL)),
            // The zygote sits on the order. With it the order is gone, and the channel's end tells us so.
            None => todo.push(Action::KillZygote(generation)),
        }
    }
}

fn why_killed(worker: &Worker, patience: f64) -> Option<String> {
    let what = match worker.phase {
        Phase::Leaving(Why::Drained | Why::Own) if worker.closed => {
            format!("had finished, but its process did not end within {patience} s")
        }
        Phase::Leaving(Why::Drained | Why::Own) => format!("did not finish within {patience} s"),
        Phase::Leaving(_) => return None,
        _ if worker.closed => "closed its channel and did not end".to_owned(),
        Phase::Booting | Phase::Ready { .. } => "was not ready in time".to_owned(),
    };
    Some(format!("{} {what}; it is killed", worker.name()))
}

fn check_progress(fleet: &mut Fleet, busy: &Busy, now: Moment, todo: &mut Vec<Action>) {
    let Some((_, crew)) = fleet.crew_of(busy.worker) else { return };
    let Some(worker) = crew.workers.get_mut(&busy.worker) else { return };
    let Some(pid) = worker.pid.filter(|_| is_judged(worker, busy)) else { return };
    if limits(&crew.rules, busy).any(|limit| limit <= now) {
        stuck::tell(worker, busy, now, todo);
        stuck::give_up(&crew.rules, worker, (pid, busy), now, todo);
    } else if slow_at(&crew.rules, worker, busy).is_some_and(|at| at <= now) {
        stuck::tell_slow(worker, busy, now, todo);
        todo.push(Action::ShowStacks(pid, lane(busy)));
    }
}

/// When a request, or a loop that is silent, is over its limits.
fn limits(rules: &Rules, busy: &Busy) -> impl Iterator<Item = Moment> {
    let turning = matches!(busy.doing, Doing::Turning(_));
    let patience = |limit| if turning { limit + beat(limit) } else { limit };
    let silence = rules.timeout.map(|limit| busy.since.after(patience(limit)));
    let whole = rules.request_timeout.filter(|_| !turning).map(|limit| busy.began.after(limit));
    silence.into_iter().chain(whole)
}

/// When the stacks of a request are to be shown, once.
fn slow_at(rules: &Rules, worker: &Worker, busy: &Busy) -> Option<Moment> {
    let new = lane(busy).is_some_and(|lane| worker.shown.get(&lane) != Some(&busy.began));
    rules.slow_request.filter(|_| new).map(|limit| busy.began.after(limit))
}

/// A drain does not switch the limit off, and of a worker that is given up the other threads can be stuck as well.
fn is_judged(worker: &Worker, busy: &Busy) -> bool {
    match worker.phase {
        Phase::Ready { .. } | Phase::Leaving(Why::Drained | Why::Own) => true,
        Phase::Leaving(Why::Stuck) => {
            lane(busy).is_some_and(|lane| !worker.given_up.contains(&(lane, busy.began)))
        }
        _ => false,
    }
}

/// When a request can next be over its limit: the oldest one's, or one's that begins right now.
fn next_look(fleet: &mut Fleet, busy: &[Busy], now: Moment) -> Option<Moment> {
    let mut earliest = idle_look(fleet, now)?;
    for busy in busy {
        let Some((_, crew)) = fleet.crew_of(busy.worker) else { continue };
        let Some(worker) = crew.workers.get(&busy.worker).filter(|worker| is_judged(worker, busy)) else {
            continue;
        };
        let next = limits(&crew.rules, busy).chain(slow_at(&crew.rules, worker, busy)).min();
        earliest = next.map_or(earliest, |next| earliest.min(next));
    }
    Some(earliest.max(now.after(SHORTEST_LOOK)))
}

/// A limit that is new brings the next look forward.
pub(super) fn plan_look(fleet: &mut Fleet, now: Moment) {
    let idle = idle_look(fleet, now);
    fleet.look_at = idle.map(|idle| fleet.look_at.map_or(idle, |at| at.min(idle)));
}

fn idle_look(fleet: &Fleet, now: Moment) -> Option<Moment> {
    let crews = fleet.crews.values().filter(|crew| !crew.workers.is_empty());
    let limits =
        crews.flat_map(|crew| [crew.rules.timeout, crew.rules.request_timeout, crew.rules.slow_request]);
    limits.flatten().min().map(|limit| now.after(limit.max(SHORTEST_LOOK)))
}
