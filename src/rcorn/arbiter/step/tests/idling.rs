//! `idle_timeout`: the end of a service that nobody asks anything of.

use super::world::{FIRST, World, rules};
use crate::arbiter::action::Action;
use crate::arbiter::event::{Activity, Event};
use crate::arbiter::fleet::Stage;
use crate::arbiter::policy::Rules;
use contract::message::ToWorker;
use std::time::Duration;

fn idling() -> Rules {
    Rules { idle_timeout: Some(Duration::from_secs(8)), ..rules(2) }
}

/// Time passes, and each count finds this.
fn pass(world: &mut World, seconds: u64, activity: Activity) {
    let end = world.now.after(Duration::from_secs(seconds));
    while let Some(next) = world.fleet.next_deadline().filter(|next| *next <= end) {
        world.now = next;
        if world.happens(Event::Tick(Vec::new())).contains(&Action::Count) {
            world.happens(Event::Counted(activity));
        }
        if world.fleet.stage != Stage::Running {
            return;
        }
    }
    world.now = end;
}

fn quiet(handled: u64) -> Activity {
    Activity { open: 0, handled }
}

#[test]
fn silence_ends_it_gracefully() {
    let mut world = World::serving(idling());
    let begin = world.now;
    pass(&mut world, 7, quiet(0));
    assert_eq!(world.fleet.stage, Stage::Running);
    pass(&mut world, 5, quiet(0));
    assert_ne!(world.fleet.stage, Stage::Running);
    assert_eq!(begin.until(world.now), Duration::from_secs(8));
    assert!(world.did(&Action::StopListening));
    assert!(world.did(&Action::Tell(world.workers(FIRST)[0], ToWorker::Drain)), "what is queued is answered");
    assert!(world.lines()[0].1.starts_with("nobody has asked for anything for 8 s"));
}

#[test]
fn requests_and_open_connections_are_no_silence() {
    let mut world = World::serving(idling());
    for handled in 1..5 {
        pass(&mut world, 6, quiet(handled));
    }
    pass(&mut world, 600, Activity { open: 1, handled: 5 });
    assert_eq!(world.fleet.stage, Stage::Running);
    pass(&mut world, 11, quiet(5));
    assert_ne!(world.fleet.stage, Stage::Running);
}

#[test]
fn a_reload_is_no_silence() {
    let mut world = World::serving(idling());
    pass(&mut world, 7, quiet(0));
    world.reload(idling());
    pass(&mut world, 20, quiet(0));
    assert_eq!(world.fleet.stage, Stage::Running);
}

#[test]
fn nobody_counts_where_it_is_off() {
    let mut world = World::serving(rules(1));
    assert!(!world.pass(Duration::from_secs(100)).contains(&Action::Count));
    assert_eq!(world.fleet.stage, Stage::Running);
}
