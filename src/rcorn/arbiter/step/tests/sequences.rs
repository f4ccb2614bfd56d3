//! Long sequences of things that can happen, against the model of the processes that they happen to.
//!
//! Whatever the sequence: once a generation was good there is always one that serves; a healthy worker is not stopped
//! unless a ready one takes its place or the operator said so; every process that was started is reaped and let go of;
//! and it ends. That the model would notice is shown by breaking `step` on purpose.

use super::model::Model;
use super::world::Step;
use crate::arbiter::action::Action;
use crate::arbiter::event::Event;
use crate::arbiter::fleet::{Fleet, Phase, Role};
use crate::arbiter::policy::Moment;
use crate::arbiter::step::step;
use contract::id::Generation;
use contract::message::{FromWorker, ToWorker};
use std::panic::catch_unwind;

/// Whether a reload succeeded on the way.
fn run(seed: u64, step: Step) -> bool {
    let mut model = Model::new(seed, step);
    turn_until_end(&mut model, 600);
    let reloaded = model.adopted > Generation(1);
    if model.left.is_none() {
        model.quit();
    }
    turn_until_end(&mut model, 5000);
    assert!(model.left.is_some(), "it does not end");
    assert!(model.is_empty(), "somebody is left");
    reloaded
}

fn turn_until_end(model: &mut Model, most: usize) {
    for _ in 0..most {
        if model.left.is_some() {
            return;
        }
        model.turn();
    }
}

#[test]
fn whatever_happens_somebody_serves_nobody_is_lost_and_nobody_healthy_is_stopped() {
    let reloaded = (1..=2000).filter(|seed| run(*seed, step)).count();
    assert!(reloaded > 500, "too few sequences get as far as a reload: {reloaded}");
}

/// The first seed at which the model notices, and what it says.
fn noticed(broken: Step) -> String {
    let failed = (1..=300).find_map(|seed| catch_unwind(|| run(seed, broken)).err());
    let Some(said) = failed else { return "nothing".into() };
    let text = said.downcast_ref::<String>().cloned();
    text.or_else(|| said.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// A step that is broken in one way, and what of the sentence about it is to be heard.
#[test]
fn the_model_notices_a_step_that_is_broken() {
    let mutations: [(Step, &str); 9] = [
        (a_failed_reload_takes_the_old_ones_down, "nobody serves any more"),
        (a_failed_check_stops_a_worker, "for no reason"),
        (one_ready_worker_is_thought_to_be_enough, "took over with"),
        (the_old_ones_leave_when_the_new_ones_begin, "for no reason"),
        (who_is_spent_leaves_at_once, "for no reason"),
        (a_worker_killed_for_nothing, "was killed for no reason"),
        (ends_are_not_heard_of, "it does not end"),
        (nobody_is_let_go_of, "somebody is left"),
        (ends_of_zygotes_are_not_heard_of, "it does not end"),
    ];
    for (number, (broken, words)) in mutations.into_iter().enumerate() {
        let said = noticed(broken);
        assert!(said.contains(words), "mutation {number}: expected {words:?}, noticed {said}");
    }
}

fn a_failed_reload_takes_the_old_ones_down(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    let failed = matches!(event, Event::NotSucceeded(..) | Event::Prepared(_, Err(_)));
    let actions = step(fleet, event, now);
    if let Some(crew) =
        fleet.in_role(Role::Serving).filter(|_| failed).and_then(|it| fleet.crews.get_mut(&it))
    {
        crew.role = Role::Leaving;
    }
    actions
}

fn a_failed_check_stops_a_worker(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    let failed = matches!(event, Event::Checked(_, Err(_)));
    let mut actions = step(fleet, event, now);
    if failed && let Some(serving) = fleet.in_role(Role::Serving) {
        let active = fleet.crews[&serving].active().map(|(id, _)| id);
        actions.extend(active.take(1).map(|id| Action::Tell(id, ToWorker::Retire)));
    }
    actions
}

fn one_ready_worker_is_thought_to_be_enough(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    if let Some(crew) = fleet.in_role(Role::Booting).and_then(|booting| fleet.crews.get_mut(&booting)) {
        crew.target = 1;
    }
    step(fleet, event, now)
}

fn the_old_ones_leave_when_the_new_ones_begin(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    let begins = matches!(event, Event::Prepared(_, Ok(_)));
    let mut actions = step(fleet, event, now);
    if begins && let Some(serving) = fleet.in_role(Role::Serving) {
        let active = fleet.crews[&serving].active().map(|(id, _)| id);
        actions.extend(active.map(|id| Action::Tell(id, ToWorker::Retire)));
    }
    actions
}

fn who_is_spent_leaves_at_once(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    let spent = match event {
        Event::Worker(id, FromWorker::Spent) => fleet.crew_of(id).map(|(_, crew)| (id, crew.role)),
        _ => None,
    };
    let mut actions = step(fleet, event, now);
    if let Some((id, Role::Serving)) = spent {
        actions.push(Action::Tell(id, ToWorker::Retire));
    }
    actions
}

fn a_worker_killed_for_nothing(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    let ready = matches!(event, Event::Worker(_, FromWorker::Ready));
    let mut actions = step(fleet, event, now);
    let serving = |worker: &&crate::arbiter::fleet::Worker| matches!(worker.phase, Phase::Ready { .. });
    let pid = fleet.crews.values().flat_map(|crew| crew.workers.values()).find(serving).and_then(|it| it.pid);
    actions.extend(pid.filter(|_| ready).map(|pid| Action::Signal(pid, sys::signal::SIGKILL)));
    actions
}

fn ends_are_not_heard_of(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    if matches!(event, Event::WorkerEnded(..)) { Vec::new() } else { step(fleet, event, now) }
}

fn nobody_is_let_go_of(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    let mut actions = step(fleet, event, now);
    actions.retain(|action| !matches!(action, Action::Release(..) | Action::Discard(_)));
    actions
}

fn ends_of_zygotes_are_not_heard_of(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    if matches!(event, Event::ZygoteEnded(..)) { Vec::new() } else { step(fleet, event, now) }
}
