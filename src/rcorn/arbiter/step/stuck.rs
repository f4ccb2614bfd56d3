//! What is told of a worker that takes too long, and how it is given up.

use super::super::action::Action;
use super::super::event::{Busy, Doing, InRequest, Inside};
use super::super::fleet::{Phase, Why, Worker};
use super::super::policy::{ABORT_GRACE, Moment, Rules, STACKS_GRACE};
use contract::id::Pid;
use contract::logline::Level;
use contract::message::ToWorker;
use sys::signal::SIGABRT;

/// It is over its limit.
pub(super) fn tell(worker: &Worker, busy: &Busy, now: Moment, todo: &mut Vec<Action>) {
    let (name, what) = (worker.name(), what(busy, now));
    todo.push(Action::Log(Level::Critical, format!("WORKER TIMEOUT {name}: {what}; it is replaced")));
    let Doing::Turning(inside) = &busy.doing else { return };
    let others = inside.requests.iter().skip(usize::from(inside.first_blocks));
    let others = others.map(|other| in_request(other, now)).chain(more(inside));
    let was = if inside.first_blocks { "was also in" } else { "was in" };
    todo.extend(others.map(|other| Action::Log(Level::Warning, format!("{name}: {was} {other}"))));
}

/// A request is slow, and goes on.
pub(super) fn tell_slow(worker: &mut Worker, busy: &Busy, now: Moment, todo: &mut Vec<Action>) {
    if let Some(lane) = lane(busy) {
        worker.shown.insert(lane, busy.began);
    }
    let text = format!("slow request {}: {}; it goes on", worker.name(), what(busy, now));
    todo.push(Action::Log(Level::Warning, text));
}

fn what(busy: &Busy, now: Moment) -> String {
    let taken = busy.began.until(now);
    let seconds = taken.as_secs();
    match &busy.doing {
        Doing::Request(_, line, client) => {
            format!("{:.1} s in \"{line}\" from {client}", taken.as_secs_f64())
        }
        Doing::Turning(inside) => match &inside.requests[..] {
            [] if more(inside).is_none() => {
                format!("no sign of life for {seconds} s, outside of any request")
            }
            [first, ..] if inside.first_blocks => {
                format!("the loop is blocked for {seconds} s, by {}", in_request(first, now))
            }
            _ => format!("the loop is blocked for {seconds} s"),
        },
    }
}

fn in_request(InRequest { line, client, began }: &InRequest, now: Moment) -> String {
    format!("\"{line}\" from {client} for {:.1} s", began.until(now).as_secs_f64())
}

/// Those that are not told one by one.
fn more(inside: &Inside) -> Option<String> {
    let counted = [(inside.more, "more request"), (inside.websockets, "websocket")];
    let counted: Vec<String> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
        .collect();
    (!counted.is_empty()).then(|| counted.join(" and "))
}

/// A stuck worker leaves. The other threads' requests have the time that they have in any drain; without such there
/// is nothing to wait for.
pub(super) fn give_up(
    rules: &Rules,
    worker: &mut Worker,
    (pid, busy): (Pid, &Busy),
    now: Moment,
    todo: &mut Vec<Action>,
) {
    let first = worker.phase != Phase::Leaving(Why::Stuck);
    let lane = lane(busy);
    worker.given_up.extend(lane.map(|lane| (lane, busy.began)));
    let others = rules.threads > 1 && lane.is_some();
    if others {
        // First of all: whose client has heard 504 may not be sent there again.
        let stuck = worker.given_up.iter().map(|(lane, since)| (*lane, since.0)).collect();
        todo.push(Action::Tell(busy.worker, ToWorker::GiveUp(stuck)));
    }
    todo.push(lane.map_or(Action::LastWordToAll(pid), |lane| Action::LastWord(pid, lane)));
    if first {
        todo.push(Action::ShowStacks(pid, lane));
    }
    let aborts = !others && rules.has_hook("worker_abort");
    if first && aborts {
        todo.push(Action::Signal(pid, SIGABRT));
    }
    let grace = if aborts { ABORT_GRACE } else { STACKS_GRACE };
    let limit = now.after(if others { rules.graceful_timeout } else { grace });
    worker.leave(Why::Stuck, Some(worker.deadline.map_or(limit, |deadline| deadline.min(limit))));
}

/// The lane that it is about.
pub(super) fn lane(busy: &Busy) -> Option<u32> {
    if let Doing::Request(lane, ..) = busy.doing { Some(lane) } else { None }
}
