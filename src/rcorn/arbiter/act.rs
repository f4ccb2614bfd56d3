//! The hands of the arbiter: carries out what `step` decided, and decides nothing.

use super::action::Action;
use super::event::{Activity, Autopsy, Doing, Event};
use super::fleet::Fleet;
use super::ground::Ground;
use super::listeners::Listener;
use super::look::place_of;
use super::memory;
use super::pidfile::PidFile;
use super::policy::Moment;
use super::rotation::Rotation;
use super::succession::Check;
use super::unfinished;
use super::wires::Wires;
use super::zygote::Errand;
use crate::control::{Control, Endpoint, Meters};
use crate::log::Logs;
use crate::metrics::{Beacon, Survey};
use crate::settings::Invocation;
use crate::systemd::{Manager, Notice};
use crate::watch::Watch;
use contract::channel::Channel;
use contract::exit::ExitCode;
use contract::id::{Generation, Pid, Slot, WorkerId};
use contract::logline::Level;
use contract::message::{BootFailure, ToWorker, ToZygote};
use contract::scoreboard::Word;
use contract::settings::Preload;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::rc::Rc;
use sys::process::{self, Ended};
use sys::seqpacket::Seqpacket;
use sys::signal::{stacks_signal, thread_stack_signal};

/// Everything that the arbiter holds.
#[derive(Debug)]
pub(crate) struct Hands {
    /// The channels.
    pub(crate) wires: Wires,
    pub(super) invocation: Invocation,
    pub(super) handed: Vec<Rc<Listener>>,
    pub(crate) grounds: BTreeMap<Generation, Ground>,
    pub(super) logs: Logs,
    pub(super) pid_file: Option<PidFile>,
    pub(super) kills: memory::Kills,
    /// The check that runs, of the program that is to follow.
    pub(super) checking: Option<Check>,
    /// Where the operator asks.
    pub(crate) control: Option<Control>,
    /// Where everybody else asks how we are.
    pub(crate) endpoint: Option<Endpoint>,
    /// Who tells the statsd server.
    pub(super) beacon: Option<Beacon>,
    /// What was done, and when.
    pub(crate) meters: Meters,
    /// What was measured with some effort.
    pub(super) survey: Survey,
    /// Who started us.
    pub(crate) manager: Manager,
    /// The files of the application, in development.
    pub(crate) watch: Option<Watch>,
    /// When that one last heard of us.
    pub(super) pulsed: Moment,
    /// Whether log files were renamed.
    pub(super) rotation: Rotation,
}

impl Hands {
    /// Carries one action out. Breaks when the loop is to be left.
    pub(crate) fn perform(&mut self, action: Action, fleet: &Fleet) -> ControlFlow<ExitCode, Option<Event>> {
        let event = match action {
            Action::Leave(code) => return ControlFlow::Break(code),
            Action::Check(generation) => self.check(fleet, generation),
            Action::StartZygote(generation, preload) => self.start_zygote(fleet, generation, preload),
            Action::Fork(generation, worker, slot) => self.fork(generation, worker, slot),
            Action::Weigh(workers) => Some(Event::Weighed(weigh(&workers))),
            Action::Count => Some(Event::Counted(self.count())),
            Action::FindFattest(workers) => self.fattest(fleet, &workers),
            Action::AwaitDeaf(generation) => {
                self.await_deaf(fleet, generation);
                None
            }
            Action::ShowStacks(pid, lane) => {
                self.show_stacks(fleet, pid, lane);
                None
            }
            other => {
                self.perform_quietly(other);
                None
            }
        };
        ControlFlow::Continue(event)
    }

    /// The actions that have no answer.
    fn perform_quietly(&mut self, action: Action) {
        match action {
            Action::CloseZygote(generation) => self.wires.close_zygote(generation),
            Action::KillCheck => self.kill_check(),
            Action::KillZygote(generation) => {
                if let Some(pid) = self.wires.zygote_pid(generation) {
                    self.signal(pid.0, sys::signal::SIGKILL);
                }
            }
            Action::Tell(worker, message) => self.tell(worker, &message),
            Action::TellZygote(generation, message) => self.tell_zygote(generation, &message),
            Action::GiveLogs(generation, worker) => self.give_logs(generation, worker),
            Action::Signal(pid, signal) => self.signal(pid.0, signal),
            Action::LastWord(pid, lane) => {
                // Whoever is gone by now needs none.
                let _ = sys::last_word::ask_for(pid.0, lane);
            }
            Action::LastWordToAll(pid) => {
                let _ = sys::last_word::ask_for_all(pid.0);
            }
            Action::Watch(loaded) => self.watch_loaded(loaded),
            Action::Release(generation, worker, slot) => self.release(generation, worker, slot),
            Action::Discard(generation) => drop(self.grounds.remove(&generation)),
            Action::Adopt(generation) => self.adopt(generation),
            Action::StopListening => self.stop_listening(),
            Action::ReopenLogs => self.reopen_logs(),
            Action::Log(level, text) => self.logs.line(level, &text),
            Action::Traceback(text) => self.logs.traceback(&text),
            Action::Refuse(failure) => {
                self.refuse(&failure);
                self.manager.tell(Notice::Failed, &failure.summary);
            }
            Action::Notify(notice, status) => self.manager.tell(notice, &status),
            Action::Leave(_)
            | Action::Check(_)
            | Action::Succeed(_)
            | Action::StartZygote(..)
            | Action::Fork(..)
            | Action::Count
            | Action::FindFattest(_)
            | Action::AwaitDeaf(_)
            | Action::ShowStacks(..)
            | Action::Weigh(_) => {}
        }
    }

    fn start_zygote(&mut self, fleet: &Fleet, generation: Generation, preload: Preload) -> Option<Event> {
        let ground = self.grounds.get(&generation)?;
        let workers = fleet.crews.get(&generation)?.target;
        let errand = Errand { preload, occasion: fleet.occasion(generation), workers };
        let started = ground.start_zygote(&self.invocation, generation, errand).and_then(|started| {
            let added = self.wires.add_zygote(generation, started);
            added.map_err(|error| format!("cannot listen to a zygote: {error}"))
        });
        started.err().map(|why| Event::ZygoteNotStarted(generation, why))
    }

    fn fork(&mut self, generation: Generation, worker: WorkerId, slot: Slot) -> Option<Event> {
        let ground = self.grounds.get(&generation)?;
        ground.board.occupy(slot);
        let outputs = ground.logs.pipes(generation, slot);
        let ordered = outputs.and_then(|(outputs, ends)| {
            let (near, far) = Seqpacket::pair()?;
            let stacks = sys::memory::log("rcorn-stacks")?;
            let order = ToZygote::Fork { slot, worker };
            let told = stacks.try_clone()?;
            self.wires.add_worker(worker, generation, Channel::new(near), (stacks, outputs))?;
            let ends = ends.iter().flatten().map(AsFd::as_fd);
            let fds: Vec<_> = [far.as_fd(), told.as_fd()].into_iter().chain(ends).collect();
            self.wires.tell_zygote(generation, &order, &fds)
        });
        ordered.err().map(|error| Event::NotForked(worker, error.to_string()))
    }

    fn tell(&self, worker: WorkerId, message: &ToWorker) {
        // A worker that is gone already will be seen to end; one that does not listen has its time limit.
        if let Err(error) = self.wires.tell(worker, message, &[]) {
            self.logs.line(Level::Debug, &format!("{message:?} did not reach a worker: {error}"));
        }
    }

    fn tell_zygote(&self, generation: Generation, message: &ToZygote) {
        // One that is gone will be seen to be; what it was to be told, its hooks miss.
        if let Err(error) = self.wires.tell_zygote(generation, message, &[]) {
            self.logs.line(
                Level::Warning,
                &format!("the hooks of generation {generation} are not told of {message:?}: {error}"),
            );
        }
    }

    fn signal(&self, pid: i32, signal: i32) {
        // Whoever ended a moment ago is about to be reaped. Nobody else can have the number before that.
        if let Err(error) = process::kill(pid, signal) {
            self.logs.line(Level::Debug, &format!("signal {signal} did not reach process {pid}: {error}"));
        }
    }

    /// Of several threads that of the request comes first.
    fn show_stacks(&self, fleet: &Fleet, pid: Pid, lane: Option<u32>) {
        let thread = lane.filter(|_| process::has_threads(pid.0)).and_then(|lane| {
            let (generation, slot) = place_of(fleet, pid)?;
            self.grounds.get(&generation)?.board.slot(slot).lane(lane).thread()
        });
        let tell = |thread| process::kill_thread(pid.0, thread, thread_stack_signal()).is_ok();
        if !thread.is_some_and(tell) {
            self.signal(pid.0, stacks_signal());
        }
    }

    fn release(&mut self, generation: Generation, worker: WorkerId, slot: Slot) {
        self.wires.remove_worker(worker);
        self.keep_totals(generation, slot);
        if let Some(ground) = self.grounds.get(&generation) {
            ground.board.vacate(slot);
        }
    }

    fn stop_listening(&mut self) {
        self.handed.clear();
        for ground in self.grounds.values_mut() {
            if self.manager.has_store() {
                ground.listeners.iter().for_each(|listener| listener.leave_file());
            }
            ground.listeners.clear();
        }
    }

    fn refuse(&self, failure: &BootFailure) {
        self.logs.last_words(&failure.traceback, &failure.summary);
        if self.logs.is_elsewhere() {
            say(&format!("{}rcorn: {}\n", failure.traceback, failure.summary));
        }
    }

    /// What is known of the end of a process.
    pub(crate) fn autopsy(&mut self, fleet: &Fleet, pid: Pid, how: Ended) -> Autopsy {
        if let Some((generation, slot)) = place_of(fleet, pid)
            && let Some(ground) = self.grounds.get(&generation)
        {
            unfinished::write(ground, generation, slot, (pid, how));
        }
        let out_of_memory = how == Ended::Killed(sys::signal::SIGKILL) && self.kills.happened();
        Autopsy { how, out_of_memory, last: self.last_request(fleet, pid) }
    }

    fn fattest(&self, fleet: &Fleet, workers: &[(WorkerId, Pid)]) -> Option<Event> {
        let busy = self.look(fleet);
        let is_idle = |id: WorkerId| {
            !busy.iter().any(|busy| busy.worker == id && matches!(busy.doing, Doing::Request(..)))
        };
        let (id, bytes) =
            weigh(workers).into_iter().filter(|(id, _)| is_idle(*id)).max_by_key(|(_, bytes)| *bytes)?;
        Some(Event::Fattest(id, bytes))
    }

    fn count(&self) -> Activity {
        let slots = self.grounds.values().flat_map(|ground| ground.board.slots());
        let open = slots.map(|slot| slot.get(Word::Connections)).sum();
        Activity { open, handled: self.totals().handled() }
    }
}

fn weigh(workers: &[(WorkerId, Pid)]) -> Vec<(WorkerId, u64)> {
    // Whoever is gone meanwhile weighs nothing.
    workers.iter().filter_map(|(worker, pid)| Some((*worker, memory::of_process(pid.0)?))).collect()
}

/// Writes to whoever started us, who may be gone.
pub(crate) fn say(text: &str) {
    let _ = sys::fd::write_all(io::stderr().as_fd(), text.as_bytes());
}
