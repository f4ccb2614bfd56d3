//! Long sequences of things that can happen, against a model of the processes that they happen to.
//!
//! Whatever the sequence, every process that was started is reaped and let go of, nothing is done to who is not there,
//! and a healthy worker of a generation that serves is left alone unless there is a newer one or the operator said so.

use super::world::*;
use crate::arbiter::action::Action;
use crate::arbiter::event::{Busy, Event, Wish};
use crate::arbiter::policy::Moment;
use contract::exit::ExitCode;
use contract::id::{Generation, Pid, WorkerId};
use contract::message::{FromWorker, FromZygote, PreloadOutcome, ToWorker};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use sys::process::Ended;
use sys::signal::SIGKILL;

/// A generator of numbers that look random and are the same every time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

impl Dice {
    /// What follows when another program is to take over.
    fn successor(&mut self, generation: Generation) -> Event {
        match self.below(5) {
            0 => Event::NotSucceeded(generation, "no".into()),
            1 => Event::Prepared(generation, Err("no".into())),
            _ => Event::Prepared(generation, Ok(rules(1 + u32::try_from(self.below(4)).unwrap()))),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Life {
    /// Ordered; the zygote has not forked it.
    Ordered,
    Booting,
    Ready,
    /// Ended, and the news of it are on their way.
    Ended,
}

#[derive(Debug)]
struct Member {
    generation: Generation,
    life: Life,
    /// There is a reason why it may be stopped.
    doomed: bool,
    told: bool,
}

#[derive(Debug, Default)]
struct Mother {
    booted: bool,
    closed: bool,
    orders: VecDeque<WorkerId>,
}

struct Model {
    world: World,
    dice: Dice,
    news: VecDeque<Event>,
    mothers: BTreeMap<Generation, Mother>,
    members: BTreeMap<WorkerId, Member>,
    adopted: Generation,
    fewer: u32,
    stopping: bool,
    left: Option<ExitCode>,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let workers = 1 + u32::try_from(dice.below(4)).unwrap();
        let mut model = Self {
            world: World::new(rules(workers)),
            dice,
            news: VecDeque::new(),
            mothers: BTreeMap::new(),
            members: BTreeMap::new(),
            adopted: Generation(0),
            fewer: 0,
            stopping: false,
            left: None,
        };
        let first = std::mem::take(&mut model.world.last);
        first.into_iter().for_each(|action| model.obey(action));
        model
    }

    fn tell(&mut self, event: Event) {
        let actions = self.world.happens(event).to_vec();
        actions.into_iter().for_each(|action| self.obey(action));
    }

    fn obey(&mut self, action: Action) {
        assert!(self.left.is_none(), "{action:?} after the end");
        match action {
            Action::Check(generation) => {
                let verdict = if self.dice.below(5) > 0 { Ok(()) } else { Err("no".into()) };
                self.news.push_back(Event::Checked(generation, verdict));
            }
            Action::Succeed(generation) => self.news.push_back(self.dice.successor(generation)),
            Action::StartZygote(generation, _) => {
                assert!(self.mothers.insert(generation, Mother::default()).is_none(), "two zygotes");
            }
            Action::CloseZygote(generation) => {
                if let Some(mother) = self.mothers.get_mut(&generation) {
                    mother.closed = true;
                }
            }
            Action::KillZygote(generation) => self.end_mother(generation, Ended::Killed(SIGKILL)),
            Action::Fork(generation, worker, _) => self.order(generation, worker),
            Action::Tell(worker, message) => self.hear(worker, &message),
            Action::Signal(pid, signal) => self.signalled(pid, signal),
            Action::Release(_, worker, _) => {
                let member = self.members.remove(&worker).expect("released once");
                assert!(matches!(member.life, Life::Ended | Life::Ordered), "{worker:?} still runs");
            }
            Action::Discard(generation) => {
                assert!(self.members.values().all(|member| member.generation != generation));
                assert!(!self.mothers.contains_key(&generation));
            }
            Action::Adopt(generation) => self.adopted = generation,
            Action::Refuse(_) => self.stopping = true,
            Action::Leave(code) => self.left = Some(code),
            _ => {}
        }
    }

    fn order(&mut self, generation: Generation, worker: WorkerId) {
        let member = Member { generation, life: Life::Ordered, doomed: false, told: false };
        assert!(self.members.insert(worker, member).is_none(), "a name used twice");
        match self.mothers.get_mut(&generation) {
            Some(mother) => {
                assert!(mother.booted && !mother.closed);
                mother.orders.push_back(worker);
            }
            None => self.news.push_back(Event::NotForked(worker, "nobody listens".into())),
        }
    }

    fn hear(&mut self, worker: WorkerId, message: &ToWorker) {
        let member = self.members.get_mut(&worker).expect("only who is there is told something");
        let healthy = member.life == Life::Ready && !member.doomed && !member.told;
        member.told = true;
        let replaced = member.generation != self.adopted;
        if healthy && !self.stopping && !replaced {
            assert!(self.fewer > 0, "{worker:?} was told {message:?} for no reason: {:?}", self.world.fleet);
            self.fewer -= 1;
        }
    }

    fn signalled(&mut self, pid: Pid, signal: i32) {
        let (worker, member) =
            self.members.iter_mut().find(|(worker, _)| pid_of(**worker) == pid).expect("known");
        if signal == SIGKILL {
            let reason = member.told || member.doomed || member.life != Life::Ready;
            assert!(reason, "{worker:?} was killed for no reason");
            let worker = *worker;
            self.end_member(worker, Ended::Killed(SIGKILL));
        }
    }

    fn end_member(&mut self, worker: WorkerId, how: Ended) {
        let member = self.members.get_mut(&worker).unwrap();
        if matches!(member.life, Life::Booting | Life::Ready) {
            member.life = Life::Ended;
            self.news.push_back(Event::WorkerClosed(worker));
            self.news.push_back(Event::WorkerEnded(pid_of(worker), autopsy(how)));
        }
    }

    fn end_mother(&mut self, generation: Generation, how: Ended) {
        let Some(mother) = self.mothers.remove(&generation) else { return };
        self.news.push_back(Event::ZygoteClosed(generation));
        self.news.extend(mother.orders.into_iter().map(Event::WorkerClosed));
        self.news.push_back(Event::ZygoteEnded(generation, how, String::new()));
    }

    /// Something happens: what was announced, or something that could.
    fn turn(&mut self) {
        if let Some(event) = self.news.pop_front() {
            return self.tell(event);
        }
        match self.dice.below(10) {
            0..=2 => self.a_zygote_acts(),
            3..=6 => self.a_worker_acts(),
            7 => self.the_operator_acts(),
            _ => self.time_passes(),
        }
    }

    fn a_zygote_acts(&mut self) {
        let Some(generation) = pick(&mut self.dice, self.mothers.keys()) else { return };
        let chance = self.dice.below(20);
        let mother = self.mothers.get_mut(&generation).unwrap();
        match (mother.booted, mother.orders.pop_front()) {
            (true, Some(worker)) => {
                self.members.get_mut(&worker).unwrap().life = Life::Booting;
                let message = FromWorker::Forked { pid: pid_of(worker).0 };
                self.news.push_back(Event::Worker(worker, message));
            }
            (true, None) if mother.closed || chance == 0 => self.end_mother(generation, Ended::Exited(0)),
            (true, None) => {}
            (false, _) if mother.closed || chance == 0 => self.end_mother(generation, Ended::Exited(1)),
            (false, _) => {
                mother.booted = chance > 2;
                self.news.push_back(Event::Zygote(
                    generation,
                    match chance {
                        1 => FromZygote::Failed(failure(ExitCode::AppImport)),
                        2 => FromZygote::Booted {
                            preload: PreloadOutcome::Unsafe { reason: "threads".into() },
                        },
                        _ => FromZygote::Booted { preload: PreloadOutcome::Imported },
                    },
                ));
            }
        }
    }

    fn a_worker_acts(&mut self) {
        let alive =
            self.members.iter().filter(|(_, member)| matches!(member.life, Life::Booting | Life::Ready));
        let Some(worker) = pick(&mut self.dice, alive.map(|(worker, _)| worker)) else { return };
        let chance = self.dice.below(20);
        let member = self.members.get_mut(&worker).unwrap();
        match (member.life, chance) {
            (_, 0) => {
                member.doomed = true;
                self.end_member(worker, Ended::Killed(11));
            }
            (Life::Booting, 1) => {
                member.doomed = true;
                let message = FromWorker::Failed(failure(ExitCode::AppImport));
                self.news.push_back(Event::Worker(worker, message));
                self.end_member(worker, Ended::Exited(3));
            }
            (Life::Booting, _) => {
                member.life = Life::Ready;
                self.news.push_back(Event::Worker(worker, FromWorker::Ready));
            }
            (Life::Ready, 1) => {
                member.doomed = true;
                self.news.push_back(Event::Worker(worker, FromWorker::Leaving));
            }
            (_, 2..=9) if member.told || member.doomed => self.end_member(worker, Ended::Exited(0)),
            _ => {}
        }
    }

    fn the_operator_acts(&mut self) {
        let wish = match self.dice.below(40) {
            0..=9 => Wish::Reload,
            10..=14 => Wish::More,
            15..=19 => Wish::Fewer,
            20 => Wish::Stop,
            _ => Wish::ReopenLogs,
        };
        self.fewer += u32::from(wish == Wish::Fewer);
        self.stopping |= wish == Wish::Stop;
        self.tell(Event::Operator(wish));
    }

    fn time_passes(&mut self) {
        let jump = Duration::from_millis(1 << self.dice.below(14));
        let end = self.world.now.after(jump);
        self.world.now =
            self.world.fleet.next_deadline().map_or(end, |next| next.min(end)).max(self.world.now);
        let stuck = if self.dice.below(20) == 0 { self.someone_is_stuck() } else { None };
        self.tell(Event::Tick(stuck.into_iter().collect()));
    }

    fn someone_is_stuck(&mut self) -> Option<Busy> {
        let ready = self.members.iter_mut().find(|(_, member)| member.life == Life::Ready)?;
        ready.1.doomed = true;
        let (request, client) = ("GET / HTTP/1.1".to_owned(), String::new());
        Some(Busy { worker: *ready.0, began: Moment(1), since: Moment(1), request, client })
    }
}

fn pick<'a, T: Copy + 'a>(dice: &mut Dice, all: impl Iterator<Item = &'a T>) -> Option<T> {
    let all: Vec<T> = all.copied().collect();
    if all.is_empty() { None } else { Some(all[dice.below(all.len())]) }
}

#[test]
fn whatever_happens_nobody_is_lost_and_nobody_healthy_is_stopped() {
    let mut served = 0;
    for seed in 1..=2000 {
        let mut model = Model::new(seed);
        for _ in 0..600 {
            if model.left.is_some() {
                break;
            }
            model.turn();
        }
        served += u32::from(model.adopted > Generation(1));
        if model.left.is_none() {
            model.stopping = true;
            model.tell(Event::Operator(Wish::Quit));
        }
        for _ in 0..5000 {
            if model.left.is_some() {
                break;
            }
            model.turn();
        }
        assert!(model.left.is_some(), "seed {seed}: it does not end: {:?}", model.world.fleet);
        assert!(model.members.is_empty() && model.mothers.is_empty(), "seed {seed}: somebody is left");
    }
    assert!(served > 500, "too few sequences get as far as a reload: {served}");
}
