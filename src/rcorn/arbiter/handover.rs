//! One generation takes over from another: what was the former's becomes the new one's. Part of the hands: `step` has
//! decided it.

use super::act::Hands;
use super::fleet::Fleet;
use super::listeners::Listener;
use super::opening::{open_control, set_title};
use super::pidfile::PidFile;
use super::wires::Wires;
use crate::systemd::Manager;
use contract::id::Generation;
use contract::logline::Level;
use contract::message::ToWorker;
use contract::scoreboard::{SlotView, State};
use std::os::fd::AsFd;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// How long we wait for those who leave to accept nothing more. Who does not hear within this time is stopped.
const DEAF_WITHIN: Duration = Duration::from_millis(250);
/// Who is in a request for longer than this hears us before he accepts again.
const LONG: Duration = Duration::from_millis(20);
/// How often we look.
const LOOK: Duration = Duration::from_micros(100);

impl Hands {
    /// The generation is the one that serves now.
    pub(super) fn adopt(&mut self, generation: Generation) {
        let Some(new) = self.grounds.get(&generation) else { return };
        let kept = new.listeners.clone();
        for (other, ground) in &mut self.grounds {
            if *other != generation {
                // What only the former generation served goes when its workers have drained.
                let former = std::mem::take(&mut ground.listeners);
                ground.metrics = None;
                forget(&self.manager, &former, &kept);
                tell_alone(&self.wires, *other, without(&former, &kept));
            }
        }
        for listener in &kept {
            if let Some(name) = listener.name_in_store() {
                self.manager.store(&name, listener.as_fd());
            }
        }
        self.take_names(generation);
        self.watch_no_more_than(generation);
    }

    fn take_names(&mut self, generation: Generation) {
        let Some(ground) = self.grounds.get(&generation) else { return };
        if let Ok(logs) = ground.logs.share() {
            self.logs = logs;
        }
        for listener in &ground.listeners {
            // It fails only for what does not listen, which none of these is.
            let _ = listener.refresh(&ground.settings);
        }
        set_title(&ground.settings);
        let path = ground.settings.pid.clone();
        if path.as_deref() != self.pid_file.as_ref().map(PidFile::path) {
            self.move_pid_file(path.as_deref());
        }
        self.move_control(generation);
        self.move_telling(generation);
    }

    fn move_control(&mut self, generation: Generation) {
        let Some(ground) = self.grounds.get(&generation) else { return };
        let settings = &ground.settings;
        let stays = self.control.as_ref().filter(|it| settings.control_socket.as_deref() == Some(it.path()));
        let moved = match stays {
            Some(control) => {
                control.give(settings.control_socket_mode, settings.control_socket_owner.as_deref())
            }
            None => open_control(settings).map(|control| self.control = control),
        };
        if let Err(why) = moved {
            self.logs.line(Level::Error, &why);
        }
    }

    fn move_pid_file(&mut self, path: Option<&Path>) {
        match path.map(PidFile::write).transpose() {
            Ok(file) => self.pid_file = file,
            Err(why) => self.logs.line(Level::Error, &why),
        }
    }

    /// Waits until no worker of a generation that was told to leave accepts connections. Mostly that is at once.
    pub(super) fn await_deaf(&self, fleet: &Fleet, generation: Generation) {
        let (Some(ground), Some(crew)) = (self.grounds.get(&generation), fleet.crews.get(&generation)) else {
            return;
        };
        let limit = sys::clock::now() + DEAF_WITHIN.as_nanos() as u64;
        let hears = |now| crew.workers.values().any(|worker| accepts(&ground.board.slot(worker.slot), now));
        while let now = sys::clock::now()
            && now < limit
            && hears(now)
        {
            std::thread::sleep(LOOK);
        }
    }
}

fn tell_alone(wires: &Wires, generation: Generation, listeners: Vec<u32>) {
    if listeners.is_empty() {
        return;
    }
    let alone = ToWorker::AloneOn(listeners);
    for worker in wires.workers_of(generation) {
        // Who does not hear it is gone, or has left before.
        let _ = wires.tell(worker, &alone, &[]);
    }
}

/// What systemd keeps of what is served no longer.
fn forget(manager: &Manager, listeners: &[Rc<Listener>], kept: &[Rc<Listener>]) {
    for index in without(listeners, kept) {
        let gone = listeners.get(index as usize).and_then(|listener| listener.name_in_store());
        gone.iter().for_each(|name| manager.forget(name));
    }
}

/// May this worker accept a connection before it hears us?
fn accepts(slot: &SlotView<'_>, now: u64) -> bool {
    match slot.state() {
        State::Serving => {
            slot.full_since().is_none_or(|since| now.saturating_sub(since) < LONG.as_nanos() as u64)
        }
        State::Empty | State::Booting | State::Draining => false,
    }
}

/// The numbers of those listeners that are not among `kept`.
fn without(listeners: &[Rc<Listener>], kept: &[Rc<Listener>]) -> Vec<u32> {
    let gone = |listener: &Rc<Listener>| !kept.iter().any(|other| Rc::ptr_eq(other, listener));
    (0..).zip(listeners).filter(|(_, listener)| gone(listener)).map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::id::Slot;
    use contract::scoreboard::{Scoreboard, Word};

    #[test]
    fn who_waits_or_has_only_begun_may_accept() {
        let board = Scoreboard::create(1).unwrap();
        let slot = board.slot(Slot(0));
        let long = LONG.as_nanos() as u64;
        for (state, began, expected) in [
            (State::Serving, 1000, true),
            (State::Serving, 1000 + 2 * long, false),
            (State::Draining, 1000, false),
            (State::Booting, 0, false),
            (State::Empty, 0, false),
        ] {
            slot.set(Word::State, state as u64);
            slot.lane(0).enter(1000, b"GET / HTTP/1.1", None);
            assert_eq!(accepts(&slot, began), expected, "{state:?} {began}");
        }
        slot.lane(0).leave();
        slot.set(Word::State, State::Serving as u64);
        assert!(accepts(&slot, 1000 + 2 * long));
    }
}
