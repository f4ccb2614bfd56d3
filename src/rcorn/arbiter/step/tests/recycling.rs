//! Workers that are replaced while they are well, and requests that are watched: one rule, one test.

use super::world::*;
use crate::arbiter::action::Action;
use crate::arbiter::event::{Autopsy, Busy, Doing, Event, LastRequest, Wish};
use crate::arbiter::fleet::Phase;
use crate::arbiter::policy::Rules;
use contract::id::WorkerId;
use contract::logline::Level;
use contract::message::{FromWorker, ToWorker};
use std::time::Duration;
use sys::process::Ended;
use sys::signal::SIGKILL;

const ONE: WorkerId = WorkerId(1);
const TWO: WorkerId = WorkerId(2);
const THREE: WorkerId = WorkerId(3);

fn drains(world: &World, worker: WorkerId) -> bool {
    world.did(&Action::Tell(worker, ToWorker::Retire))
}

#[test]
fn a_spent_worker_serves_until_another_is_ready_in_its_place() {
    let mut world = World::serving(rules(2));
    world.happens(Event::Worker(ONE, FromWorker::Spent));
    assert_eq!(world.ordered(), [(THREE, 2)]);
    let text = format!("worker 1 (pid {}) has answered max_requests; another takes its place", pid_of(ONE));
    assert_eq!(world.lines(), [(Level::Info, text.as_str())]);
    assert!(matches!(world.phase(FIRST, ONE), Phase::Ready { .. }));
    world.gets_ready(THREE);
    assert!(drains(&world, ONE));
    assert_eq!(world.ordered(), [], "two serve, and two are wanted");
    world.ends(ONE, Ended::Exited(0));
    assert_eq!(world.last.iter().filter(|action| matches!(action, Action::Fork(..))).count(), 0);
    assert_eq!(world.crew(FIRST).ready(), 2);
}

#[test]
fn spent_workers_are_replaced_one_after_the_other() {
    let mut world = World::serving(rules(3));
    for worker in [ONE, TWO, THREE] {
        world.happens(Event::Worker(worker, FromWorker::Spent));
    }
    for (old, new) in [(1, 4), (2, 5), (3, 6)] {
        let (old, new) = (WorkerId(old), WorkerId(new));
        assert_eq!(world.crew(FIRST).workers.len(), 4, "never more than one at a time");
        world.gets_ready(new);
        assert!(drains(&world, old));
        world.ends(old, Ended::Exited(0));
    }
    assert_eq!(world.workers(FIRST), [WorkerId(4), WorkerId(5), WorkerId(6)]);
    assert_eq!(world.crew(FIRST).replacing, None);
}

#[test]
fn a_replacement_that_cannot_start_costs_nobody_his_place() {
    let mut world = World::serving(rules(1));
    world.happens(Event::Worker(ONE, FromWorker::Spent));
    for attempt in 2..6 {
        let worker = WorkerId(attempt);
        world.forked(worker);
        world.ends(worker, Ended::Killed(11));
        assert!(matches!(world.phase(FIRST, ONE), Phase::Ready { .. }));
        world.pass(Duration::from_millis(100));
    }
    world.gets_ready(WorkerId(6));
    assert!(drains(&world, ONE));
}

#[test]
fn a_spent_worker_that_dies_is_replaced_once() {
    let mut world = World::serving(rules(1));
    world.pass(Duration::from_secs(2));
    world.happens(Event::Worker(ONE, FromWorker::Spent));
    assert_eq!(world.ordered().len(), 1);
    world.ends(ONE, Ended::Killed(11));
    assert_eq!(world.ordered(), [], "its replacement is on its way");
    world.gets_ready(TWO);
    assert!(!drains(&world, TWO));
    assert_eq!(world.workers(FIRST), [TWO]);
}

#[test]
fn fewer_workers_are_fewer_while_one_is_replaced() {
    let mut world = World::serving(rules(2));
    world.happens(Event::Worker(ONE, FromWorker::Spent));
    world.wish(Wish::Fewer);
    assert!(drains(&world, ONE), "the other one is enough");
    let active: Vec<WorkerId> = world.crew(FIRST).active().map(|(id, _)| id).collect();
    assert_eq!(active, [TWO]);
}

#[test]
fn a_worker_is_replaced_at_its_age() {
    let mut world = World::serving(Rules { max_worker_age: Some(Duration::from_secs(60)), ..rules(1) });
    assert_eq!(ordered(&world.pass(Duration::from_secs(59))), []);
    assert_eq!(ordered(&world.pass(Duration::from_secs(2))), [(TWO, 1)]);
    world.gets_ready(TWO);
    assert!(drains(&world, ONE));
    world.ends(ONE, Ended::Exited(0));
    assert_eq!(ordered(&world.pass(Duration::from_secs(58))), [], "the new one is young");
}

#[test]
fn a_worker_that_has_grown_too_large_is_replaced() {
    let mut world = World::serving(Rules { max_worker_memory: Some(100 << 20), ..rules(1) });
    let weighs = |actions: &[Action]| actions.contains(&Action::Weigh(vec![(ONE, pid_of(ONE))]));
    assert!(weighs(&world.pass(Duration::from_secs(5))));
    world.happens(Event::Weighed(vec![(ONE, 100 << 20)]));
    assert_eq!(world.ordered(), [], "as large as it may be");
    assert!(weighs(&world.pass(Duration::from_secs(5))), "again and again");
    world.happens(Event::Weighed(vec![(ONE, 101 << 20)]));
    assert_eq!(world.ordered(), [(TWO, 1)]);
    assert!(world.lines()[0].1.contains("has 101 MiB of memory, and max_worker_memory is 100 MiB"));
    let mut other = World::serving(rules(1));
    assert!(!weighs(&other.pass(Duration::from_secs(60))), "nobody asked");
}

/// A request that began 10 s ago and made progress just now.
fn busy(world: &World) -> Busy {
    let began = world.now;
    let doing = Doing::Request(0, "GET / HTTP/1.1".into(), "a client".into());
    Busy { worker: ONE, began, since: began, doing }
}

#[test]
fn progress_does_not_save_a_request_from_the_limit_for_all_of_it() {
    let mut world = World::serving(Rules { request_timeout: Some(Duration::from_secs(10)), ..rules(1) });
    let mut request = busy(&world);
    world.now = world.now.after(Duration::from_secs(10));
    request.since = world.now;
    world.happens(Event::Tick(vec![request]));
    let pid = pid_of(ONE);
    let place = |wanted| world.last.iter().position(|action| *action == wanted);
    assert!(
        place(Action::LastWord(pid, 0)).unwrap() < place(Action::ShowStacks(pid, Some(0))).unwrap(),
        "{:?}",
        world.last
    );
    assert_eq!(world.ordered(), [(TWO, 1)]);
}

#[test]
fn a_slow_request_is_shown_once_and_goes_on() {
    let mut world = World::serving(Rules { slow_request: Some(Duration::from_secs(1)), ..rules(1) });
    let request = busy(&world);
    let mut shown = 0;
    for _ in 0..5 {
        world.now = world.now.after(Duration::from_secs(2));
        world.happens(Event::Tick(vec![request.clone()]));
        assert!(!world.did(&Action::LastWord(pid_of(ONE), 0)));
        shown += usize::from(world.did(&Action::ShowStacks(pid_of(ONE), Some(0))));
    }
    assert_eq!(shown, 1);
    assert!(matches!(world.phase(FIRST, ONE), Phase::Ready { .. }));
}

#[test]
fn a_death_is_told_with_its_circumstances() {
    let text = |out_of_memory, last| {
        let mut world = World::serving(rules(1));
        world.pass(Duration::from_secs(2));
        let how = Ended::Killed(SIGKILL);
        world.happens(Event::WorkerEnded(pid_of(ONE), Autopsy { how, out_of_memory, last }));
        let line = world.lines()[0].1.to_owned();
        line.split_once("SIGKILL").unwrap().1.to_owned()
    };
    assert_eq!(text(false, None), "; restarting");
    assert_eq!(text(true, None), " by the kernel, as memory ran out; restarting");
    let request = |unanswered_since| {
        let (request, client) = ("GET /x HTTP/1.1".to_owned(), "1.2.3.4:5".to_owned());
        Some(LastRequest { request, client, unanswered_since })
    };
    assert_eq!(text(false, request(None)), " after \"GET /x HTTP/1.1\" from 1.2.3.4:5; restarting");
    let began = World::serving(rules(1)).now.after(Duration::from_millis(500));
    let expected = " while it was in \"GET /x HTTP/1.1\" from 1.2.3.4:5 for 1.5 s; restarting";
    assert_eq!(text(false, request(Some(began))), expected);
}

#[test]
fn under_pressure_the_largest_makes_room_and_nobody_else_for_a_while() {
    let mut world = World::serving(rules(2));
    let asks = |world: &World| {
        world.last.iter().any(|action| matches!(action, Action::FindFattest(all) if all.len() == 2))
    };
    world.happens(Event::MemoryIsShort);
    assert!(asks(&world));
    world.happens(Event::Fattest(TWO, 300 << 20));
    assert!(world.lines()[0].1.contains("is the largest that is idle, with 300 MiB, and memory is short"));
    assert_eq!(world.ordered(), [(WorkerId(3), 2)], "another comes first");
    world.pass(Duration::from_secs(11));
    world.happens(Event::MemoryIsShort);
    assert_eq!(world.last, [], "one at a time");
    world.gets_ready(WorkerId(3));
    world.ends(TWO, Ended::Exited(0));
    world.happens(Event::MemoryIsShort);
    assert!(asks(&world));
    world.happens(Event::MemoryIsShort);
    assert_eq!(world.last, [], "it is too soon");
}
