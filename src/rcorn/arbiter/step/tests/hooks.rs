//! What zygotes are told where the settings have hooks, and how long they live then.

use super::world::*;
use crate::arbiter::action::Action;
use crate::arbiter::event::{Busy, Doing, Event, Wish};
use crate::arbiter::fleet::Zygote;
use crate::arbiter::policy::{ABORT_GRACE, Moment, Rules};
use contract::exit::ExitCode;
use contract::id::{Generation, WorkerId};
use contract::message::{FromWorker, FromZygote, PreloadOutcome, ToZygote};
use contract::settings::{Occasion, Preload};
use std::time::Duration;
use sys::process::Ended;
use sys::signal::{SIGABRT, SIGKILL, SIGQUIT};

fn with(hooks: &[&str], workers: u32) -> Rules {
    Rules { hooks: hooks.iter().map(|hook| (*hook).to_owned()).collect(), ..rules(workers) }
}

fn told(world: &World) -> Vec<(Generation, ToZygote)> {
    let told = |action: &Action| match action {
        Action::TellZygote(generation, message) => Some((*generation, message.clone())),
        _ => None,
    };
    world.last.iter().filter_map(told).collect()
}

fn end_of(worker: WorkerId) -> ToZygote {
    ToZygote::Ended { worker, pid: pid_of(worker).0 }
}

#[test]
fn without_hooks_nobody_is_told_and_no_zygote_stays() {
    let mut world = World::serving(rules(1));
    world.wish(Wish::More);
    assert_eq!(told(&world), []);
    world.ends(WorkerId(1), Ended::Killed(SIGKILL));
    assert_eq!(told(&world), []);
    world.wish(Wish::Stop);
    assert!(world.did(&Action::CloseZygote(FIRST)) && told(&world).is_empty());
}

#[test]
fn the_zygote_hears_of_each_end_before_the_next_fork() {
    let mut world = World::serving(with(&["child_exit"], 1));
    world.ends(WorkerId(1), Ended::Killed(SIGKILL));
    let position = |wanted: &Action| world.last.iter().position(|action| action == wanted);
    let end = position(&Action::TellZygote(FIRST, end_of(WorkerId(1))));
    let fork = world.last.iter().position(|action| matches!(action, Action::Fork(..)));
    assert!(end.is_some() && end < fork, "{:?}", world.last);
}

#[test]
fn it_stays_for_its_last_worker_and_has_the_last_word() {
    let mut world = World::serving(with(&["child_exit", "on_exit"], 2));
    world.wish(Wish::Stop);
    assert_eq!(told(&world), [(FIRST, ToZygote::Retire)]);
    assert!(!world.did(&Action::CloseZygote(FIRST)));
    world.ends(WorkerId(1), Ended::Exited(0));
    assert_eq!(told(&world), [(FIRST, end_of(WorkerId(1)))]);
    world.ends(WorkerId(2), Ended::Exited(0));
    assert_eq!(told(&world), [(FIRST, end_of(WorkerId(2))), (FIRST, ToZygote::Exit)]);
    assert!(world.did(&Action::CloseZygote(FIRST)));
    world.zygote_ends(FIRST);
    assert!(world.did(&Action::Leave(ExitCode::Success)));
}

#[test]
fn on_exit_is_not_for_a_generation_that_is_replaced() {
    let hooks = ["child_exit", "on_exit"];
    let mut world = World::serving(with(&hooks, 1));
    let second = world.reload(with(&hooks, 1));
    world.zygote_boots(second);
    world.all_get_ready(second);
    assert_eq!(told(&world), [(FIRST, ToZygote::Retire)]);
    world.ends(WorkerId(1), Ended::Exited(0));
    assert_eq!(told(&world), [(FIRST, end_of(WorkerId(1)))]);
    assert!(world.did(&Action::CloseZygote(FIRST)));
    world.zygote_ends(FIRST);
    world.wish(Wish::Stop);
    world.ends(WorkerId(2), Ended::Exited(0));
    assert_eq!(told(&world), [(second, end_of(WorkerId(2))), (second, ToZygote::Exit)]);
}

#[test]
fn on_exit_waits_for_the_workers_of_every_generation() {
    let mut world = World::serving(with(&["on_exit"], 1));
    let second = world.reload(with(&["on_exit"], 1));
    world.zygote_boots(second);
    world.all_get_ready(second);
    world.wish(Wish::Stop);
    world.ends(WorkerId(2), Ended::Exited(0));
    assert!(!told(&world).contains(&(second, ToZygote::Exit)), "the first generation drains");
    world.ends(WorkerId(1), Ended::Exited(0));
    assert!(told(&world).contains(&(second, ToZygote::Exit)));
    assert!(!told(&world).contains(&(FIRST, ToZygote::Exit)));
}

#[test]
fn a_hook_holds_up_a_stop_for_graceful_timeout_at_most_and_not_a_quick_one() {
    let mut world = World::serving(with(&["on_exit"], 1));
    world.wish(Wish::Stop);
    world.ends(WorkerId(1), Ended::Exited(0));
    let limit = Some(Moment(1_000_000_000).after(Duration::from_secs(20)));
    assert_eq!(world.crew(FIRST).zygote, Zygote::Ending { kill_at: limit });
    assert!(!world.pass(Duration::from_secs(19)).contains(&Action::KillZygote(FIRST)));
    world.wish(Wish::Quit);
    assert!(world.pass(Duration::from_secs(1)).contains(&Action::KillZygote(FIRST)));
}

#[test]
fn the_number_of_workers_is_told_when_it_changes() {
    let mut world = World::serving(with(&["nworkers_changed"], 1));
    world.wish(Wish::More);
    assert_eq!(told(&world), [(FIRST, ToZygote::Workers { now: 2, before: 1 })]);
    world.wish(Wish::Fewer);
    assert_eq!(told(&world), [(FIRST, ToZygote::Workers { now: 1, before: 2 })]);
    world.wish(Wish::Fewer);
    assert_eq!(told(&world), [], "there is always one");
}

#[test]
fn a_zygote_that_died_is_followed_at_once_by_one_that_catches_up() {
    let mut world = World::serving(with(&["child_exit"], 2));
    world.zygote_ends(FIRST);
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Auto)), "not only when a fork is needed");
    assert_eq!(world.fleet.occasion(FIRST), Occasion::Again);
    world.ends(WorkerId(1), Ended::Killed(SIGKILL));
    assert_eq!(told(&world), []);
    world.zygote_boots(FIRST);
    assert_eq!(told(&world), [(FIRST, end_of(WorkerId(1)))]);
}

#[test]
fn each_generation_knows_why_it_starts() {
    let mut world = World::new(with(&["on_starting"], 3));
    assert_eq!(world.fleet.occasion(FIRST), Occasion::Start);
    world.zygote_boots(FIRST);
    world.all_get_ready(FIRST);
    let second = world.reload(with(&["on_starting"], 1));
    assert_eq!(world.fleet.occasion(second), Occasion::Reload { workers: 3 });
}

#[test]
fn hooks_that_expect_an_application_that_is_not_imported_switch_auto_off() {
    let world = World::new(with(&["post_fork"], 1));
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Off)));
    assert!(world.lines()[0].1.starts_with("preload is off: the settings have post_fork"));
    let world = World::new(Rules { preload: Preload::On, ..with(&["post_fork"], 1) });
    assert!(world.did(&Action::StartZygote(FIRST, Preload::On)));
    let world = World::new(with(&["child_exit", "pre_request"], 1));
    assert!(world.did(&Action::StartZygote(FIRST, Preload::Auto)));
}

#[test]
fn pre_exec_runs_before_the_program_is_replaced_and_only_for_sigusr2() {
    let mut world = World::serving(with(&["pre_exec"], 1));
    world.wish(Wish::Upgrade);
    assert_eq!(told(&world), [(FIRST, ToZygote::BeforeExec { generation: SECOND })]);
    world.happens(Event::Checked(SECOND, Ok(())));
    assert!(!world.did(&Action::Succeed(SECOND)));
    world.happens(Event::Zygote(FIRST, FromZygote::ExecHook { generation: SECOND, ran: Ok(()) }));
    assert!(world.did(&Action::Succeed(SECOND)));
    let mut world = World::serving(with(&["pre_exec"], 1));
    world.wish(Wish::Reload);
    assert_eq!(told(&world), []);
    world.happens(Event::Checked(SECOND, Ok(())));
    assert!(world.did(&Action::Succeed(SECOND)));
}

#[test]
fn pre_exec_that_fails_or_hangs_keeps_the_program() {
    let mut world = World::serving(with(&["pre_exec"], 1));
    world.wish(Wish::Upgrade);
    world.happens(Event::Zygote(
        FIRST,
        FromZygote::ExecHook { generation: SECOND, ran: Err(failure(ExitCode::Setup)) },
    ));
    assert!(
        world.did(&Action::KillCheck)
            && world.lines().iter().any(|(_, line)| line.starts_with("reload failed"))
    );
    world.wish(Wish::Upgrade);
    world.happens(Event::Checked(Generation(3), Ok(())));
    let decided = world.pass(Duration::from_secs(20));
    assert!(
        decided
            .iter()
            .any(|action| matches!(action, Action::Log(_, text) if text.contains("pre_exec took longer")))
    );
    world.wish(Wish::Upgrade);
    world.happens(Event::Checked(Generation(4), Ok(())));
    world.happens(Event::Zygote(FIRST, FromZygote::ExecHook { generation: Generation(3), ran: Ok(()) }));
    assert!(!world.did(&Action::Succeed(Generation(4))), "that was the answer for the reload before");
    world.zygote_ends(FIRST);
    assert!(world.did(&Action::Succeed(Generation(4))), "nobody is left who could answer");
}

#[test]
fn pre_exec_that_hangs_is_given_up_when_the_check_passes_as_it_is_killed() {
    let mut world = World::serving(with(&["pre_exec"], 1));
    world.wish(Wish::Upgrade);
    assert!(world.pass(Duration::from_secs(20)).contains(&Action::KillCheck));
    world.happens(Event::Checked(SECOND, Ok(())));
    assert!(!world.did(&Action::Succeed(SECOND)));
    assert_eq!((world.fleet.checking, world.fleet.outcomes.len()), (None, 1));
}

#[test]
fn a_hook_that_prevents_a_fork_ends_the_boot() {
    let mut world = World::new(with(&["pre_fork"], 1));
    world.happens(Event::Zygote(FIRST, FromZygote::Booted { preload: PreloadOutcome::Off }));
    world.happens(Event::Worker(WorkerId(1), FromWorker::Prevented(failure(ExitCode::Setup))));
    assert!(world.did(&Action::Refuse(failure(ExitCode::Setup))));
    let mut world = World::serving(with(&["pre_fork"], 1));
    world.wish(Wish::More);
    world.happens(Event::Worker(WorkerId(2), FromWorker::Prevented(failure(ExitCode::Setup))));
    assert!(world.lines().iter().any(|(_, line)| line.starts_with("worker 2 was not forked; restarting in")));
    world.happens(Event::WorkerClosed(WorkerId(2)));
    assert_eq!(world.last, []);
}

#[test]
fn a_stuck_worker_has_a_second_for_worker_abort() {
    let mut world = World::serving(with(&["worker_abort"], 1));
    let began = world.now;
    world.now = began.after(Duration::from_secs(31));
    let doing = Doing::Request(0, "GET /".into(), "somebody".into());
    world.happens(Event::Tick(vec![Busy { worker: WorkerId(1), began, since: began, doing }]));
    assert!(world.did(&Action::Signal(pid_of(WorkerId(1)), SIGABRT)));
    let limit = world.crew(FIRST).workers[&WorkerId(1)].deadline;
    assert_eq!(limit, Some(world.now.after(ABORT_GRACE)));
}

#[test]
fn a_quick_stop_interrupts_those_who_have_something_to_do_then() {
    let quit = Action::Signal(pid_of(WorkerId(1)), SIGQUIT);
    let mut world = World::serving(with(&["worker_exit"], 1));
    world.wish(Wish::Quit);
    assert!(world.did(&quit));
    let mut world = World::serving(with(&["on_exit"], 1));
    world.wish(Wish::Quit);
    assert!(!world.did(&quit));
}
