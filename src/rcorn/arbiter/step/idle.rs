//! The end of a service that nobody asks anything of: `idle_timeout`. Its sockets are systemd's, which starts it again at
//! the next connection.
//!
//! Nothing is lost on the way: the end is a graceful one, and a connection that comes after the decision is either
//! taken by a worker that drains, or stays in the queue of the socket, which outlives us.

use super::super::action::Action;
use super::super::event::Activity;
use super::super::fleet::{Fleet, Stage};
use super::super::policy::{Moment, SHORTEST_COUNT};
use super::operator;
use super::settle::Manner;
use contract::exit::ExitCode;
use contract::logline::Level;
use std::time::Duration;

/// When it is time, has connections and requests counted.
pub(super) fn count(fleet: &mut Fleet, now: Moment, todo: &mut Vec<Action>) {
    if fleet.idle.count_at.is_some_and(|at| at <= now) {
        fleet.idle.count_at = None;
        todo.push(Action::Count);
    }
}

/// So much is going on, and went on so far.
pub(super) fn counted(fleet: &mut Fleet, activity: Activity, now: Moment, todo: &mut Vec<Action>) {
    let Some(limit) = limit(fleet) else { return };
    if activity.open > 0 || activity.handled != fleet.idle.handled {
        fleet.idle.handled = activity.handled;
        fleet.idle.since = now;
    }
    if fleet.idle.since.after(limit) <= now {
        let text = format!(
            "nobody has asked for anything for {} s: stopping until somebody does",
            limit.as_secs_f64()
        );
        todo.push(Action::Log(Level::Info, text));
        operator::stop(fleet, ExitCode::Success, Manner::Stop, now, todo);
    }
}

/// Plans the next count, as long as there is only one generation, which serves.
pub(super) fn plan_count(fleet: &mut Fleet, now: Moment) {
    let Some(limit) = limit(fleet) else {
        fleet.idle.count_at = None;
        fleet.idle.since = now;
        return;
    };
    if fleet.idle.count_at.is_none() {
        let soon = now.after((limit / 4).max(SHORTEST_COUNT));
        fleet.idle.count_at = Some(soon.min(fleet.idle.since.after(limit).max(now.after(SHORTEST_COUNT))));
    }
}

fn limit(fleet: &Fleet) -> Option<Duration> {
    let (_, serving) = fleet.serving()?;
    let settled = fleet.crews.len() == 1 && fleet.checking.is_none() && fleet.preparing.is_none();
    serving.rules.idle_timeout.filter(|_| settled && fleet.stage == Stage::Running)
}
