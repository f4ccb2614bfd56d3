//! What to do about what happened: `step(fleet, event, now)` gives the actions and touches nothing but the register.
//!
//! Every event first changes what it is about (`worker`, `zygote`, `clock`, `operator`); then `settle` brings the
//! whole nearer to what is wanted: a vacancy is filled, a crew that is ready takes over, one that failed goes.
//!
//! ```text
//! Worker              Booting               Ready                 Leaving(why)
//!   Forked            notes its process     -                     notes its process
//!   Ready             Ready                 -                     Leaving(Drained), if it was Unneeded
//!   Failed            Leaving(Failed)       -                     -
//!   Leaving           Leaving(Own)          Leaving(Own)          -
//!   channel closed    about to end; without having been asked to, killed 1 s later if it has not ended by then
//!   process ended     gone; the slot waits with back-off unless the worker was settled (see `policy`)
//!   startup limit     killed                -                     -
//!   request limit     -                     Leaving(Stuck)        Leaving(Stuck), if it was draining
//!   surplus, drain    Leaving(Unneeded)     Leaving(Drained)      -
//!   spent             -                     Leaving(Drained) once another is ready: `recycle`
//!   quick stop        Leaving(Dismissed)    Leaving(Dismissed)    Leaving(Dismissed)
//!   limit of leaving                                              killed
//!
//! Zygote              Absent                Starting              Ready               Ending
//!   vacancy           Starting              -                     orders a fork       -
//!   Booted            -                     Ready (Unsafe: killed, Ending, and the next one does not preload)
//!   Failed            -                     Ending                -                   -
//!   crew leaves       -                     Ending                Ending; for hooks, once no worker is left
//!   startup limit     -                     killed, Ending        -                   -
//!   process ended     -                     Absent, with back-off Absent              Absent
//!
//! Crew                Booting                              Serving                    Leaving
//!   all workers ready Serving; who served before, Leaving  -                          -
//!   failure, limit    Leaving; at the first boot: stop     -                          -
//!   stop              Leaving                              Leaving                    -
//!   nobody left       -                                    -                          gone
//! ```
//!
//! When the last crew is gone in a stop, the loop is left.

mod clock;
mod hooks;
mod idle;
mod operator;
mod recycle;
mod reload;
mod roll;
mod settle;
mod stuck;
#[cfg(test)]
mod tests;
mod worker;
mod zygote;

pub(crate) use zygote::{LastWords, silent_end};

use super::action::Action;
use super::event::Event;
use super::fleet::{Crew, Fleet, Stage};
use super::policy::{Moment, Rules};
use contract::id::Generation;

/// Decides.
pub(crate) fn step(fleet: &mut Fleet, event: Event, now: Moment) -> Vec<Action> {
    let mut actions = Vec::new();
    let todo = &mut actions;
    match event {
        Event::Prepared(generation, Ok(rules)) => prepared(fleet, generation, rules, now, todo),
        Event::Checked(generation, verdict) => reload::checked(fleet, generation, verdict, now, todo),
        Event::NotSucceeded(generation, why) | Event::Prepared(generation, Err(why)) => {
            settle::not_prepared(fleet, generation, why, now, todo);
        }
        Event::ZygoteNotStarted(generation, why) => zygote::not_started(fleet, generation, why, now, todo),
        Event::Zygote(generation, message) => zygote::said(fleet, generation, message, now, todo),
        Event::ZygoteClosed(generation) => zygote::closed(fleet, generation, now),
        Event::ZygoteEnded(generation, how, said) => {
            zygote::ended(fleet, generation, &LastWords { how, said }, now, todo);
        }
        Event::NotForked(id, why) => worker::not_forked(fleet, id, &why, now, todo),
        Event::Worker(id, message) => worker::said(fleet, id, message, now, todo),
        Event::WorkerClosed(id) => worker::closed(fleet, id, now, todo),
        Event::WorkerEnded(pid, autopsy) => worker::ended(fleet, pid, &autopsy, now, todo),
        Event::Weighed(weights) => recycle::weighed(fleet, &weights),
        Event::MemoryIsShort => recycle::memory_is_short(fleet, now, todo),
        Event::Fattest(id, bytes) => recycle::fattest(fleet, id, bytes),
        Event::Counted(activity) => idle::counted(fleet, activity, now, todo),
        Event::Operator(wish) => operator::wish(fleet, wish, now, todo),
        Event::Tick(busy) => clock::tick(fleet, &busy, now, todo),
    }
    settle::settle(fleet, now, todo);
    actions
}

fn prepared(
    fleet: &mut Fleet,
    generation: Generation,
    mut rules: Rules,
    now: Moment,
    todo: &mut Vec<Action>,
) {
    fleet.preparing = None;
    if fleet.stage == Stage::Running {
        hooks::keep_off_preload(&mut rules, todo);
        fleet.crews.insert(generation, Crew::new(rules, now));
    } else {
        todo.push(Action::Discard(generation));
    }
}
