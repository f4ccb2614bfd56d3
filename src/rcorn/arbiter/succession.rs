//! One arbiter follows another in the same process: how its state is packed, tried, handed over, and taken up again.
//!
//! 1. `Check`: the very file that will be executed runs as a child, on the real state. It starts, reads the settings,
//!    understands the state. Its words on standard error are the reason why not.
//! 2. `Succeed`: signals are held, what crosses loses its close-on-exec flag, and we become that file. A failure is
//!    undone, and we go on.
//! 3. The successor takes up channels, listeners and logs, lets the signals through, and prepares the new generation.

use super::act::Hands;
use super::event::Event;
use super::fleet::{Fleet, Role};
use super::ground::Ground;
use super::listeners::Listener;
use super::memory::Kills;
use super::opening;
use super::pidfile::PidFile;
use super::policy::Moment;
use super::rotation::Rotation;
use super::state::{ControlState, Crossing, State};
use super::wires::Wires;
use super::zygote::text_of;
use crate::control::{Control, Endpoint, Meters};
use crate::interpreter;
use crate::log::Logs;
use crate::metrics::Survey;
use crate::settings::{Invocation, Predecessor};
use crate::systemd::Manager;
use crate::watch::{Files, Watch};
use contract::id::{Generation, Pid};
use contract::logline::Level;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use sys::exec::Successor;
use sys::process::{self, Ended};
use sys::spawn::Program;

/// A check that runs.
#[derive(Debug)]
pub(crate) struct Check {
    generation: Generation,
    pid: Pid,
    said: OwnedFd,
}

/// The number at which a check finds the state.
const STATE: i32 = 3;

impl Hands {
    /// Everything that is to cross, and the descriptors that it names.
    fn pack(&self, fleet: &Fleet) -> (State, Crossing) {
        let mut crossing = Crossing::default();
        let mut state = State::of(fleet.clone(), self.logs.pack(&mut crossing));
        let mut known: Vec<Rc<Listener>> = Vec::new();
        let mut place =
            |listener: &Rc<Listener>| match known.iter().position(|other| Rc::ptr_eq(other, listener)) {
                Some(place) => place,
                None => {
                    known.push(Rc::clone(listener));
                    known.len() - 1
                }
            };
        state.handed = self.handed.iter().map(&mut place).collect();
        for (generation, ground) in &self.grounds {
            state.grounds.insert(*generation, ground.pack(&mut place, &mut crossing));
        }
        state.metrics = self.endpoint.as_ref().map(|endpoint| place(endpoint.listener()));
        (state.started, state.gone) = (self.meters.started, self.meters.gone.clone());
        state.listeners = known.iter().map(|listener| listener.pack(&mut crossing)).collect();
        (state.zygotes, state.workers) = self.wires.pack(&mut crossing);
        state.control = self.control.as_ref().map(|control| {
            let (path, file) = control.pack();
            ControlState { path, fd: crossing.keep(control.as_fd()), file }
        });
        state.watched = self.watch.as_ref().map(|watch| watch.files().clone());
        state.pid_file = self.pid_file.as_ref().map(|file| file.path().to_path_buf());
        (state, crossing)
    }

    /// Has our successor tried. The answer comes when the child ends, unless it cannot even start.
    pub(crate) fn check(&mut self, fleet: &Fleet, generation: Generation) -> Option<Event> {
        match self.start_check(fleet, generation) {
            Ok(check) => {
                self.checking = Some(check);
                None
            }
            Err(why) => Some(Event::Checked(generation, Err(why))),
        }
    }

    fn start_check(&self, fleet: &Fleet, generation: Generation) -> Result<Check, String> {
        let program = self.invocation.successor();
        let sentence = |error: std::io::Error| format!("cannot run {}: {error}", program.display());
        if !sys::spawn::is_program(&program).map_err(sentence)? {
            return Err(format!("cannot run {}: it is neither a binary nor a script", program.display()));
        }
        let state = self.pack(fleet).0.write()?;
        let said = sys::memory::scratch("rcorn-said").map_err(sentence)?;
        let started = Program {
            program: program.clone(),
            arguments: self.invocation.arguments.clone(),
            environment: self.environment_with(Predecessor::CHECK, STATE),
            descriptors: vec![state.as_fd()],
            stderr: Some(said.as_fd()),
            credentials: None,
            ignored: Vec::new(),
            umask: None,
        }
        .start();
        Ok(Check { generation, pid: Pid(started.map_err(sentence)?), said })
    }

    fn environment_with(&self, variable: &str, number: i32) -> Vec<(OsString, OsString)> {
        let added = (OsString::from(variable), OsString::from(number.to_string()));
        self.invocation.environment.iter().cloned().chain([added]).collect()
    }

    /// Ends the check.
    pub(crate) fn kill_check(&self) {
        if let Some(check) = &self.checking {
            let _ = process::kill(check.pid.0, sys::signal::SIGKILL);
        }
    }

    /// A process ended: was it the check, and what is its verdict?
    pub(crate) fn verdict(&mut self, pid: Pid, how: Ended) -> Option<Event> {
        let Check { generation, said, .. } = self.checking.take_if(|check| check.pid == pid)?;
        let program = self.invocation.successor();
        Some(Event::Checked(generation, judge(how, &text_of(said), &program.display().to_string())))
    }

    /// Becomes our successor. With signals held; comes back with the reason when that fails.
    pub(crate) fn succeed(&self, fleet: &Fleet) -> String {
        let (state, mut crossing) = self.pack(fleet);
        let file = match state.write() {
            Ok(file) => file,
            Err(why) => return why,
        };
        let number = crossing.keep(file.as_fd());
        let program = self.invocation.successor();
        let arguments = std::iter::once(&self.invocation.program).chain(&self.invocation.arguments);
        let error = Successor {
            program: &program,
            arguments: arguments.cloned().collect(),
            environment: self.environment_with(Predecessor::STATE, number),
            descriptors: &crossing.0,
        }
        .take_over();
        format!("cannot become {}: {error}", program.display())
    }

    /// Takes up what our former self left. To be called within the runtime.
    pub(crate) fn take_up(invocation: Invocation, state: State) -> Result<(Self, Fleet), String> {
        let system = |error: std::io::Error| format!("cannot take up what runs: {error}");
        let farewell = state.farewell();
        let listeners: Vec<Rc<Listener>> = state
            .listeners
            .into_iter()
            .map(Listener::unpack)
            .collect::<std::io::Result<_>>()
            .map_err(system)?;
        let pick =
            |places: &[usize]| places.iter().filter_map(|place| listeners.get(*place).cloned()).collect();
        let (mut grounds, mut gone) = (BTreeMap::new(), state.gone);
        for (generation, ground) in state.grounds {
            grounds.insert(generation, Ground::unpack(ground, &listeners, &mut gone)?);
        }
        let endpoint = state.metrics.and_then(|place| listeners.get(place).cloned()).map(Endpoint::open);
        let manager = Manager::of(&invocation);
        let mut hands = Self {
            wires: Wires::unpack(state.zygotes, state.workers).map_err(system)?,
            invocation,
            handed: pick(&state.handed),
            grounds,
            logs: Logs::unpack(state.logs).map_err(system)?,
            pid_file: state.pid_file.map(PidFile::take_up),
            kills: Kills::watch(),
            checking: None,
            control: state.control.map(control_of).transpose().map_err(system)?,
            endpoint: endpoint.transpose().map_err(system)?,
            beacon: None,
            meters: Meters::since(state.started, gone),
            survey: Survey::default(),
            manager,
            watch: None,
            pulsed: Moment(0),
            rotation: Rotation::default(),
        };
        if let Some(serving) = state.fleet.in_role(Role::Serving) {
            hands.move_telling(serving);
        }
        hands.watch_on(&state.fleet, state.watched);
        opening::watch_pressure(&mut hands.wires, &hands.invocation, &hands.logs);
        hands.read_on(&state.fleet);
        hands.show(&state.fleet, farewell.as_deref());
        Ok((hands, state.fleet))
    }

    /// Files go on to be watched, until the generation that is to follow says which.
    fn watch_on(&mut self, fleet: &Fleet, files: Option<Files>) {
        if let (Some(ground), Some(files)) = (self.serving(fleet), files) {
            self.watch = Some(Watch::begin(Some(files), &ground.settings).0);
        }
    }

    /// Nothing of what workers print is left with us.
    pub(super) async fn read_no_more(&mut self) {
        for (_, _, outputs) in self.wires.outputs() {
            outputs.stop().await;
        }
    }

    /// What workers print goes on to be read.
    pub(super) fn read_on(&mut self, fleet: &Fleet) {
        for (worker, generation, outputs) in self.wires.outputs() {
            let crew = fleet.crews.get(&generation).and_then(|crew| crew.workers.get(&worker));
            if let (Some(member), Some(ground)) = (crew, self.grounds.get(&generation)) {
                // Without readers a worker that prints much would wait; there is nothing better to be done.
                let _ = ground.logs.pass_on(generation, member.slot, outputs);
            }
        }
    }

    /// What the generation that serves stands on.
    fn serving(&self, fleet: &Fleet) -> Option<&Ground> {
        self.grounds.get(&fleet.in_role(Role::Serving)?)
    }

    /// A program that begins has the name of its file. `farewell` is said of its former self.
    fn show(&self, fleet: &Fleet, farewell: Option<&str>) {
        if let Some(serving) = self.serving(fleet) {
            opening::set_title(&serving.settings);
        }
        if let Some(farewell) = farewell {
            self.logs.line(Level::Info, farewell);
        }
    }
}

fn control_of(state: ControlState) -> std::io::Result<Control> {
    Control::unpack(state.path, state.file, sys::fd::adopt(state.fd)?)
}

/// How a complaint begins.
const NAME: &str = "rcorn: ";

/// What a program that could follow says when it is tried: one that only happens to end well is none of ours.
pub(crate) const FIT: &str = "rcorn: fit to follow";

/// What is to be thought of a program that ended like this and said that last, when it was tried.
fn judge(how: Ended, said: &str, program: &str) -> Result<(), String> {
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    match (how, last) {
        (Ended::Exited(0), Some(FIT)) => Ok(()),
        (Ended::Exited(0), _) => {
            Err(format!("{program} is not rcorn, or of a version that cannot follow this one"))
        }
        (_, Some(line)) => Err(words_of_rcorn(said).unwrap_or(line).to_owned()),
        (_, None) => Err(format!("{program} {how} when it was tried")),
    }
}

/// What it said as rcorn, behind whatever a settings file in Python printed.
fn words_of_rcorn(said: &str) -> Option<&str> {
    let begin = if said.starts_with(NAME) { 0 } else { said.rfind(&format!("\n{NAME}"))? + 1 };
    said.get(begin + NAME.len()..).map(str::trim_end)
}

/// As a child of the arbiter that runs: could we follow it?
pub(crate) fn could_follow(invocation: &Invocation, state: OwnedFd) -> Result<(), String> {
    let settings = invocation.load().map_err(|refusal| refusal.whole())?;
    interpreter::find(invocation, &settings).map_err(|refusal| refusal.to_string())?;
    interpreter::find_extension(invocation, &settings).map_err(|refusal| refusal.to_string())?;
    State::read(state).map(drop)
}

/// The state that our former self left at this number.
pub(crate) fn state_at(number: i32) -> Result<OwnedFd, String> {
    let found = sys::fd::adopt(number);
    found.map_err(|error| format!("there is no state at descriptor {number}: {error}"))
}
