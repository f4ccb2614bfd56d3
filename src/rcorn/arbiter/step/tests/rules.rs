//! One test for each rule of the state table and of `policy`.

use super::world::*;
use crate::arbiter::action::{Action, Notice};
use crate::arbiter::event::{Busy, Doing, Event, InRequest, Inside, Wish};
use crate::arbiter::fleet::{Phase, Role, Stage, Why, Zygote};
use crate::arbiter::policy::Moment;
use crate::arbiter::policy::Rules;
use contract::exit::ExitCode;
use contract::id::{Generation, Pid, Slot, WorkerId};
use contract::logline::Level;
use contract::message::{FromWorker, FromZygote, PreloadOutcome, ToWorker};
use contract::settings::Preload;
use std::time::Duration;
use sys::process::Ended;
use sys::signal::SIGKILL;

/// SIGSEGV.
const CRASH: Ended = Ended::Killed(11);

#[test]
fn a_first_boot_starts_a_zygote_then_workers_then_says_ready() {
    let mut world = World::new(rules(2));
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Auto)));
    world.zygote_boots(FIRST);
    assert_eq!(world.ordered(), [(WorkerId(1), 0), (WorkerId(2), 1)]);
    world.gets_ready(WorkerId(1));
    assert_eq!(world.crew(FIRST).role, Role::Booting);
    world.gets_ready(WorkerId(2));
    assert_eq!(world.crew(FIRST).role, Role::Serving);
    assert!(world.did(&Action::Adopt(FIRST)));
    assert!(matches!(&world.last[..], [.., Action::Notify(Notice::Ready, _)]));
}

#[test]
fn many_workers_are_ordered_a_few_at_a_time() {
    let mut world = World::new(rules(100));
    world.zygote_boots(FIRST);
    assert_eq!(world.ordered().len(), 16);
    for worker in (1..=100).map(WorkerId) {
        world.gets_ready(worker);
    }
    assert_eq!((world.crew(FIRST).role, world.crew(FIRST).workers.len()), (Role::Serving, 100));
}

#[test]
fn ready_may_overtake_the_process_id() {
    let mut world = World::new(rules(1));
    world.zygote_boots(FIRST);
    world.happens(Event::Worker(WorkerId(1), FromWorker::Ready));
    world.forked(WorkerId(1));
    assert_eq!(world.crew(FIRST).workers[&WorkerId(1)].pid, Some(pid_of(WorkerId(1))));
    assert!(matches!(world.phase(FIRST, WorkerId(1)), Phase::Ready { .. }));
}

#[test]
fn an_application_that_cannot_be_imported_ends_the_first_boot_and_is_told_once() {
    let mut world = World::new(rules(2));
    world.zygote_boots(FIRST);
    for worker in [WorkerId(1), WorkerId(2)] {
        world.forked(worker);
    }
    world.happens(Event::Worker(WorkerId(1), FromWorker::Failed(failure(ExitCode::AppCallable))));
    assert!(world.did(&Action::Refuse(failure(ExitCode::AppCallable))));
    assert!(world.did(&Action::Tell(WorkerId(2), ToWorker::Drain)));
    world.happens(Event::Worker(WorkerId(2), FromWorker::Failed(failure(ExitCode::AppCallable))));
    assert_eq!(world.last, []);
    world.ends(WorkerId(1), Ended::Exited(4));
    world.ends(WorkerId(2), Ended::Exited(4));
    assert!(!world.did(&Action::Leave(ExitCode::AppCallable)), "the zygote is still there");
    world.zygote_ends(FIRST);
    assert!(world.did(&Action::Leave(ExitCode::AppCallable)));
}

#[test]
fn a_zygote_that_fails_ends_the_first_boot() {
    let mut world = World::new(rules(2));
    world.happens(Event::Zygote(FIRST, FromZygote::Failed(failure(ExitCode::AppImport))));
    assert!(world.did(&Action::Refuse(failure(ExitCode::AppImport))));
    world.zygote_ends(FIRST);
    assert!(world.did(&Action::Leave(ExitCode::AppImport)));
}

#[test]
fn what_is_not_python_is_said_in_a_sentence() {
    let mut world = World::new(rules(1));
    let said = "\ncat: invalid option\nTry --help\n".to_owned();
    world.happens(Event::ZygoteEnded(FIRST, Ended::Exited(126), said));
    let Some(Action::Refuse(failure)) = world.last.iter().find(|action| matches!(action, Action::Refuse(_)))
    else {
        panic!("not refused: {:?}", world.last)
    };
    assert!(
        failure.summary.starts_with("/opt/python exited with code 126")
            && failure.summary.contains("(it said \"cat: invalid option\")")
            && failure.code == ExitCode::Setup
    );
    assert!(world.did(&Action::Leave(ExitCode::Setup)));
    let mut world = World::new(rules(1));
    world.happens(Event::ZygoteNotStarted(FIRST, "no such file".into()));
    assert!(world.did(&Action::Leave(ExitCode::Setup)));
}

#[test]
fn an_import_that_does_not_survive_a_fork_is_left_to_the_workers() {
    let mut world = World::new(rules(1));
    let preload = PreloadOutcome::Unsafe { reason: "the import left 2 threads running".into() };
    world.happens(Event::Zygote(FIRST, FromZygote::Booted { preload }));
    assert!(world.did(&Action::KillZygote(FIRST)));
    assert!(world.lines()[0].1.starts_with("preload is off: the import left 2 threads running"));
    world.happens(Event::ZygoteEnded(FIRST, Ended::Killed(SIGKILL), String::new()));
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Off)));
    world.zygote_boots(FIRST);
    world.all_get_ready(FIRST);
    world.zygote_ends(FIRST);
    world.ends(WorkerId(1), CRASH);
    world.pass(Duration::from_millis(1));
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Off)), "the outcome is kept");
}

#[test]
fn a_first_boot_that_takes_too_long_is_given_up() {
    let mut world = World::new(rules(2));
    world.zygote_boots(FIRST);
    world.gets_ready(WorkerId(1));
    world.forked(WorkerId(2));
    let decided = world.pass(Duration::from_secs(60));
    let refused = |action: &Action| matches!(action, Action::Refuse(failure) if failure.summary.contains("within 60 s (1 of 2"));
    assert!(decided.iter().any(refused), "{decided:?}");
    assert!(matches!(world.fleet.stage, Stage::Stopping { code: ExitCode::AppImport, .. }));
    let decided = world.pass(Duration::from_secs(1));
    assert!(decided.contains(&Action::Signal(pid_of(WorkerId(2)), SIGKILL)));
}

#[test]
fn a_boot_in_which_worker_after_worker_fails_is_given_up_as_soon_as_the_operator_says() {
    let mut world = World::new(Rules { max_boot_failures: 5, ..rules(1) });
    world.zygote_boots(FIRST);
    for attempt in 1..=5 {
        let [worker] = world.workers(FIRST)[..] else { panic!("one worker at a time") };
        assert_eq!(worker, WorkerId(attempt));
        assert_eq!(world.fleet.stage, Stage::Running);
        world.forked(worker);
        if attempt % 2 == 0 {
            let failed = FromWorker::Failed(failure(ExitCode::AppImport));
            world.happens(Event::Worker(worker, failed));
            world.ends(worker, Ended::Exited(3));
        } else {
            world.ends(worker, CRASH);
        }
        world.pass(Duration::from_millis(16));
    }
    assert!(matches!(world.fleet.stage, Stage::Stopping { code: ExitCode::AppImport, .. }));
}

#[test]
fn a_crash_is_logged_once_and_waits_longer_each_time() {
    let mut world = World::serving(rules(2));
    let mut worker = WorkerId(2);
    for wait in [1, 2, 4, 8] {
        world.ends(worker, CRASH);
        let text =
            format!("worker 2 (pid {}) was killed by SIGSEGV; restarting in {wait} ms", pid_of(worker));
        assert_eq!(world.lines(), [(Level::Error, text.as_str())]);
        assert_eq!(world.ordered(), []);
        assert_eq!(ordered(&world.pass(Duration::from_millis(wait - 1))), []);
        let [(next, 1)] = ordered(&world.pass(Duration::from_millis(1)))[..] else { panic!("slot 1") };
        world.gets_ready(next);
        worker = next;
    }
    world.pass(Duration::from_secs(1));
    world.ends(worker, CRASH);
    assert_eq!(world.ordered().len(), 1, "who was ready for a while is replaced at once");
    assert_eq!(world.phase(FIRST, WorkerId(1)), Phase::Ready { since: Moment(1_000_000_000) });
}

#[test]
fn a_worker_killed_from_outside_is_replaced_at_once() {
    let mut world = World::serving(rules(1));
    for _ in 0..20 {
        let [worker] = world.workers(FIRST)[..] else { panic!("one worker at a time") };
        world.ends(worker, Ended::Killed(SIGKILL));
        assert_eq!(world.ordered().len(), 1);
        world.all_get_ready(FIRST);
    }
}

#[test]
fn a_worker_that_leaves_without_a_word_is_no_error() {
    let mut world = World::serving(rules(1));
    world.ends(WorkerId(1), Ended::Exited(0));
    let text = format!("worker 1 (pid {}) exited with code 0; restarting in 1 ms", pid_of(WorkerId(1)));
    assert_eq!(world.lines(), [(Level::Info, text.as_str())]);
    assert_eq!(ordered(&world.pass(Duration::from_millis(1))).len(), 1);
}

#[test]
fn a_respawn_that_cannot_be_imported_is_told_once_and_tried_again() {
    let mut world = World::serving(rules(2));
    world.pass(Duration::from_secs(5));
    world.ends(WorkerId(1), CRASH);
    for attempt in 0..3 {
        let [_, worker] = world.workers(FIRST)[..] else { panic!("a second worker") };
        world.forked(worker);
        world.happens(Event::Worker(worker, FromWorker::Failed(failure(ExitCode::AppImport))));
        assert_eq!(world.did(&Action::Traceback("Traceback\n".into())), attempt == 0);
        assert_eq!(world.ordered(), [], "not before it has ended, and then with a pause");
        world.ends(worker, Ended::Exited(3));
        world.pass(Duration::from_secs(5));
    }
    assert_eq!(world.crew(FIRST).ready(), 1, "the healthy one stays");
}

#[test]
fn a_worker_that_does_not_get_ready_is_killed_and_replaced() {
    let mut world = World::serving(rules(1));
    world.pass(Duration::from_secs(5));
    world.ends(WorkerId(1), CRASH);
    world.forked(WorkerId(2));
    let decided = world.pass(Duration::from_secs(60));
    assert!(decided.contains(&Action::Signal(pid_of(WorkerId(2)), SIGKILL)));
    world.ends(WorkerId(2), Ended::Killed(SIGKILL));
    assert_eq!(ordered(&world.pass(Duration::from_millis(1))).len(), 1);
}

#[test]
fn an_order_that_never_became_a_process_is_given_again() {
    let mut world = World::serving(rules(1));
    world.pass(Duration::from_secs(5));
    world.ends(WorkerId(1), CRASH);
    world.happens(Event::ZygoteClosed(FIRST));
    world.happens(Event::WorkerClosed(WorkerId(2)));
    assert!(world.did(&Action::Release(FIRST, WorkerId(2), Slot(0))));
    world.zygote_ends(FIRST);
    world.pass(Duration::from_millis(1));
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Auto)));
    world.zygote_boots(FIRST);
    assert_eq!(world.ordered(), [(WorkerId(3), 0)]);
    world.happens(Event::Worker(WorkerId(3), FromWorker::ForkFailed { error: "no memory".into() }));
    assert!(world.lines()[0].1.contains("could not be forked: no memory; restarting in 2 ms"));
    assert_eq!(ordered(&world.pass(Duration::from_millis(2))).len(), 1);
}

#[test]
fn an_order_that_the_zygote_sits_on_costs_the_zygote_its_life() {
    let mut world = World::serving(rules(1));
    world.pass(Duration::from_secs(5));
    world.ends(WorkerId(1), CRASH);
    assert!(world.pass(Duration::from_secs(60)).contains(&Action::KillZygote(FIRST)));
}

#[test]
fn workers_outlive_their_zygote_and_the_next_starts_when_it_is_needed() {
    let mut world = World::serving(rules(2));
    world.zygote_ends(FIRST);
    assert_eq!((world.last.len(), world.crew(FIRST).ready()), (1, 2));
    assert_eq!(ordered(&world.pass(Duration::from_secs(10))), []);
    world.ends(WorkerId(1), CRASH);
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Auto)));
    world.happens(Event::Zygote(FIRST, FromZygote::Failed(failure(ExitCode::AppImport))));
    assert!(world.did(&Action::Traceback("Traceback\n".into())));
    world.zygote_ends(FIRST);
    assert!(!world.did(&Action::StartZygote(FIRST, Preload::Auto)), "not without a pause");
    world.pass(Duration::from_millis(1));
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Auto)));
    assert_eq!(world.crew(FIRST).ready(), 1);
}

#[test]
fn a_zygote_that_does_not_get_ready_again_is_killed_and_tried_again() {
    let mut world = World::serving(rules(2));
    world.zygote_ends(FIRST);
    world.pass(Duration::from_secs(5));
    world.ends(WorkerId(1), CRASH);
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Auto)));
    let decided = world.pass(Duration::from_secs(60));
    assert!(decided.contains(&Action::KillZygote(FIRST)), "{decided:?}");
    world.happens(Event::ZygoteEnded(FIRST, Ended::Killed(SIGKILL), String::new()));
    world.pass(Duration::from_millis(1));
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Auto)));
    assert_eq!(world.crew(FIRST).ready(), 1);
}

#[test]
fn a_reload_replaces_the_workers_once_the_new_ones_are_ready() {
    let mut world = World::serving(rules(2));
    assert_eq!(world.reload(rules(1)), SECOND);
    assert!(world.did(&Action::StartZygote(SECOND, Preload::Auto)));
    world.zygote_boots(SECOND);
    assert_eq!(world.crew(FIRST).ready(), 2);
    world.all_get_ready(SECOND);
    assert!(world.did(&Action::CloseZygote(FIRST)) && world.did(&Action::Adopt(SECOND)));
    let told = Action::Tell(WorkerId(2), ToWorker::Retire);
    let place = |wanted: &dyn Fn(&Action) -> bool| world.last.iter().position(wanted);
    let heard = place(&|action| *action == Action::AwaitDeaf(FIRST));
    let news = |action: &Action| matches!(action, Action::Log(_, text) if text.starts_with("reloaded: generation 2"));
    assert!(place(&|action| *action == told) < heard && heard < place(&news), "{:?}", world.last);
    world.ends(WorkerId(1), Ended::Exited(0));
    world.zygote_ends(FIRST);
    let decided = world.pass(Duration::from_secs(20));
    assert!(decided.contains(&Action::Signal(pid_of(WorkerId(2)), SIGKILL)));
    world.ends(WorkerId(2), Ended::Killed(SIGKILL));
    assert!(world.did(&Action::Discard(FIRST)));
}

#[test]
fn a_reload_that_fails_leaves_the_workers_alone() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Reload);
    world.happens(Event::Checked(SECOND, Err("app.toml:3: no".into())));
    assert!(world.lines()[0].1.contains("app.toml:3: no (still serving generation 1)"));
    let third = world.reload(rules(2));
    assert_eq!(third, Generation(3));
    world.zygote_boots(third);
    world.gets_ready(WorkerId(2));
    world.forked(WorkerId(3));
    world.happens(Event::Worker(WorkerId(3), FromWorker::Failed(failure(ExitCode::AppImport))));
    assert!(
        world.did(&Action::Tell(WorkerId(2), ToWorker::Quit))
            || world.did(&Action::Tell(WorkerId(2), ToWorker::Retire))
    );
    assert!(world.did(&Action::Traceback("Traceback\n".into())));
    world.ends(WorkerId(2), Ended::Exited(0));
    world.ends(WorkerId(3), Ended::Exited(3));
    world.zygote_ends(third);
    assert!(world.did(&Action::Discard(third)));
    assert_eq!((world.crew(FIRST).role, world.crew(FIRST).ready()), (Role::Serving, 1));
}

#[test]
fn a_reload_that_takes_too_long_fails() {
    let mut world = World::serving(rules(1));
    world.reload(rules(1));
    let decided = world.pass(Duration::from_secs(60));
    let told =
        |action: &Action| matches!(action, Action::Log(Level::Error, text) if text.contains("reload failed"));
    assert!(decided.iter().any(told) && world.fleet.stage == Stage::Running);
}

#[test]
fn reloads_during_a_reload_become_one_more() {
    let mut world = World::serving(rules(1));
    world.reload(rules(1));
    world.wish(Wish::Reload);
    world.wish(Wish::Reload);
    world.zygote_boots(SECOND);
    world.all_get_ready(SECOND);
    assert!(world.did(&Action::Check(Generation(3))));
    assert_eq!(world.goes_on(rules(1)), Generation(3));
    world.zygote_boots(Generation(3));
    world.all_get_ready(Generation(3));
    assert!(world.fleet.preparing.is_none());
}

#[test]
fn a_stop_drains_and_ends_when_everyone_has_left() {
    let mut world = World::serving(rules(2));
    world.wish(Wish::Stop);
    let drain = |worker| Action::Tell(worker, ToWorker::Drain);
    let place = |action: &Action| world.last.iter().position(|other| other == action).unwrap();
    assert!(place(&Action::StopListening) < place(&Action::CloseZygote(FIRST)));
    assert!(place(&Action::CloseZygote(FIRST)) < place(&drain(WorkerId(1))));
    world.zygote_ends(FIRST);
    world.ends(WorkerId(1), Ended::Exited(0));
    assert_eq!(world.ordered(), []);
    world.ends(WorkerId(2), Ended::Exited(0));
    assert!(world.did(&Action::Leave(ExitCode::Success)));
}

#[test]
fn a_second_stop_hurries_the_first() {
    for second in [Wish::Stop, Wish::Quit] {
        let mut world = World::serving(rules(1));
        world.wish(Wish::Stop);
        world.wish(second);
        assert!(world.did(&Action::Tell(WorkerId(1), ToWorker::Quit)));
        world.wish(second);
        assert_eq!(world.last, []);
        let decided = world.pass(Duration::from_secs(1));
        assert!(decided.contains(&Action::Signal(pid_of(WorkerId(1)), SIGKILL)));
    }
}

#[test]
fn a_stop_ends_the_patience_of_those_who_had_time() {
    let mut world = World::serving(rules(1));
    world.reload(rules(1));
    world.zygote_boots(SECOND);
    world.all_get_ready(SECOND);
    assert!(world.did(&Action::Tell(WorkerId(1), ToWorker::Retire)));
    world.wish(Wish::Stop);
    for worker in [WorkerId(1), WorkerId(2)] {
        assert!(world.did(&Action::Tell(worker, ToWorker::Drain)), "{worker:?}");
    }
}

#[test]
fn a_quick_stop_waits_for_nobody() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Quit);
    assert!(world.did(&Action::Tell(WorkerId(1), ToWorker::Quit)));
    assert!(!world.did(&Action::Tell(WorkerId(1), ToWorker::Drain)));
    let decided = world.pass(Duration::from_secs(1));
    assert!(decided.contains(&Action::KillZygote(FIRST)));
}

#[test]
fn a_stop_during_a_reload_ends_both_generations() {
    let mut world = World::serving(rules(1));
    world.reload(rules(1));
    world.zygote_boots(SECOND);
    world.forked(WorkerId(2));
    world.wish(Wish::Stop);
    assert!(world.did(&Action::Tell(WorkerId(1), ToWorker::Drain)));
    assert!(world.did(&Action::Tell(WorkerId(2), ToWorker::Drain)));
    world.wish(Wish::Reload);
    assert_eq!(world.last, []);
    world.ends(WorkerId(2), Ended::Exited(0));
    world.ends(WorkerId(1), Ended::Exited(0));
    world.zygote_ends(SECOND);
    world.zygote_ends(FIRST);
    assert!(world.did(&Action::Leave(ExitCode::Success)));
}

#[test]
fn a_stop_during_the_first_boot_ends_it_with_success() {
    let mut world = World::new(rules(1));
    world.wish(Wish::Stop);
    assert!(world.did(&Action::CloseZygote(FIRST)));
    assert!(world.pass(Duration::from_secs(1)).contains(&Action::KillZygote(FIRST)));
    world.happens(Event::ZygoteEnded(FIRST, Ended::Killed(SIGKILL), String::new()));
    assert!(world.did(&Action::Leave(ExitCode::Success)));
}

#[test]
fn one_more_and_one_less() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::More);
    assert_eq!(world.ordered(), [(WorkerId(2), 1)]);
    world.gets_ready(WorkerId(2));
    world.wish(Wish::Fewer);
    assert!(world.did(&Action::Tell(WorkerId(2), ToWorker::Retire)), "the last slot goes");
    world.wish(Wish::Fewer);
    assert_eq!(world.crew(FIRST).target, 1, "one stays");
    assert!(matches!(world.phase(FIRST, WorkerId(1)), Phase::Ready { .. }));
}

#[test]
fn a_slot_that_waits_is_given_up_before_a_worker_is() {
    let mut world = World::serving(rules(2));
    world.ends(WorkerId(2), CRASH);
    world.wish(Wish::Fewer);
    assert_eq!(world.crew(FIRST).ready(), 1);
    assert_eq!(ordered(&world.pass(Duration::from_secs(5))), []);
}

#[test]
fn a_worker_that_was_signalled_is_replaced_while_it_drains() {
    let mut world = World::serving(rules(1));
    world.happens(Event::Worker(WorkerId(1), FromWorker::Leaving));
    assert_eq!(world.ordered(), [(WorkerId(2), 1)]);
    world.ends(WorkerId(1), Ended::Exited(0));
    assert_eq!(world.lines()[0].0, Level::Info);
    assert_eq!(world.ordered(), []);
}

fn busy(worker: WorkerId, since: Moment) -> Busy {
    let doing = Doing::Request(0, "GET /slow HTTP/1.1".into(), "127.0.0.1:1234".into());
    Busy { worker, began: since, since, doing }
}

#[test]
fn a_request_over_its_limit_shows_its_stacks_and_costs_the_worker() {
    let mut world = World::serving(rules(2));
    let begin = world.now;
    let idle = world.fleet.next_deadline().unwrap();
    assert_eq!(idle, begin.after(Duration::from_secs(30)), "nothing to look at before");
    world.now = idle;
    let since = begin.after(Duration::from_secs(3));
    world.happens(Event::Tick(vec![busy(WorkerId(2), since)]));
    assert_eq!(world.last, []);
    world.now = world.fleet.next_deadline().unwrap();
    assert_eq!(world.now, since.after(Duration::from_secs(30)));
    world.happens(Event::Tick(vec![busy(WorkerId(2), since)]));
    let (pid, lines) = (pid_of(WorkerId(2)), world.lines());
    let text = format!(
        "WORKER TIMEOUT worker 2 (pid {pid}): 30.0 s in \"GET /slow HTTP/1.1\" from 127.0.0.1:1234; it is replaced"
    );
    assert_eq!(lines, [(Level::Critical, text.as_str())]);
    assert!(world.did(&Action::ShowStacks(pid, Some(0))));
    assert_eq!(world.ordered(), [(WorkerId(3), 2)]);
    world.now = world.now.after(Duration::from_millis(200));
    world.happens(Event::Tick(Vec::new()));
    assert!(world.did(&Action::Signal(pid, SIGKILL)));
    world.ends(WorkerId(2), Ended::Killed(SIGKILL));
    assert_eq!(world.ordered(), []);
}

#[test]
fn a_loop_that_is_silent_costs_the_worker() {
    let mut world = World::serving(rules(1));
    let turned = world.now;
    let silent =
        Busy { worker: WorkerId(1), began: turned, since: turned, doing: Doing::Turning(Inside::default()) };
    for seconds in [30, 34] {
        world.now = turned.after(Duration::from_secs(seconds));
        world.happens(Event::Tick(vec![silent.clone()]));
        assert_eq!(world.last, [], "it turns every five seconds, and has missed none for 30 s");
    }
    world.now = world.fleet.next_deadline().unwrap();
    assert_eq!(world.now, turned.after(Duration::from_secs(35)));
    world.happens(Event::Tick(vec![silent]));
    let text = format!(
        "WORKER TIMEOUT worker 1 (pid {}): no sign of life for 35 s, outside of any request; it is replaced",
        pid_of(WorkerId(1))
    );
    assert_eq!(world.lines(), [(Level::Critical, text.as_str())]);
    assert_eq!(world.ordered(), [(WorkerId(2), 1)]);
}

#[test]
fn a_loop_that_is_blocked_is_told_with_what_it_is_in() {
    let mut world = World::serving(rules(1));
    let turned = world.now;
    let request = |name: &str, seconds| InRequest {
        line: format!("GET /{name} HTTP/1.1"),
        client: "127.0.0.1:1".into(),
        began: turned.after(Duration::from_secs(seconds)),
    };
    let requests = vec![request("blocks", 1), request("waits", 0)];
    let told = |world: &mut World, inside| {
        let silent =
            Busy { worker: WorkerId(1), began: turned, since: turned, doing: Doing::Turning(inside) };
        for seconds in [30, 36] {
            world.now = turned.after(Duration::from_secs(seconds));
            world.happens(Event::Tick(vec![silent.clone()]));
        }
        world.lines().iter().map(|(_, line)| (*line).to_owned()).collect::<Vec<_>>()
    };
    let mut other = World::serving(rules(1));
    let known = Inside { requests: requests.clone(), first_blocks: true, more: 312, websockets: 1 };
    let name = format!("worker 1 (pid {})", pid_of(WorkerId(1)));
    assert_eq!(
        told(&mut world, known),
        [
            format!(
                "WORKER TIMEOUT {name}: the loop is blocked for 36 s, \
                 by \"GET /blocks HTTP/1.1\" from 127.0.0.1:1 for 35.0 s; it is replaced"
            ),
            format!("{name}: was also in \"GET /waits HTTP/1.1\" from 127.0.0.1:1 for 36.0 s"),
            format!("{name}: was also in 312 more requests and 1 websocket"),
        ]
    );
    let pid = pid_of(WorkerId(1));
    assert!(world.did(&Action::LastWordToAll(pid)) && world.did(&Action::ShowStacks(pid, None)));
    let unknown = Inside { requests, ..Inside::default() };
    let lines = told(&mut other, unknown);
    assert_eq!(lines[0], format!("WORKER TIMEOUT {name}: the loop is blocked for 36 s; it is replaced"));
    assert_eq!(lines[1], format!("{name}: was in \"GET /blocks HTTP/1.1\" from 127.0.0.1:1 for 35.0 s"));
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[test]
fn nobody_is_judged_by_a_sleep_of_all() {
    let mut world = World::serving(rules(1));
    let begin = world.now;
    let frozen =
        Busy { worker: WorkerId(1), began: begin, since: begin, doing: Doing::Turning(Inside::default()) };
    world.now = begin.after(Duration::from_secs(3600));
    world.happens(Event::Tick(vec![frozen.clone()]));
    assert_eq!(world.last, [], "the arbiter slept as well");
    world.now = world.fleet.next_deadline().unwrap();
    assert_eq!(begin.after(Duration::from_secs(3602)), world.now);
    world.happens(Event::Tick(vec![frozen]));
    assert_eq!(world.ordered(), [(WorkerId(2), 1)], "it has not woken");
}

#[test]
fn progress_is_no_reason_to_look_more_than_fifty_times_a_second() {
    let mut rules = rules(1);
    rules.timeout = Some(Duration::from_millis(2));
    let mut world = World::serving(rules);
    for _ in 0..5 {
        let before = world.now;
        world.now = world.fleet.next_deadline().unwrap();
        assert!(before.until(world.now) >= Duration::from_millis(20));
        world.happens(Event::Tick(vec![busy(WorkerId(1), world.now)]));
        assert_eq!(world.phase(FIRST, WorkerId(1)), Phase::Ready { since: Moment(1_000_000_000) });
    }
}

#[test]
fn a_request_that_is_slow_by_a_little_is_shown() {
    let mut rules = rules(1);
    rules.slow_request = Some(Duration::from_millis(700));
    let mut world = World::serving(rules);
    // Seen shortly before it is over its time: the next look is when it is.
    let began = world.now;
    world.now = world.fleet.next_deadline().unwrap();
    let begins = began.after(Duration::from_millis(100));
    world.happens(Event::Tick(vec![busy(WorkerId(1), begins)]));
    assert_eq!(world.fleet.next_deadline(), Some(begins.after(Duration::from_millis(700))));
    world.now = world.fleet.next_deadline().unwrap();
    world.happens(Event::Tick(vec![busy(WorkerId(1), begins)]));
    assert!(world.lines()[0].1.contains("0.7 s in"), "{:?}", world.lines());
}

#[test]
fn without_a_limit_nobody_looks() {
    let mut rules = rules(1);
    rules.timeout = None;
    let world = World::serving(rules);
    assert_eq!(world.fleet.next_deadline(), None);
}

#[test]
fn a_reload_that_brings_a_shorter_limit_looks_sooner() {
    let mut world = World::serving(rules(1));
    let mut shorter = rules(1);
    shorter.timeout = Some(Duration::from_secs(2));
    world.reload(shorter);
    world.zygote_boots(SECOND);
    world.all_get_ready(SECOND);
    assert_eq!(world.fleet.look_at, Some(world.now.after(Duration::from_secs(2))));
}

#[test]
fn a_drain_does_not_switch_the_limit_off() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Stop);
    let crew = world.fleet.crews.get_mut(&FIRST).unwrap();
    crew.workers.get_mut(&WorkerId(1)).unwrap().deadline = None;
    world.now = world.now.after(Duration::from_secs(30));
    world.happens(Event::Tick(vec![busy(WorkerId(1), Moment(1))]));
    assert_eq!(world.phase(FIRST, WorkerId(1)), Phase::Leaving(Why::Stuck));
}

#[test]
fn orphans_of_the_application_are_nobodys() {
    let mut world = World::serving(rules(1));
    world.happens(Event::WorkerEnded(Pid(7), autopsy(CRASH)));
    assert_eq!(world.last, []);
}

#[test]
fn logs_are_reopened_for_all_or_for_who_asks() {
    let mut world = World::serving(rules(1));
    assert_eq!(world.wish(Wish::ReopenLogs), [Action::ReopenLogs]);
    world.happens(Event::Worker(WorkerId(1), FromWorker::ReopenLogs));
    assert_eq!(world.last, [Action::GiveLogs(FIRST, WorkerId(1))]);
    assert!(world.wish(Wish::Winch).iter().all(|action| matches!(action, Action::Log(Level::Debug, _))));
}

#[test]
fn who_was_to_leave_has_all_of_his_time_behind_the_last_request() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::Stop);
    world.happens(Event::WorkerClosed(WorkerId(1)));
    let killed = Action::Signal(pid_of(WorkerId(1)), SIGKILL);
    assert!(!world.pass(Duration::from_secs(19)).contains(&killed), "its exit handlers run");
    let decided = world.pass(Duration::from_secs(1));
    assert!(decided.contains(&killed));
    let why = "worker 1 (pid 1001) had finished, but its process did not end within 20 s; it is killed";
    assert!(decided.contains(&Action::Log(Level::Warning, why.to_owned())), "{decided:?}");
}

#[test]
fn a_closed_channel_without_an_end_is_made_one() {
    let mut world = World::serving(rules(1));
    world.happens(Event::WorkerClosed(WorkerId(1)));
    assert_eq!(world.last, []);
    let decided = world.pass(Duration::from_secs(1));
    assert!(decided.contains(&Action::Signal(pid_of(WorkerId(1)), SIGKILL)));
    world.ends(WorkerId(1), Ended::Killed(SIGKILL));
    assert_eq!(world.ordered().len(), 1);
    let mut world = World::serving(rules(1));
    world.happens(Event::ZygoteClosed(FIRST));
    assert!(matches!(world.crew(FIRST).zygote, Zygote::Ending { kill_at: Some(_) }));
    assert!(world.pass(Duration::from_secs(1)).contains(&Action::KillZygote(FIRST)));
}
