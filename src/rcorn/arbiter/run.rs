//! The loop: waits for signals, messages, ended processes and the clock, makes events of them, asks `step`, and hands
//! the answer to `act`.

use super::act::Hands;
use super::action::Action;
use super::event::Event;
use super::fleet::Fleet;
use super::policy::Moment;
use super::signals::{Heard, Signals};
use super::step::step;
use crate::control::Asked;
use crate::watch::Watch;
use contract::exit::ExitCode;
use contract::id::{Generation, Pid};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use sys::process;

/// Runs until it is over, and says what to exit with. `events` is what has happened before.
pub(crate) async fn run(
    mut hands: Hands,
    mut fleet: Fleet,
    mut events: VecDeque<Event>,
    mut signals: Signals,
) -> io::Result<ExitCode> {
    loop {
        match digest(&mut fleet, &mut hands, &mut events) {
            Digested::Everything => {}
            Digested::Leave(code) => {
                hands.logs.part();
                return Ok(code);
            }
            Digested::Succeed(generation) => {
                hands.part_with_askers(&fleet).await;
                events.push_back(succeed(&mut signals, &hands, &fleet, generation).await);
                hands.let_askers_in();
                continue;
            }
        }
        hands.tell_news(&fleet);
        hands.logs.flush();
        match wait(&mut signals, &mut hands, &fleet).await {
            Woken::Signalled(heard) => {
                events.extend(heard.into_iter().flat_map(|heard| mind(heard, &mut hands, &fleet)));
            }
            Woken::Told(told) => events.extend(told),
            Woken::Asked(Asked { ask, answer }) => {
                let (told, event) = hands.answer(&fleet, &ask);
                // Who does not wait for the answer any more has asked all the same.
                let _ = answer.send(told);
                events.extend(event);
            }
            Woken::Due => events.push_back(Event::Tick(look(&fleet, &hands))),
            Woken::Sample => hands.report(&fleet),
            Woken::Pulse => hands.pulse(&fleet),
            Woken::Beat => hands.beat(&fleet),
            Woken::Stirred => {}
            Woken::LookAtFiles => events.extend(hands.look_at_files()),
            Woken::LookAtLogs => hands.follow_logs(now()),
        }
    }
}

/// How far the news were digested.
enum Digested {
    /// Everything that follows was done.
    Everything,
    /// The loop is to be left.
    Leave(ExitCode),
    /// Everything else was done; now our successor may take over.
    Succeed(Generation),
}

/// Does everything that follows from what happened.
fn digest(fleet: &mut Fleet, hands: &mut Hands, events: &mut VecDeque<Event>) -> Digested {
    let mut digested = Digested::Everything;
    while let Some(event) = events.pop_front() {
        for action in step(fleet, event, now()) {
            if let Action::Succeed(generation) = action {
                digested = Digested::Succeed(generation);
                continue;
            }
            match hands.perform(action, fleet) {
                ControlFlow::Continue(event) => events.extend(event),
                ControlFlow::Break(code) => return Digested::Leave(code),
            }
        }
    }
    digested
}

/// Has our successor take over, and says so when that failed. Signals that arrive meanwhile are his, or ours again.
async fn succeed(signals: &mut Signals, hands: &Hands, fleet: &Fleet, generation: Generation) -> Event {
    let why = match sys::exec::hold_signals() {
        Ok(()) => {
            signals.put_back().await;
            hands.succeed(fleet)
        }
        Err(error) => format!("cannot hold back signals: {error}"),
    };
    // It cannot fail where holding did not.
    let _ = sys::exec::release_signals();
    Event::NotSucceeded(generation, why)
}

fn look(fleet: &Fleet, hands: &Hands) -> Vec<super::event::Busy> {
    if fleet.wants_look(now()) { hands.look(fleet) } else { Vec::new() }
}

fn now() -> Moment {
    Moment(sys::clock::now())
}

/// Why the wait was over.
enum Woken {
    Signalled(Vec<Heard>),
    Told(Vec<Event>),
    Asked(Asked),
    Due,
    Sample,
    Pulse,
    Beat,
    /// Files may have changed.
    Stirred,
    LookAtFiles,
    LookAtLogs,
}

/// How often it is noted how much was done, where somebody can ask.
const SAMPLES: Duration = Duration::from_secs(5);

async fn wait(signals: &mut Signals, hands: &mut Hands, fleet: &Fleet) -> Woken {
    let deadline = fleet.next_deadline().map(|at| now().until(at));
    let mut clock = pin!(until(deadline));
    let somebody_asks = hands.control.is_some() || hands.manager.is_there();
    let mut sample = pin!(tokio::time::sleep(SAMPLES.saturating_sub(hands.meters.age(now().0))));
    let mut pulse = pin!(until(hands.next_pulse(fleet)));
    let mut beat = pin!(until(hands.next_beat()));
    let mut files = pin!(until(hands.watch.as_ref().and_then(Watch::next)));
    let mut logs = pin!(until(hands.next_log_look(now())));
    poll_fn(|context| {
        let heard = signals.poll(context);
        if !heard.is_empty() {
            return Poll::Ready(Woken::Signalled(heard));
        }
        if let Poll::Ready(told) = hands.wires.poll(context) {
            return Poll::Ready(Woken::Told(told));
        }
        if let Some(control) = &mut hands.control
            && let Poll::Ready(asked) = control.poll(context)
        {
            return Poll::Ready(Woken::Asked(asked));
        }
        if somebody_asks && sample.as_mut().poll(context).is_ready() {
            return Poll::Ready(Woken::Sample);
        }
        if let Some(endpoint) = &mut hands.endpoint
            && let Poll::Ready(asked) = endpoint.poll(context)
        {
            return Poll::Ready(Woken::Asked(asked));
        }
        if beat.as_mut().poll(context).is_ready() {
            return Poll::Ready(Woken::Beat);
        }
        if pulse.as_mut().poll(context).is_ready() {
            return Poll::Ready(Woken::Pulse);
        }
        if let Some(watch) = &mut hands.watch
            && watch.poll(context).is_ready()
        {
            return Poll::Ready(Woken::Stirred);
        }
        if files.as_mut().poll(context).is_ready() {
            return Poll::Ready(Woken::LookAtFiles);
        }
        if logs.as_mut().poll(context).is_ready() {
            return Poll::Ready(Woken::LookAtLogs);
        }
        clock.as_mut().poll(context).map(|()| Woken::Due)
    })
    .await
}

/// For ever, where there is no time.
async fn until(rest: Option<Duration>) {
    match rest {
        Some(rest) => tokio::time::sleep(rest).await,
        None => std::future::pending().await,
    }
}

fn mind(heard: Heard, hands: &mut Hands, fleet: &Fleet) -> Vec<Event> {
    match heard {
        Heard::Child => reap(hands, fleet),
        Heard::Wish(wish) => vec![Event::Operator(wish)],
    }
}

/// Reaps whoever has ended. What they and those who forked them had said comes before the news of their end, as it
/// was sent before; so a process that nobody is known by then is an orphan of the application.
pub(crate) fn reap(hands: &mut Hands, fleet: &Fleet) -> Vec<Event> {
    let mut ended = Vec::new();
    while let Ok(Some(pid)) = process::next_ended() {
        match process::reap(pid) {
            Ok(Some(how)) => ended.push((Pid(pid), how)),
            Ok(None) => {}
            Err(_) => break,
        }
    }
    let mut events = hands.wires.hear_everyone();
    for (pid, how) in ended {
        if let Some(verdict) = hands.verdict(pid, how) {
            events.push(verdict);
            continue;
        }
        events.push(match hands.wires.forget_zygote(pid) {
            Some((generation, said)) => Event::ZygoteEnded(generation, how, said),
            None => Event::WorkerEnded(pid, hands.autopsy(fleet, pid, how)),
        });
    }
    events
}
