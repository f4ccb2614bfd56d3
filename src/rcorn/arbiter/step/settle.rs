//! Brings the whole nearer to what is wanted. Runs after every event; where nothing is amiss it does nothing.

use super::super::action::{Action, Notice};
use super::super::fleet::{Crew, Fleet, Phase, Role, Stage, Why, Worker, Zygote};
use super::super::policy::{Moment, ORDERS, QUIT_GRACE};
use super::{clock, hooks, idle, operator, recycle, reload, roll};
use contract::exit::ExitCode;
use contract::id::{Generation, WorkerId};
use contract::logline::Level;
use contract::message::{BootFailure, ToWorker};
use sys::signal::SIGQUIT;

/// Does what is due.
pub(super) fn settle(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    fleet.settled = now;
    judge_boot(fleet, now, todo);
    roll::roll(fleet, now);
    muster(fleet, now, todo);
    hooks::end_zygotes(fleet, now, todo);
    let gone: Vec<Generation> = leaving_and_gone(fleet).collect();
    for generation in gone {
        fleet.crews.remove(&generation);
        todo.push(Action::Discard(generation));
    }
    reload::start_queued(fleet, now, todo);
    reload::limit_generations(fleet, now, todo);
    clock::plan_look(fleet, now);
    recycle::plan_weighing(fleet, now);
    idle::plan_count(fleet, now);
    if let Stage::Stopping { code, .. } = fleet.stage
        && fleet.crews.is_empty()
        && fleet.preparing.is_none()
    {
        todo.push(Action::Leave(code));
    }
}

fn leaving_and_gone(fleet: &Fleet) -> impl Iterator<Item = Generation> {
    let gone = |crew: &Crew| crew.role == Role::Leaving && crew.is_gone();
    fleet.crews.iter().filter(move |(_, crew)| gone(crew)).map(|(generation, _)| *generation)
}

/// A crew that boots takes over once it is complete, and goes when it cannot be.
fn judge_boot(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    let Some(booting) = fleet.in_role(Role::Booting) else { return };
    let Some(crew) = fleet.crews.get_mut(&booting) else { return };
    if let Some(failure) = crew.failure.take() {
        send_away(booting, crew, Manner::Retire, now, todo);
        give_up(fleet, booting, failure, now, todo);
    } else if crew.ready() >= crew.target {
        take_over(fleet, booting, now, todo);
    }
}

/// At the first boot that is the end; in a reload the generation before goes on as if nothing had been.
pub(super) fn give_up(
    fleet: &mut Fleet,
    generation: Generation,
    failure: BootFailure,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    let Some(serving) = fleet.in_role(Role::Serving) else {
        let code = failure.code;
        todo.push(Action::Refuse(failure));
        return operator::stop(fleet, code, Manner::Stop, now, todo);
    };
    let text = format!("reload failed: {} (still serving generation {serving})", failure.summary);
    todo.push(Action::Traceback(failure.traceback.clone()));
    todo.push(Action::Log(Level::Error, text.clone()));
    todo.push(Action::Notify(Notice::Ready, text));
    fleet.note_outcome(generation, Some(failure));
}

/// The ground for a generation could not be prepared.
pub(super) fn not_prepared(
    fleet: &mut Fleet,
    generation: Generation,
    why: String,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    fleet.preparing = None;
    if fleet.stage == Stage::Running {
        // What stands before the sentence is what Python had to say.
        let (traceback, summary) = match why.rsplit_once('\n') {
            Some((traceback, summary)) => (format!("{traceback}\n"), summary.to_owned()),
            None => (String::new(), why),
        };
        let failure = BootFailure { code: ExitCode::Setup, summary, traceback };
        give_up(fleet, generation, failure, now, todo);
    }
}

fn take_over(fleet: &mut Fleet, new: Generation, now: Moment, todo: &mut Vec<Action>) {
    let former = fleet.in_role(Role::Serving);
    todo.push(Action::Adopt(new));
    if let Some((generation, crew)) = former.and_then(|old| fleet.crews.get_mut(&old).map(|crew| (old, crew)))
    {
        send_away(generation, crew, Manner::Retire, now, todo);
        // So that whoever hears that this is done finds the new one behind every connection.
        todo.push(Action::AwaitDeaf(generation));
    }
    let Some(crew) = fleet.crews.get_mut(&new) else { return };
    crew.role = Role::Serving;
    let verb = if former.is_some() { "reloaded" } else { "serving" };
    let workers =
        if crew.target == 1 { "1 worker is".into() } else { format!("{} workers are", crew.target) };
    let text = format!("{verb}: generation {new}, {workers} ready");
    todo.push(Action::Log(Level::Info, text.clone()));
    todo.push(Action::Notify(Notice::Ready, text));
    if former.is_some() {
        fleet.note_outcome(new, None);
    }
}

/// Whether those who leave may finish what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Others serve on: who serves finishes first; who does not serve yet leaves at once.
    Retire,
    /// Nobody serves on: the same, without patience for connections that are quiet.
    Stop,
    /// Everyone leaves at once.
    Hurried,
}

/// Everyone of this crew leaves.
pub(super) fn send_away(
    generation: Generation,
    crew: &mut Crew,
    manner: Manner,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    // Before the workers: with its copies of the listeners gone, the last worker's is the last.
    let zygote_stays = hooks::stays(generation, crew, now, todo);
    crew.role = Role::Leaving;
    if matches!(crew.zygote, Zygote::Starting { .. } | Zygote::Ready) && !zygote_stays {
        crew.zygote = Zygote::Ending { kill_at: Some(now.after(QUIT_GRACE)) };
        todo.push(Action::CloseZygote(generation));
    }
    let graceful = now.after(crew.rules.graceful_timeout);
    let called = crew.rules.has_hook("worker_int") || crew.rules.has_hook("worker_exit");
    for (id, worker) in &mut crew.workers {
        match manner {
            Manner::Retire => retire(*id, worker, graceful, now, todo),
            Manner::Stop => stop(*id, worker, graceful, now, todo),
            Manner::Hurried => {
                dismiss_at_once(*id, worker, now, todo);
                // As Gunicorn does: who is in a request is to run its hooks before it is killed.
                todo.extend(worker.pid.filter(|_| called).map(|pid| Action::Signal(pid, SIGQUIT)));
            }
        }
    }
}

/// The worker leaves, and others serve on.
pub(super) fn retire(
    id: WorkerId,
    worker: &mut Worker,
    graceful: Moment,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    match worker.phase {
        Phase::Leaving(_) => {}
        Phase::Booting => {
            worker.leave(Why::Unneeded, Some(now.after(QUIT_GRACE)));
            todo.push(Action::Tell(id, ToWorker::Retire));
        }
        Phase::Ready { .. } => {
            worker.leave(Why::Drained, Some(graceful));
            todo.push(Action::Tell(id, ToWorker::Retire));
        }
    }
}

/// The worker leaves, and so does everybody. Who leaves already may have thought that there was time.
fn stop(id: WorkerId, worker: &mut Worker, graceful: Moment, now: Moment, todo: &mut Vec<Action>) {
    match worker.phase {
        Phase::Ready { .. } => worker.leave(Why::Drained, Some(graceful)),
        Phase::Booting => worker.leave(Why::Unneeded, Some(now.after(QUIT_GRACE))),
        Phase::Leaving(Why::Drained | Why::Own | Why::Unneeded) => {}
        Phase::Leaving(_) => return,
    }
    todo.push(Action::Tell(id, ToWorker::Drain));
}

fn dismiss_at_once(id: WorkerId, worker: &mut Worker, now: Moment, todo: &mut Vec<Action>) {
    let limit = now.after(QUIT_GRACE);
    let sooner = worker.deadline.map_or(limit, |deadline| deadline.min(limit));
    worker.leave(Why::Dismissed, Some(sooner));
    todo.push(Action::Tell(id, ToWorker::Quit));
}

/// Fills vacancies, sends surplus away.
fn muster(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    let working: Vec<Generation> = fleet
        .crews
        .iter()
        .filter(|(_, crew)| crew.role != Role::Leaving)
        .map(|(generation, _)| *generation)
        .collect();
    for generation in working {
        if let Some(crew) = fleet.crews.get_mut(&generation) {
            recycle::recycle(crew, now, todo);
            shrink(crew, now, todo);
            call_zygote(generation, crew, now, todo);
        }
        enlist(fleet, generation, now, todo);
    }
}

/// Who does not serve yet goes first, then who came last, so that the numbers stay without gaps.
fn shrink(crew: &mut Crew, now: Moment, todo: &mut Vec<Action>) {
    let mut surplus = crew.spoken_for(now).saturating_sub(crew.wanted());
    let mut waiting: Vec<_> = crew.waiting(now).collect();
    while surplus > 0
        && let Some(slot) = waiting.pop()
    {
        crew.posts.remove(&slot);
        surplus -= 1;
    }
    let rank = |worker: &Worker| (worker.phase == Phase::Booting, worker.slot);
    let mut active: Vec<_> = crew.active().map(|(id, worker)| (rank(worker), id)).collect();
    active.sort_unstable_by(|one, other| other.cmp(one));
    let graceful = now.after(crew.rules.graceful_timeout);
    for (_, id) in active.into_iter().take(surplus) {
        if let Some(worker) = crew.workers.get_mut(&id) {
            retire(id, worker, graceful, now, todo);
        }
    }
}

fn call_zygote(generation: Generation, crew: &mut Crew, now: Moment, todo: &mut Vec<Action>) {
    let due = crew.zygote == Zygote::Absent && crew.zygote_not_before <= now;
    let wanted_by_hooks = crew.hooking.begun && crew.rules.keeps_zygote();
    if due && (wanted_by_hooks || !crew.vacancies(now).is_empty()) {
        crew.zygote = Zygote::Starting { kill_at: crew.respawn_limit(now) };
        todo.push(Action::StartZygote(generation, crew.preload));
    }
}

fn enlist(fleet: &mut Fleet, generation: Generation, now: Moment, todo: &mut Vec<Action>) {
    let Some(crew) = fleet.crews.get(&generation) else { return };
    if crew.zygote != Zygote::Ready {
        return;
    }
    let limit = crew.respawn_limit(now);
    let pending = crew.workers.values().filter(|worker| worker.pid.is_none()).count();
    for slot in crew.vacancies(now).into_iter().take(ORDERS.saturating_sub(pending)) {
        let id = fleet.name_worker();
        if let Some(crew) = fleet.crews.get_mut(&generation) {
            crew.workers.insert(id, Worker::new(slot, limit));
        }
        todo.push(Action::Fork(generation, id, slot));
    }
}
