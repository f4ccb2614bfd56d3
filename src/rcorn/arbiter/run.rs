//! The loop: waits for signals, messages, ended processes and the clock, makes events of them, asks `step`, and hands
//! the answer to `act`.

use super::act::Hands;
use super::event::{Event, Wish};
use super::fleet::Fleet;
use super::policy::Moment;
use super::step::step;
use contract::exit::ExitCode;
use contract::id::{Generation, Pid};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll};
use sys::process;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs until it is over, and says what to exit with.
pub(crate) async fn run(mut hands: Hands, mut signals: Signals) -> io::Result<ExitCode> {
    let mut fleet = Fleet::new();
    let rules = hands.first_rules().ok_or(io::ErrorKind::NotFound)?;
    let mut events = VecDeque::from([Event::Prepared(Generation(1), Ok(rules))]);
    loop {
        if let ControlFlow::Break(code) = digest(&mut fleet, &mut hands, &mut events) {
            return Ok(code);
        }
        match wait(&mut signals, &mut hands, &fleet).await {
            Woken::Signalled(heard) => {
                events.extend(heard.into_iter().flat_map(|heard| heard.events(&mut hands, &fleet)));
            }
            Woken::Told(told) => events.extend(told),
            Woken::Due => events.push_back(Event::Tick(look(&fleet, &hands))),
        }
    }
}

/// Does everything that follows from what happened.
fn digest(fleet: &mut Fleet, hands: &mut Hands, events: &mut VecDeque<Event>) -> ControlFlow<ExitCode> {
    while let Some(event) = events.pop_front() {
        for action in step(fleet, event, now()) {
            events.extend(hands.perform(action)?);
        }
    }
    ControlFlow::Continue(())
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
    Due,
}

async fn wait(signals: &mut Signals, hands: &mut Hands, fleet: &Fleet) -> Woken {
    let deadline = fleet.next_deadline().map(|at| now().until(at));
    let mut clock = pin!(async move {
        match deadline {
            Some(rest) => tokio::time::sleep(rest).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|context| {
        let heard = signals.poll(context);
        if !heard.is_empty() {
            return Poll::Ready(Woken::Signalled(heard));
        }
        if let Poll::Ready(told) = hands.wires.poll(context) {
            return Poll::Ready(Woken::Told(told));
        }
        clock.as_mut().poll(context).map(|()| Woken::Due)
    })
    .await
}

/// What a signal means.
#[derive(Clone, Copy, Debug)]
enum Heard {
    /// Children ended.
    Child,
    /// The operator wants something.
    Wish(Wish),
}

impl Heard {
    fn events(self, hands: &mut Hands, fleet: &Fleet) -> Vec<Event> {
        match self {
            Self::Child => reap(hands, fleet),
            Self::Wish(wish) => vec![Event::Operator(wish)],
        }
    }
}

/// Reaps whoever has ended. What they and those who forked them had said comes before the news of their end, as it
/// was sent before; so a process that nobody is known by then is an orphan of the application.
fn reap(hands: &mut Hands, fleet: &Fleet) -> Vec<Event> {
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
        events.push(match hands.wires.forget_zygote(pid) {
            Some((generation, said)) => Event::ZygoteEnded(generation, how, said),
            None => Event::WorkerEnded(pid, hands.autopsy(fleet, pid, how)),
        });
    }
    events
}

/// The signals that mean something to us.
pub(crate) struct Signals(Vec<(Heard, Signal)>);

impl Signals {
    /// Starts to watch. Before that a signal has its default effect, which is to leave things lying about.
    pub(crate) fn watch() -> io::Result<Self> {
        use sys::signal as number;
        let meanings = [
            (number::SIGTERM, Heard::Wish(Wish::Stop)),
            (number::SIGINT, Heard::Wish(Wish::Quit)),
            (number::SIGQUIT, Heard::Wish(Wish::Quit)),
            (number::SIGHUP, Heard::Wish(Wish::Reload)),
            (number::SIGUSR2, Heard::Wish(Wish::Reload)),
            (number::SIGUSR1, Heard::Wish(Wish::ReopenLogs)),
            // Those that come together are taken in this order: one less and one more is never less than before.
            (number::SIGTTOU, Heard::Wish(Wish::Fewer)),
            (number::SIGTTIN, Heard::Wish(Wish::More)),
            (number::SIGWINCH, Heard::Wish(Wish::Winch)),
            (number::SIGCHLD, Heard::Child),
        ];
        let watched = meanings.into_iter();
        watched
            .map(|(number, heard)| Ok((heard, signal(SignalKind::from_raw(number))?)))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Those that arrived. Several of one kind are one.
    fn poll(&mut self, context: &mut Context<'_>) -> Vec<Heard> {
        let arrived = self.0.iter_mut().filter_map(|(heard, signal)| {
            let mut arrived = false;
            while let Poll::Ready(Some(())) = signal.poll_recv(context) {
                arrived = true;
            }
            arrived.then_some(*heard)
        });
        arrived.collect()
    }
}
