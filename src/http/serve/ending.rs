//! The clean end: what is in flight is finished, what waits in a queue where nobody else accepts is accepted, and
//! connections are given up in a way that loses no request.

use super::Server;
use super::connection::Phase;

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
        let _ = self.pause_accepting();
        self.shared.begin_to_end(farewell);
        let listeners = std::mem::take(&mut self.listeners).into_iter().enumerate();
        self.last_listeners.extend(listeners.filter(|(_, slot)| farewell == Farewell::Stop || slot.alone));
        for (key, connection) in &mut self.connections {
            if connection.is_quiet() {
                connection.deadline = self.shared.end_of_quiet(connection.deadline);
            } else if connection.phase == Phase::Open && connection.output.is_empty() {
                connection.deadline = self.shared.next_deadline(connection);
            }
            self.timers.set(key, connection.deadline);
        }
    }

    /// Is everything done that was to be done before the end?
    pub fn is_idle(&self) -> bool {
        self.shared.is_ending() && self.last_listeners.is_empty() && self.connections.is_empty()
    }
}
