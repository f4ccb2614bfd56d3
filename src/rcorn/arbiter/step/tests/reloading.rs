//! A reload up to the ground of the new generation, and how many generations there may be: one rule, one test.

use super::world::*;
use crate::arbiter::action::{Action, Notice};
use crate::arbiter::event::{Event, Wish};
use crate::arbiter::fleet::Stage;
use crate::arbiter::policy::{CHECK_LIMIT, HURRY, Rules};
use contract::exit::ExitCode;
use contract::id::{Generation, WorkerId};
use contract::message::{FromWorker, ToWorker};
use std::time::Duration;
use sys::process::Ended;
use sys::signal::SIGKILL;

fn failed(world: &World, why: &str) -> bool {
    let text = format!("reload failed: {why} (still serving generation 1)");
    world.lines().iter().any(|(_, line)| *line == text)
        && world.did(&Action::Notify(Notice::Ready, text))
        && world.fleet.stage == Stage::Running
}

#[test]
fn the_successor_is_tried_before_anything_changes() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Reload);
    assert!(world.did(&Action::Check(SECOND)) && !world.did(&Action::Succeed(SECOND)));
    // Before anything else: systemd would not wait for the outcome of one that fails early.
    let notice = |action: &Action| matches!(action, Action::Notify(Notice::Reloading, _));
    assert!(world.last.iter().any(notice));
    world.happens(Event::Checked(SECOND, Ok(())));
    assert!(world.did(&Action::Succeed(SECOND)));
    assert_eq!(world.crew(FIRST).ready(), 1);
}

#[test]
fn whatever_fails_before_the_ground_is_there_changes_nothing() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Reload);
    world.happens(Event::Checked(SECOND, Err("no such file".into())));
    assert!(failed(&world, "no such file"));
    world.wish(Wish::Reload);
    world.happens(Event::Checked(Generation(3), Ok(())));
    world.happens(Event::NotSucceeded(Generation(3), "not executable".into()));
    assert!(failed(&world, "not executable"));
    world.wish(Wish::Reload);
    world.happens(Event::Checked(Generation(4), Ok(())));
    world.happens(Event::Prepared(Generation(4), Err("address in use".into())));
    assert!(failed(&world, "address in use"));
    assert_eq!(world.crew(FIRST).ready(), 1);
    let outcomes: Vec<_> = world.fleet.outcomes.iter().map(|outcome| outcome.generation.0).collect();
    assert_eq!(outcomes, [2, 3, 4]);
    assert!(world.fleet.outcomes.iter().all(|outcome| outcome.failure.is_some()));
    world.reload(rules(1));
    world.zygote_boots(Generation(5));
    world.all_get_ready(Generation(5));
    assert_eq!(world.fleet.outcomes.back().map(|outcome| outcome.failure.clone()), Some(None));
}

#[test]
fn a_check_that_hangs_is_ended_and_counts_as_failed() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Reload);
    assert!(!world.pass(CHECK_LIMIT - Duration::from_secs(1)).contains(&Action::KillCheck));
    assert!(world.pass(Duration::from_secs(2)).contains(&Action::KillCheck));
    world.happens(Event::Checked(SECOND, Err("it was killed".into())));
    assert!(failed(&world, "the program that is to follow took longer than 20 s to read the settings"));
}

#[test]
fn a_stop_during_a_check_waits_for_no_verdict() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Reload);
    world.wish(Wish::Stop);
    assert!(world.did(&Action::KillCheck));
    world.happens(Event::Checked(SECOND, Ok(())));
    assert_eq!(world.last, [], "nobody succeeds us any more");
    world.ends(WorkerId(1), Ended::Exited(0));
    world.zygote_ends(FIRST);
    assert!(world.last.iter().any(|action| matches!(action, Action::Leave(_))));
}

#[test]
fn reloads_during_a_check_become_one_more() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Reload);
    world.wish(Wish::Reload);
    world.wish(Wish::Reload);
    assert_eq!(world.goes_on(rules(1)), SECOND);
    world.zygote_boots(SECOND);
    world.all_get_ready(SECOND);
    assert_eq!(world.goes_on(rules(1)), Generation(3));
    world.zygote_boots(Generation(3));
    world.all_get_ready(Generation(3));
    assert_eq!(world.fleet.checking, None);
}

#[test]
fn the_oldest_of_too_many_generations_has_to_hurry() {
    let three = || Rules { max_generations: 3, ..rules(1) };
    let mut world = World::serving(three());
    for number in [2, 3] {
        world.reload(three());
        world.zygote_boots(Generation(number));
        world.all_get_ready(Generation(number));
    }
    assert!(world.lines().iter().all(|(_, line)| !line.contains("hurry")), "three may be");
    assert_eq!(world.reload(three()), Generation(4));
    // Requests in flight are not cut at once.
    assert!(world.did(&Action::Tell(WorkerId(1), ToWorker::Drain)));
    assert!(!world.did(&Action::Tell(WorkerId(2), ToWorker::Drain)));
    let line = "generation 1 has to end within 5 s: max_generations is 3, and another one starts";
    assert!(world.lines().iter().any(|(_, text)| *text == line), "{:?}", world.lines());
    world.zygote_boots(Generation(4));
    assert!(!world.did(&Action::Tell(WorkerId(1), ToWorker::Drain)), "it is told once");
    assert!(
        !world.pass(HURRY - Duration::from_millis(1)).contains(&Action::Signal(pid_of(WorkerId(1)), SIGKILL))
    );
    let overdue = world.pass(Duration::from_millis(1));
    assert!(overdue.contains(&Action::Signal(pid_of(WorkerId(1)), SIGKILL)), "{overdue:?}");
    assert!(!overdue.contains(&Action::Signal(pid_of(WorkerId(2)), SIGKILL)), "{overdue:?}");
}

#[test]
fn who_became_ready_just_when_it_was_not_needed_any_more_finishes_what_it_took() {
    let mut world = World::serving(rules(1));
    world.reload(rules(2));
    world.zygote_boots(SECOND);
    world.forked(WorkerId(2));
    world.forked(WorkerId(3));
    let failed = FromWorker::Failed(failure(ExitCode::AppImport));
    world.happens(Event::Worker(WorkerId(2), failed));
    assert!(world.did(&Action::Tell(WorkerId(3), ToWorker::Retire)), "not Quit: {:?}", world.last);
    world.happens(Event::Worker(WorkerId(3), FromWorker::Ready));
    let killed = Action::Signal(pid_of(WorkerId(3)), SIGKILL);
    assert!(!world.pass(Duration::from_secs(15)).contains(&killed), "it has all of graceful_timeout");
    assert!(world.pass(Duration::from_secs(10)).contains(&killed));
}

fn rolling() -> Rules {
    Rules { rolling: true, ..rules(3) }
}

/// The processes of a generation that there are.
fn count(world: &World, generation: Generation) -> usize {
    world.crew(generation).workers.len()
}

#[test]
fn a_rolling_reload_goes_through_the_workers_one_by_one() {
    let mut world = World::serving(rolling());
    world.reload(rolling());
    world.zygote_boots(SECOND);
    for (new, old) in [(4, 3), (5, 2)] {
        assert_eq!(world.workers(SECOND).last(), Some(&WorkerId(new)));
        assert!(count(&world, FIRST) + count(&world, SECOND) <= 4, "one too many at the most");
        world.gets_ready(WorkerId(new));
        assert!(world.did(&Action::Tell(WorkerId(old), ToWorker::Retire)), "{:?}", world.last);
        assert_eq!(world.ordered(), [], "the old one is still there");
        world.pass(Duration::from_secs(15));
        world.ends(WorkerId(old), Ended::Exited(0));
        assert_eq!(world.ordered().len(), 1);
    }
    world.gets_ready(WorkerId(6));
    assert!(world.did(&Action::Adopt(SECOND)));
    assert!(world.did(&Action::Tell(WorkerId(1), ToWorker::Retire)));
    assert_eq!((world.crew(SECOND).ready(), world.crew(FIRST).ready()), (3, 0));
}

#[test]
fn a_rolling_reload_that_fails_half_way_makes_the_old_generation_complete_again() {
    let mut world = World::serving(rolling());
    world.reload(rolling());
    world.zygote_boots(SECOND);
    world.gets_ready(WorkerId(4));
    world.ends(WorkerId(3), Ended::Exited(0));
    world.forked(WorkerId(5));
    world.happens(Event::Worker(WorkerId(5), FromWorker::Failed(failure(ExitCode::AppImport))));
    assert!(world.lines().iter().any(|(_, line)| line.contains("still serving generation 1")));
    assert!(world.did(&Action::Tell(WorkerId(4), ToWorker::Retire)));
    assert_eq!(world.ordered().len(), 1, "in the place of the one that left: {:?}", world.last);
    assert_eq!(world.crew(FIRST).wanted(), 3);
}
