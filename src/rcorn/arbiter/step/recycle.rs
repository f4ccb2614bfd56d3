//! Workers that are replaced although nothing is wrong with them: after so many requests, at some age, above some
//! size. One at a time, and only once another one is ready in its place.

use super::super::action::Action;
use super::super::fleet::{Crew, Fleet, Phase, Role, Worker};
use super::super::policy::{Moment, RELIEF_INTERVAL, WEIGH_INTERVAL};
use super::settle::retire;
use contract::id::{Pid, WorkerId};
use contract::logline::Level;

/// Chooses who is replaced next, and sends it away when its place is taken.
pub(super) fn recycle(crew: &mut Crew, now: Moment, todo: &mut Vec<Action>) {
    if crew.role != Role::Serving {
        return;
    }
    note_age(crew, now);
    if crew.replacing.is_some_and(|id| !crew.workers.contains_key(&id)) {
        crew.replacing = None;
    }
    match crew.replacing {
        None => choose(crew, todo),
        Some(id) if crew.ready() as usize > crew.target as usize => {
            let limit = now.after(crew.rules.graceful_timeout);
            if let Some(worker) = crew.workers.get_mut(&id) {
                retire(id, worker, limit, now, todo);
            }
        }
        Some(_) => {}
    }
}

fn note_age(crew: &mut Crew, now: Moment) {
    for worker in crew.workers.values_mut() {
        if worker.too_old_at(&crew.rules).is_some_and(|at| at <= now) {
            let age = crew.rules.max_worker_age.unwrap_or_default().as_secs_f64();
            worker.spent = Some(format!("has served for {age} s"));
        }
    }
}

fn choose(crew: &mut Crew, todo: &mut Vec<Action>) {
    let ready = |worker: &Worker| matches!(worker.phase, Phase::Ready { .. });
    let spent = crew.workers.iter().find(|(_, worker)| ready(worker) && worker.spent.is_some());
    let Some((id, worker)) = spent else { return };
    let text =
        format!("{} {}; another takes its place", worker.name(), worker.spent.as_deref().unwrap_or_default());
    todo.push(Action::Log(Level::Info, text));
    crew.replacing = Some(*id);
}

/// A worker has answered as many requests as it may.
pub(super) fn spent(crew: &mut Crew, id: WorkerId) {
    if let Some(worker) = crew.workers.get_mut(&id) {
        worker.spent.get_or_insert_with(|| "has answered max_requests".to_owned());
    }
}

/// So many bytes of memory do these workers have.
pub(super) fn weighed(fleet: &mut Fleet, weights: &[(WorkerId, u64)]) {
    for (id, bytes) in weights {
        let Some((_, crew)) = fleet.crew_of(*id) else { continue };
        let Some(limit) = crew.rules.max_worker_memory.filter(|limit| bytes > limit) else { continue };
        if let Some(worker) = crew.workers.get_mut(id) {
            let text =
                || format!("has {} MiB of memory, and max_worker_memory is {} MiB", bytes >> 20, limit >> 20);
            worker.spent.get_or_insert_with(text);
        }
    }
}

/// Memory is short: the largest worker that is idle makes room, and no second one before that has had its effect.
pub(super) fn memory_is_short(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    let Some((_, crew)) = fleet.serving() else { return };
    if crew.replacing.is_some() || fleet.relief_at > now {
        return;
    }
    let ready = crew.workers.iter().filter(|(_, worker)| matches!(worker.phase, Phase::Ready { .. }));
    let workers: Vec<_> = ready.filter_map(|(id, worker)| worker.pid.map(|pid| (*id, pid))).collect();
    fleet.relief_at = now.after(RELIEF_INTERVAL);
    todo.push(Action::FindFattest(workers));
}

/// That is the one.
pub(super) fn fattest(fleet: &mut Fleet, id: WorkerId, bytes: u64) {
    let Some(worker) = fleet.crew_of(id).and_then(|(_, crew)| crew.workers.get_mut(&id)) else { return };
    let text = format!("is the largest that is idle, with {} MiB, and memory is short", bytes >> 20);
    worker.spent.get_or_insert(text);
}

/// When it is time, has those measured whose memory has a limit.
pub(super) fn weigh(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    if fleet.weigh_at.is_none_or(|at| at > now) {
        return;
    }
    fleet.weigh_at = None;
    let workers: Vec<(WorkerId, Pid)> = weighable(fleet).collect();
    todo.push(Action::Weigh(workers));
}

/// Plans the next measurement, where there is somebody to measure.
pub(super) fn plan_weighing(fleet: &mut Fleet, now: Moment) {
    let anybody = weighable(fleet).next().is_some();
    fleet.weigh_at = anybody.then(|| fleet.weigh_at.unwrap_or(now.after(WEIGH_INTERVAL)));
}

fn weighable(fleet: &Fleet) -> impl Iterator<Item = (WorkerId, Pid)> {
    let limited = |crew: &&Crew| crew.role == Role::Serving && crew.rules.max_worker_memory.is_some();
    let workers = fleet.crews.values().filter(limited).flat_map(|crew| &crew.workers);
    let ready =
        workers.filter(|(_, worker)| matches!(worker.phase, Phase::Ready { .. }) && worker.spent.is_none());
    ready.filter_map(|(id, worker)| worker.pid.map(|pid| (*id, pid)))
}
