//! What workers say and how they end.

use super::super::action::Action;
use super::super::event::{Autopsy, LastRequest};
use super::super::fleet::{Crew, Fleet, Phase, Post, Role, Why, Worker};
use super::super::policy::{BackOff, Moment, QUIT_GRACE, SETTLED};
use super::{hooks, recycle};
use contract::exit::ExitCode;
use contract::id::{Generation, Pid, WorkerId};
use contract::logline::Level;
use contract::message::{BootFailure, FromWorker};
use std::time::Duration;
use sys::process::Ended;

/// A worker, or whoever forked it, said something.
pub(super) fn said(
    fleet: &mut Fleet,
    id: WorkerId,
    message: FromWorker,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    let Some((generation, crew)) = fleet.crew_of(id) else { return };
    match message {
        FromWorker::Forked { pid } => note_process(crew, id, Pid(pid), todo),
        FromWorker::ForkFailed { error } => not_forked(fleet, id, &error, now, todo),
        FromWorker::Prevented(failure) => prevented(fleet, id, failure, now, todo),
        FromWorker::Ready => ready(generation, crew, id, now, todo),
        FromWorker::Failed(failure) => failed(crew, id, failure, now, todo),
        FromWorker::ReopenLogs => todo.push(Action::GiveLogs(generation, id)),
        FromWorker::Loaded(loaded) => todo.push(Action::Watch(loaded)),
        FromWorker::Leaving => leaves_by_itself(crew, id, now, todo),
        FromWorker::Spent => recycle::spent(crew, id),
    }
}

fn note_process(crew: &mut Crew, id: WorkerId, pid: Pid, todo: &mut Vec<Action>) {
    let Some(worker) = crew.workers.get_mut(&id) else { return };
    worker.pid = Some(pid);
    todo.push(Action::Log(Level::Info, format!("Booting worker {} (pid {pid})", worker.slot)));
}

fn ready(generation: Generation, crew: &mut Crew, id: WorkerId, now: Moment, todo: &mut Vec<Action>) {
    let graceful = now.after(crew.rules.graceful_timeout);
    let Some(worker) = crew.workers.get_mut(&id) else { return };
    if worker.phase == Phase::Leaving(Why::Unneeded) {
        // Its news and ours crossed: it may have taken a request.
        worker.leave(Why::Drained, Some(graceful));
    }
    if worker.phase != Phase::Booting {
        return;
    }
    worker.phase = Phase::Ready { since: now };
    worker.deadline = None;
    crew.told.clear();
    let text = format!("{} is ready (generation {generation})", worker.name());
    todo.push(Action::Log(Level::Debug, text));
}

fn failed(crew: &mut Crew, id: WorkerId, failure: BootFailure, now: Moment, todo: &mut Vec<Action>) {
    let Some(worker) = crew.workers.get_mut(&id) else { return };
    worker.leave(Why::Failed, Some(now.after(QUIT_GRACE)));
    note_failure(crew, failure, todo);
}

/// A generation that boots is given up after so many failures; one that serves goes on, and the failure is told.
pub(super) fn note_failure(crew: &mut Crew, failure: BootFailure, todo: &mut Vec<Action>) {
    match crew.role {
        Role::Leaving => {}
        Role::Serving => tell_failure(crew, failure, todo),
        Role::Booting => {
            crew.failures += 1;
            if crew.failures < crew.rules.max_boot_failures {
                tell_failure(crew, failure, todo);
            } else if crew.failure.is_none() {
                crew.failure = Some(failure);
            }
        }
    }
}

/// Writes down why something of a serving crew could not start; the traceback only when it is news.
pub(super) fn tell_failure(crew: &mut Crew, failure: BootFailure, todo: &mut Vec<Action>) {
    if crew.told != failure.summary {
        todo.push(Action::Traceback(failure.traceback));
        todo.push(Action::Log(Level::Error, failure.summary.clone()));
        crew.told = failure.summary;
    }
}

fn leaves_by_itself(crew: &mut Crew, id: WorkerId, now: Moment, todo: &mut Vec<Action>) {
    let limit = now.after(crew.rules.graceful_timeout);
    let Some(worker) = crew.workers.get_mut(&id) else { return };
    if matches!(worker.phase, Phase::Leaving(_)) {
        return;
    }
    worker.leave(Why::Own, Some(limit));
    let text = format!("{} leaves by itself; another takes its place", worker.name());
    todo.push(Action::Log(Level::Info, text));
}

/// There is no worker where one was ordered.
pub(super) fn not_forked(fleet: &mut Fleet, id: WorkerId, why: &str, now: Moment, todo: &mut Vec<Action>) {
    let Some((generation, crew)) = fleet.crew_of(id) else { return };
    let Some(worker) = crew.workers.remove(&id) else { return };
    todo.push(Action::Release(generation, id, worker.slot));
    if crew.role == Role::Leaving {
        return;
    }
    let wait = delay(crew, &worker, None, now);
    let text = format!("worker {} could not be forked: {why}; {}", worker.slot, retry(wait));
    todo.push(Action::Log(Level::Error, text));
    note_death(crew, &format!("a worker could not be forked: {why}"), todo);
}

/// A hook has failed that runs before a fork.
fn prevented(fleet: &mut Fleet, id: WorkerId, failure: BootFailure, now: Moment, todo: &mut Vec<Action>) {
    let Some((generation, crew)) = fleet.crew_of(id) else { return };
    let Some(worker) = crew.workers.remove(&id) else { return };
    todo.push(Action::Release(generation, id, worker.slot));
    if crew.role != Role::Leaving {
        let wait = delay(crew, &worker, None, now);
        let text = format!("worker {} was not forked; {}", worker.slot, retry(wait));
        note_failure(crew, failure, todo);
        todo.push(Action::Log(Level::Error, text));
    }
}

/// A channel was closed: its worker is about to end, or never was.
pub(super) fn closed(fleet: &mut Fleet, id: WorkerId, now: Moment, todo: &mut Vec<Action>) {
    let Some((_, crew)) = fleet.crew_of(id) else { return };
    let Some(worker) = crew.workers.get_mut(&id) else { return };
    if worker.pid.is_none() {
        return not_forked(fleet, id, "its zygote ended", now, todo);
    }
    worker.closed = true;
    // Who was to leave has his time: hooks, exit handlers and threads of the application may still be at work.
    if !matches!(worker.phase, Phase::Leaving(_)) {
        let limit = now.after(QUIT_GRACE);
        worker.deadline = Some(worker.deadline.map_or(limit, |deadline| deadline.min(limit)));
    }
}

/// A process ended. One that is nobody's was left behind by the application and got reaped with this.
pub(super) fn ended(fleet: &mut Fleet, pid: Pid, autopsy: &Autopsy, now: Moment, todo: &mut Vec<Action>) {
    let how = autopsy.how;
    let Some(id) = fleet.worker_with(pid) else { return };
    count_restart(fleet, id, autopsy);
    let Some((generation, crew)) = fleet.crew_of(id) else { return };
    let Some(worker) = crew.workers.remove(&id) else { return };
    todo.push(Action::Release(generation, id, worker.slot));
    hooks::ended(generation, crew, (id, pid), todo);
    match worker.phase {
        Phase::Leaving(Why::Failed) => after_failure(crew, &worker, how, now, todo),
        Phase::Leaving(Why::Stuck) => todo.push(log_end(Level::Info, &worker, how, ", as it was stuck")),
        Phase::Leaving(_) if how == Ended::Exited(0) => {
            todo.push(Action::Log(Level::Info, format!("{} left", worker.name())));
        }
        Phase::Leaving(_) => todo.push(log_end(Level::Warning, &worker, how, &last_words(autopsy, now))),
        Phase::Booting | Phase::Ready { .. } => died(crew, &worker, autopsy, now, todo),
    }
}

fn count_restart(fleet: &mut Fleet, id: WorkerId, autopsy: &Autopsy) {
    let crew = fleet.crew_of(id).map(|(_, crew)| crew).filter(|crew| crew.role == Role::Serving);
    let reason = crew.and_then(|crew| reason(crew.workers.get(&id)?, autopsy));
    if let Some(reason) = reason {
        *fleet.restarts.entry(reason).or_default() += 1;
    }
}

/// Why a worker that served has to be replaced; nothing when nobody takes its place.
fn reason(worker: &Worker, autopsy: &Autopsy) -> Option<String> {
    Some(match (worker.phase, autopsy.how) {
        (Phase::Leaving(Why::Stuck), _) => "timeout".to_owned(),
        (Phase::Leaving(Why::Failed), _) => "failed to boot".to_owned(),
        (Phase::Leaving(Why::Own), _) => "signalled".to_owned(),
        (Phase::Leaving(_), _) => worker.spent.as_ref().map(|_| "recycled".to_owned())?,
        _ if autopsy.out_of_memory => "out of memory".to_owned(),
        (_, how) => how.to_string(),
    })
}

fn after_failure(crew: &mut Crew, worker: &Worker, how: Ended, now: Moment, todo: &mut Vec<Action>) {
    if crew.role == Role::Leaving {
        return;
    }
    let wait = delay(crew, worker, None, now);
    if crew.failure.is_some() {
        return;
    }
    todo.push(log_end(Level::Error, worker, how, &format!("; {}", retry(wait))));
}

/// Nobody wanted this end.
fn died(crew: &mut Crew, worker: &Worker, autopsy: &Autopsy, now: Moment, todo: &mut Vec<Action>) {
    let how = autopsy.how;
    let wait = delay(crew, worker, Some(how), now);
    // SIGINT and SIGQUIT make a worker leave like this, without a word.
    let clean = how == Ended::Exited(0) && worker.phase != Phase::Booting;
    let level = if clean { Level::Info } else { Level::Error };
    let rest = format!("{}; {}", last_words(autopsy, now), retry(wait));
    todo.push(log_end(level, worker, how, &rest));
    if worker.phase == Phase::Booting {
        note_death(crew, &format!("a worker {how} before it was ready"), todo);
    }
}

fn log_end(level: Level, worker: &Worker, how: Ended, rest: &str) -> Action {
    Action::Log(level, format!("{} {how}{rest}", worker.name()))
}

fn retry(wait: Duration) -> String {
    if wait.is_zero() { "restarting".to_owned() } else { format!("restarting in {} ms", wait.as_millis()) }
}

/// How long the slot of a worker that died stays empty.
fn delay(crew: &mut Crew, worker: &Worker, how: Option<Ended>, now: Moment) -> Duration {
    if let Phase::Ready { since } = worker.phase {
        if since.until(now) >= SETTLED {
            crew.posts.remove(&worker.slot);
            return Duration::ZERO;
        }
        // Somebody outside did this; it says nothing about the worker.
        if how == Some(Ended::Killed(sys::signal::SIGKILL)) {
            return Duration::ZERO;
        }
    }
    let unused = Post { back_off: BackOff::default(), not_before: now };
    let post = crew.posts.entry(worker.slot).or_insert(unused);
    let wait = post.back_off.failed();
    post.not_before = now.after(wait);
    wait
}

/// Somebody ended without a word before it was ready.
fn note_death(crew: &mut Crew, cause: &str, todo: &mut Vec<Action>) {
    if crew.role == Role::Booting {
        let hint = "look at the extension modules that the application imports, and at memory limits";
        let summary = format!("{cause}: {hint}");
        note_failure(
            crew,
            BootFailure { code: ExitCode::AppImport, summary, traceback: String::new() },
            todo,
        );
    }
}

/// What is known beside how it ended.
fn last_words(autopsy: &Autopsy, now: Moment) -> String {
    let memory = if autopsy.out_of_memory { " by the kernel, as memory ran out" } else { "" };
    let request = match &autopsy.last {
        None => String::new(),
        Some(LastRequest { request, client, unanswered_since: Some(since) }) => {
            format!(
                " while it was in \"{request}\" from {client} for {:.1} s",
                since.until(now).as_secs_f64()
            )
        }
        Some(LastRequest { request, client, .. }) => format!(" after \"{request}\" from {client}"),
    };
    format!("{memory}{request}")
}
