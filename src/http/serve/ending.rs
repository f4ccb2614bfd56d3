//! The clean end: what is in flight is finished, what waits in a queue where nobody else accepts is accepted, and
//! connections are given up in a way that loses no request.

use super::Server;
use super::connection::{Connection, Phase};
use crate::app::{App, Observer};
use std::os::fd::AsFd;
use sys::stream;

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// Nobody listens any more: quiet connections are closed soon.
    Stop,
    /// Others serve on: who is quiet can send its next request for so many milliseconds, and hears then that it is the
    /// last one here.
    Retire {
        /// Milliseconds.
        patience: u64,
    },
    /// Others serve on, and nobody is to be answered here any more but those whose requests are in flight: quiet
    /// connections are closed at once, whether their next request is on its way or not.
    Vanish,
}

impl Server {
    /// Nobody else will accept from the listener with this index.
    pub fn is_alone_on(&mut self, index: usize) {
        if let Some(listener) = self.listeners.get_mut(index) {
            listener.alone = true;
        }
    }

    /// Begins to end: what is queued where nobody else accepts is accepted and answered, then nothing more; no
    /// connection is kept for long. May be said again, to end sooner.
    pub fn end(&mut self, farewell: Farewell) {
        // A listener that cannot be removed from the poller is closed with the process.
        let _ = self.stop_accepting();
        self.shared.begin_to_end(farewell);
        let listeners = std::mem::take(&mut self.listeners).into_iter().enumerate();
        for (index, slot) in listeners {
            if farewell == Farewell::Stop || slot.alone {
                self.last_listeners.push((index, slot));
            } else if self.accept_again_at != 0 || self.calls.heard.contains(&index) {
                self.calls.last.push((index, slot));
            }
        }
        for (key, connection) in &mut self.connections {
            let vanishes = farewell == Farewell::Vanish && connection.is_quiet();
            if vanishes && !stream::has_input(&connection.as_fd()) {
                stream::hang_up(&connection.as_fd());
                connection.deadline = self.shared.now.max(1);
            } else if connection.is_quiet() {
                connection.deadline = self.shared.end_of_quiet(connection.deadline);
            } else if connection.phase == Phase::Open && connection.output.is_empty() {
                connection.deadline = self.shared.next_deadline(connection);
            }
            self.timers.set(key, connection.deadline);
        }
    }

    /// The request of this exchange is stuck: its client hears no more of it, and nobody waits for its end.
    pub fn give_up(&mut self, key: usize, app: &mut impl App) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(out) = connection.out.as_mut().filter(|out| !out.given_up) {
            out.given_up = true;
            stream::hang_up(&connection.as_fd());
            self.lose_with_request(key, app);
        }
    }

    /// After the last turn, when `is_idle`: the books of requests that were given up and have ended all the same.
    pub fn note_latecomers(&mut self, app: &mut impl App, observer: &mut impl Observer) {
        if self.is_idle() {
            self.read_letters(app, observer);
        }
    }

    /// Is everything done that was to be done before the end?
    pub fn is_idle(&self) -> bool {
        self.shared.is_ending()
            && self.last_listeners.is_empty()
            && self.calls.last.is_empty()
            && self.connections.iter().all(is_given_up)
    }
}

fn is_given_up((_, connection): (usize, &Connection)) -> bool {
    connection.out.as_ref().is_some_and(|out| out.given_up)
}
