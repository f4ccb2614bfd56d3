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
use std::task::{Context, Poll};
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
        let digested = digest(&mut fleet, &mut hands, &mut events);
        // Before we leave, or become another: what we have not told by then, nobody tells.
        hands.tell_news(&fleet);
        hands.logs.flush();
        match digested {
            Digested::Everything => {}
            Digested::Leave(code) => {
                hands.logs.part();
                return Ok(code);
            }
            Digested::Succeed(generation) => {
                hands.part_with_askers(&fleet).await;
                events.push_back(succeed(&mut signals, &mut hands, &fleet, generation).await);
                hands.let_askers_in();
                continue;
            }
        }
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
            Woken::Stirred => {}
            Woken::Due(alarm) => events.extend(ring(alarm, &mut hands, &fleet)),
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
async fn succeed(signals: &mut Signals, hands: &mut Hands, fleet: &Fleet, generation: Generation) -> Event {
    let why = match sys::exec::hold_signals() {
        Ok(()) => {
            signals.put_back().await;
            hands.read_no_more().await;
            let why = hands.succeed(fleet);
            hands.read_on(fleet);
            why
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
    /// Files may have changed.
    Stirred,
    Due(Alarm),
}

/// What it is time for.
#[derive(Clone, Copy)]
enum Alarm {
    Beat,
    Pulse,
    LookAtFiles,
    LookAtLogs,
    Sample,
    Tick,
}

fn ring(alarm: Alarm, hands: &mut Hands, fleet: &Fleet) -> Option<Event> {
    match alarm {
        Alarm::Beat => hands.beat(fleet),
        Alarm::Pulse => hands.pulse(fleet),
        Alarm::LookAtFiles => return hands.look_at_files(),
        Alarm::LookAtLogs => hands.follow_logs(now()),
        Alarm::Sample => hands.report(fleet),
        Alarm::Tick => return Some(Event::Tick(look(fleet, hands))),
    }
    None
}

/// How often it is noted how much was done, where somebody can ask.
const SAMPLES: Duration = Duration::from_secs(5);

/// What it is time for first, and how long until then.
fn next_alarm(hands: &Hands, fleet: &Fleet) -> Option<(Duration, Alarm)> {
    let now = now();
    let somebody_asks = hands.control.is_some() || hands.manager.is_there();
    let alarms = [
        (hands.next_beat(), Alarm::Beat),
        (hands.next_pulse(fleet), Alarm::Pulse),
        (hands.watch.as_ref().and_then(Watch::next), Alarm::LookAtFiles),
        (hands.next_log_look(now), Alarm::LookAtLogs),
        (somebody_asks.then(|| SAMPLES.saturating_sub(hands.meters.age(now.0))), Alarm::Sample),
        (fleet.next_deadline().map(|at| now.until(at)), Alarm::Tick),
    ];
    let set = alarms.into_iter().filter_map(|(rest, alarm)| Some((rest?, alarm)));
    set.min_by_key(|(rest, _)| *rest)
}

async fn wait(signals: &mut Signals, hands: &mut Hands, fleet: &Fleet) -> Woken {
    let mut clock = pin!(until(next_alarm(hands, fleet)));
    poll_fn(|context| {
        if let Poll::Ready(woken) = hear(signals, hands, context) {
            return Poll::Ready(woken);
        }
        clock.as_mut().poll(context).map(Woken::Due)
    })
    .await
}

/// Whoever has something to say.
fn hear(signals: &mut Signals, hands: &mut Hands, context: &mut Context<'_>) -> Poll<Woken> {
    let heard = signals.poll(context);
    if !heard.is_empty() {
        return Poll::Ready(Woken::Signalled(heard));
    }
    if let Poll::Ready(told) = hands.wires.poll(context) {
        return Poll::Ready(Woken::Told(told));
    }
    if let Some(Poll::Ready(asked)) = hands.control.as_mut().map(|control| control.poll(context)) {
        return Poll::Ready(Woken::Asked(asked));
    }
    if let Some(Poll::Ready(asked)) = hands.endpoint.as_mut().map(|endpoint| endpoint.poll(context)) {
        return Poll::Ready(Woken::Asked(asked));
    }
    match &mut hands.watch {
        Some(watch) => watch.poll(context).map(|()| Woken::Stirred),
        None => Poll::Pending,
    }
}

/// For ever, where there is none.
async fn until(next: Option<(Duration, Alarm)>) -> Alarm {
    match next {
        Some((rest, alarm)) => {
            tokio::time::sleep(rest).await;
            alarm
        }
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
