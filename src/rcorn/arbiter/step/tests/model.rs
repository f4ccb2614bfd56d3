//! A model of the processes that the arbiter looks after: it obeys what `step` decides, and makes happen what could.
//! It insists, at every turn, on what must always be true (the sentences are in its assertions).

use super::world::*;
use crate::arbiter::action::Action;
use crate::arbiter::event::{Busy, Doing, Event, Inside, Wish};
use crate::arbiter::fleet::Role;
use crate::arbiter::policy::{Moment, Rules};
use contract::exit::ExitCode;
use contract::id::{Generation, Pid, WorkerId};
use contract::message::{FromWorker, FromZygote, PreloadOutcome, ToWorker, ToZygote};
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
    /// The arbiter knows that it is ready.
    announced: bool,
    /// It said that it has served enough.
    spent: bool,
    told: bool,
}

#[derive(Debug, Default)]
struct Mother {
    booted: bool,
    closed: bool,
    /// It was told that nothing more will be ordered.
    retired: bool,
    orders: VecDeque<WorkerId>,
}

pub(super) struct Model {
    world: World,
    dice: Dice,
    news: VecDeque<Event>,
    mothers: BTreeMap<Generation, Mother>,
    members: BTreeMap<WorkerId, Member>,
    /// How many workers a generation is to have.
    targets: BTreeMap<Generation, u32>,
    /// The hooks that all settings have.
    hooks: Vec<String>,
    /// `on_exit` has run.
    exited: bool,
    /// The generation that serves; nought while there was none.
    pub(super) adopted: Generation,
    fewer: u32,
    stopping: bool,
    pub(super) left: Option<ExitCode>,
}

impl Model {
    pub(super) fn new(seed: u64, step: Step) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let workers = 1 + u32::try_from(dice.below(4)).unwrap();
        let sets: [&[&str]; 4] = [&[], &["child_exit", "on_exit"], &["on_exit", "pre_exec"], &["when_ready"]];
        let hooks: Vec<String> =
            sets[usize::try_from(seed % 4).unwrap()].iter().map(|hook| (*hook).to_owned()).collect();
        let mut model = Self {
            world: World::under(step, Rules { hooks: hooks.clone(), ..rules(workers) }),
            hooks,
            exited: false,
            dice,
            news: VecDeque::new(),
            mothers: BTreeMap::new(),
            members: BTreeMap::new(),
            targets: BTreeMap::from([(Generation(1), workers)]),
            adopted: Generation(0),
            fewer: 0,
            stopping: false,
            left: None,
        };
        let first = std::mem::take(&mut model.world.last);
        first.into_iter().for_each(|action| model.obey(action));
        model
    }

    /// The operator wants it to end, now.
    pub(super) fn quit(&mut self) {
        self.stopping = true;
        self.tell(Event::Operator(Wish::Quit));
    }

    /// Nobody and nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.mothers.is_empty()
    }

    fn tell(&mut self, event: Event) {
        if let Event::Worker(worker, FromWorker::Ready) = &event
            && let Some(member) = self.members.get_mut(worker)
        {
            member.announced = true;
        }
        let actions = self.world.happens(event).to_vec();
        actions.into_iter().for_each(|action| self.obey(action));
        if self.adopted > Generation(0) && !self.stopping {
            let serving = self.world.fleet.in_role(Role::Serving);
            assert_eq!(serving, Some(self.adopted), "nobody serves any more");
        }
    }

    /// How many of this generation serve, as far as the arbiter can know.
    fn serving(&self, generation: Generation) -> usize {
        let serves = |member: &&Member| member.generation == generation && member.announced && !member.told;
        self.members.values().filter(serves).count()
    }

    fn adopt(&mut self, generation: Generation) {
        let (ready, target) = (self.serving(generation), self.targets[&generation]);
        assert!(ready >= target as usize, "{generation} took over with {ready} of {target} workers");
        self.adopted = generation;
    }

    fn obey(&mut self, action: Action) {
        assert!(self.left.is_none(), "{action:?} after the end");
        match action {
            Action::Check(generation) => {
                let verdict = if self.dice.below(5) > 0 { Ok(()) } else { Err("no".into()) };
                self.news.push_back(Event::Checked(generation, verdict));
            }
            Action::Succeed(generation) => self.succeed(generation),
            Action::StartZygote(generation, _) => {
                assert!(self.mothers.insert(generation, Mother::default()).is_none(), "two zygotes");
            }
            Action::CloseZygote(generation) => {
                if let Some(mother) = self.mothers.get_mut(&generation) {
                    mother.closed = true;
                }
            }
            Action::KillZygote(generation) => self.end_mother(generation, Ended::Killed(SIGKILL)),
            Action::TellZygote(generation, message) => self.tell_mother(generation, &message),
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
            Action::Adopt(generation) => self.adopt(generation),
            Action::Refuse(_) => self.stopping = true,
            Action::Leave(code) => self.left = Some(code),
            _ => {}
        }
    }

    fn succeed(&mut self, generation: Generation) {
        self.news.push_back(match self.dice.below(5) {
            0 => Event::NotSucceeded(generation, "no".into()),
            1 => Event::Prepared(generation, Err("no".into())),
            _ => {
                let workers = 1 + u32::try_from(self.dice.below(4)).unwrap();
                self.targets.insert(generation, workers);
                Event::Prepared(generation, Ok(Rules { hooks: self.hooks.clone(), ..rules(workers) }))
            }
        });
    }

    fn tell_mother(&mut self, generation: Generation, message: &ToZygote) {
        assert!(!self.hooks.is_empty(), "there are no hooks to hear {message:?}");
        let nobody = self.members.values().all(|member| matches!(member.life, Life::Ended | Life::Ordered));
        let Some(mother) = self.mothers.get_mut(&generation) else { return };
        assert!(!mother.closed, "{message:?} behind the end of {generation}'s zygote");
        match message {
            ToZygote::Retire => assert!(!std::mem::replace(&mut mother.retired, true), "retired twice"),
            ToZygote::Exit => {
                assert!(nobody && self.stopping, "on_exit is last");
                assert!(!std::mem::replace(&mut self.exited, true), "on_exit runs once");
            }
            ToZygote::BeforeExec { generation: next } => {
                let ran = if self.dice.below(4) > 0 { Ok(()) } else { Err(failure(ExitCode::Setup)) };
                self.news
                    .push_back(Event::Zygote(generation, FromZygote::ExecHook { generation: *next, ran }));
            }
            _ => {}
        }
    }

    fn order(&mut self, generation: Generation, worker: WorkerId) {
        let member = Member {
            generation,
            life: Life::Ordered,
            doomed: false,
            announced: false,
            spent: false,
            told: false,
        };
        assert!(self.members.insert(worker, member).is_none(), "a name used twice");
        match self.mothers.get_mut(&generation) {
            Some(mother) => {
                assert!(mother.booted && !mother.closed && !mother.retired);
                mother.orders.push_back(worker);
            }
            None => self.news.push_back(Event::NotForked(worker, "nobody listens".into())),
        }
    }

    fn hear(&mut self, worker: WorkerId, message: &ToWorker) {
        let member = self.members.get_mut(&worker).expect("only who is there is told something");
        let healthy = member.life == Life::Ready && !member.doomed && !member.told;
        let (generation, spent) = (member.generation, member.spent);
        member.told = true;
        if !healthy || self.stopping || generation != self.adopted {
            return;
        }
        let replaced = spent && self.serving(generation) >= self.targets[&generation] as usize;
        if !replaced {
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
    pub(super) fn turn(&mut self) {
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
            (Life::Ready, 10) if !member.told && !member.spent => {
                member.spent = true;
                self.news.push_back(Event::Worker(worker, FromWorker::Spent));
            }
            (_, 2..=9) if member.told || member.doomed => self.end_member(worker, Ended::Exited(0)),
            _ => {}
        }
    }

    fn the_operator_acts(&mut self) {
        let wish = match self.dice.below(40) {
            0..=6 => Wish::Reload,
            7..=9 => Wish::Upgrade,
            10..=14 => Wish::More,
            15..=19 => Wish::Fewer,
            20 => Wish::Stop,
            _ => Wish::ReopenLogs,
        };
        self.retarget(wish);
        self.stopping |= wish == Wish::Stop;
        self.tell(Event::Operator(wish));
    }

    fn retarget(&mut self, wish: Wish) {
        let generation = self.adopted.max(Generation(1));
        let target = self.targets.get_mut(&generation).unwrap();
        match wish {
            Wish::More => *target += 1,
            Wish::Fewer if *target > 1 => {
                *target -= 1;
                self.fewer += 1;
            }
            _ => {}
        }
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
        let request = Doing::Request(0, "GET / HTTP/1.1".to_owned(), String::new());
        let doing = if self.dice.below(2) == 0 { request } else { Doing::Turning(Inside::default()) };
        Some(Busy { worker: *ready.0, began: Moment(1), since: Moment(1), doing })
    }
}

fn pick<'a, T: Copy + 'a>(dice: &mut Dice, all: impl Iterator<Item = &'a T>) -> Option<T> {
    let all: Vec<T> = all.copied().collect();
    if all.is_empty() { None } else { Some(all[dice.below(all.len())]) }
}
