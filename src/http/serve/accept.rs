//! Accepting from listeners that several workers share, so that the connections are spread evenly.
//!
//! All workers wait with EPOLLEXCLUSIVE: the kernel asks one that is idle, in the order in which they began to wait.
//! Who holds more than the average goes to the end of that order after each accept. Who is asked all the same while
//! it holds clearly more than its share, and another one below its share is idle, leaves the connection to that one
//! for a moment. Nobody polls, and nobody stays away for good: a worker at the end of the order is still asked when
//! all others are inside a slow request.

use super::connection::Connection;
use super::tokens;
use super::{LAST_WORD, Server};
use crate::app::{App, Observer, Share};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use sys::poll::Interest;
use sys::socket;
use sys::waker::Waker;

/// How long a connection is left to others, in milliseconds.
const DECLINED: u64 = 5;
/// Who looks idle and has not come after so many milliseconds is stopped, or full: then what lies there is taken.
const PATIENCE: u64 = 250;
/// For how long it is not waited for again, in milliseconds.
const IMPATIENCE: u64 = 5000;
/// Who has begun nothing for so many nanoseconds may be stuck.
const DOUBTFUL: u64 = 100_000_000;
/// So much more than its share a worker may hold, as a part of the share, and always one.
const TOLERANCE: u64 = 32;
/// How long nothing is accepted when there are no descriptors left.
const EXHAUSTED: u64 = 100;

/// What this worker leaves to others.
#[derive(Debug, Default)]
pub(super) struct Declined {
    /// Since when something has been lying there that nobody took, in milliseconds; nought when nothing does.
    since: u64,
    /// How many connections the others had then.
    theirs: u64,
    /// Before this moment nothing is left to others.
    not_before: u64,
}

impl Declined {
    /// May what lies there at `now` be left to others, who hold `theirs`?
    fn may_decline(&mut self, now: u64, theirs: u64) -> bool {
        if now < self.not_before {
            return false;
        }
        if self.since == 0 || theirs != self.theirs {
            (self.since, self.theirs) = (now, theirs);
        }
        let in_vain = now > self.since + PATIENCE;
        if in_vain {
            (self.since, self.not_before) = (0, now + IMPATIENCE);
        }
        !in_vain
    }

    /// Was something left to others, and may lie there still?
    fn lies_there(&self) -> bool {
        self.since != 0
    }

    /// Nothing lies there any more: others came.
    pub(super) fn was_taken(&mut self) {
        self.since = 0;
    }
}

/// Where the kernel may have told nobody but us of a connection, and we have not come yet.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// By index of the listener.
    pub(super) heard: Vec<usize>,
    /// At the end, where others serve on.
    pub(super) last: Vec<(usize, Listener)>,
}

/// A listening socket.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) fd: OwnedFd,
    watched: bool,
    /// Nobody else accepts from it.
    pub(super) alone: bool,
}

impl Listener {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self { fd, watched: false, alone: false }
    }
}

/// Would a request have to wait that need not wait elsewhere? Who is alone takes it nevertheless, unless it is not
/// likely that it will ever get to it: then the one who comes in its place is to find it.
fn is_full(app: &impl App, share: Share) -> bool {
    app.full_for().is_some_and(|nanoseconds| share.workers > 1 || nanoseconds > DOUBTFUL)
}

/// Is what this worker holds clearly more than its share, while others could take more?
fn is_ahead(held: usize, share: Share) -> bool {
    let most = share.total + share.total / TOLERANCE + share.workers;
    share.others_free && held as u64 * share.workers > most
}

impl Server {
    /// A listener is ready, among `found` descriptors. As many are taken as were served in this turn: many who come at once
    /// are soon in, but what a worker that gets stuck has in its hands does not grow while it works slowly.
    pub(super) fn accept(
        &mut self,
        index: usize,
        found: usize,
        app: &impl App,
        observer: &mut impl Observer,
    ) -> io::Result<()> {
        let mut last = None;
        for _ in 0..found.max(1) {
            let share = observer.share();
            if !self.accept_one(index, share, app, observer)? {
                break;
            }
            last = Some(share);
        }
        last.map_or(Ok(()), |share| self.step_back(share))
    }

    /// True when there was one, and it was taken.
    fn accept_one(
        &mut self,
        index: usize,
        share: Share,
        app: &impl App,
        observer: &mut impl Observer,
    ) -> io::Result<bool> {
        if is_full(app, share) {
            return self.hold_back().map(|()| false);
        }
        if self.declines(share) {
            self.accept_again_at = self.shared.now + DECLINED;
            return self.stop_accepting().map(|()| false);
        }
        if self.has_no_place() {
            return Ok(false);
        }
        let Some(listener) = self.listeners.get(index) else { return Ok(false) };
        let welcomed = match socket::accept(listener.fd.as_fd()) {
            Ok(Some((fd, peer))) => {
                let connection = Connection::new(fd, peer, index, &self.shared.config);
                self.welcome(connection, observer)
            }
            Ok(None) => return Ok(false),
            Err(error) => Err(error),
        };
        if welcomed.is_err() {
            self.declined.was_taken();
            self.accept_again_at = self.shared.now + EXHAUSTED;
            return self.stop_accepting().map(|()| false);
        }
        Ok(true)
    }

    /// Accepts nothing until a request has ended: others come first. The kernel has told nobody else, so this does. When
    /// all hold back, the first that does no more finds what lies there.
    fn hold_back(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.holds_back, true) {
            self.shared.post.mailbox.be_eager(true);
        }
        self.stop_accepting()?;
        if let Some(bell) = &self.bell {
            bell.wake();
        }
        Ok(())
    }

    /// Workers that share the listeners share this bell: who has more than enough to do rings it.
    pub fn hear_siblings(&mut self, bell: Arc<Waker>) -> io::Result<()> {
        self.bell = Some(bell);
        self.mind_bell(true)
    }

    /// Who does not accept may not take the call from somebody else, least of all the one who rang.
    fn mind_bell(&mut self, minds: bool) -> io::Result<()> {
        let Some(bell) = self.bell.as_ref().filter(|_| self.minds_bell != minds) else { return Ok(()) };
        if minds {
            self.poller.add(bell.as_fd(), tokens::BELL, Interest::Accept)?;
        } else {
            self.poller.remove(bell.as_fd())?;
        }
        self.minds_bell = minds;
        Ok(())
    }

    /// A sibling has rung: something waits at one of the listeners.
    pub(super) fn answer_bell(&self) -> Vec<usize> {
        if let Some(bell) = &self.bell {
            bell.heard();
        }
        (0..self.listeners.len()).collect()
    }

    /// Accepts again, unless a request would still have to wait.
    pub(super) fn look_ahead(&mut self, app: &impl App) {
        if self.holds_back && app.full_for().is_none() {
            self.holds_back = false;
            self.shared.post.mailbox.be_eager(false);
        }
    }

    fn declines(&mut self, share: Share) -> bool {
        let own = self.connections.len() as u64;
        is_ahead(self.connections.len(), share)
            && self.declined.may_decline(self.shared.now, share.total.saturating_sub(own))
    }

    /// What was left to others is not when they are ahead by now.
    pub(super) fn reconsider(&mut self, observer: &impl Observer) {
        if self.declined.lies_there()
            && self.accept_again_at != 0
            && !is_ahead(self.connections.len(), observer.share())
        {
            self.accept_again_at = 0;
        }
    }

    pub(super) fn welcome(
        &mut self,
        mut connection: Connection,
        observer: &mut impl Observer,
    ) -> io::Result<()> {
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        self.poller.add(connection.as_fd(), tokens::connection(key), Interest::Read)?;
        connection.key = key;
        let connection = entry.insert(connection);
        let patience = if self.shared.is_ending() { LAST_WORD } else { self.shared.config.head_timeout };
        if patience != 0 {
            connection.deadline = self.shared.now + patience;
            self.timers.set(key, connection.deadline);
        }
        observer.connections(self.connections.len());
        Ok(())
    }

    /// To the end of the order, when this worker holds more than the average, and out of it when it is full.
    fn step_back(&mut self, share: Share) -> io::Result<()> {
        let own = self.connections.len() as u64;
        if self.has_no_place() {
            return self.stop_accepting();
        }
        if share.workers > 1 && own * share.workers > share.total {
            self.pause_accepting()?;
            return self.resume_accepting();
        }
        Ok(())
    }

    /// Are there as many connections as may be?
    fn has_no_place(&self) -> bool {
        self.connections.len() >= self.shared.config.connections as usize
    }

    /// Where something may be accepted now.
    pub(super) fn watched_listeners(&self) -> impl Iterator<Item = usize> {
        self.listeners.iter().enumerate().filter(|(_, listener)| listener.watched).map(|(index, _)| index)
    }

    /// Until `resume_accepting` finds that nothing speaks against it any more.
    pub(super) fn stop_accepting(&mut self) -> io::Result<()> {
        self.mind_bell(false)?;
        self.pause_accepting()
    }

    fn pause_accepting(&mut self) -> io::Result<()> {
        for listener in self.listeners.iter_mut().filter(|listener| listener.watched) {
            self.poller.remove(listener.fd.as_fd())?;
            listener.watched = false;
        }
        Ok(())
    }

    /// Waits for connections again, where nothing speaks against it.
    pub(super) fn resume_accepting(&mut self) -> io::Result<()> {
        if self.has_no_place()
            || self.holds_back
            || self.shared.is_ending()
            || self.shared.now < self.accept_again_at
        {
            return Ok(());
        }
        self.accept_again_at = 0;
        self.mind_bell(true)?;
        for (index, listener) in
            self.listeners.iter_mut().enumerate().filter(|(_, listener)| !listener.watched)
        {
            self.poller.add(listener.fd.as_fd(), tokens::listener(index), Interest::Accept)?;
            listener.watched = true;
        }
        Ok(())
    }

    /// At the end: takes one connection from each queue; a queue that is empty is left for good. Where others serve on,
    /// one is all that the kernel has told nobody else of.
    pub(super) fn accept_last(&mut self, observer: &mut impl Observer) {
        for (index, slot) in std::mem::take(&mut self.last_listeners) {
            if self.take_one((index, &slot), observer) {
                self.last_listeners.push((index, slot));
            }
        }
        for (index, slot) in std::mem::take(&mut self.calls.last) {
            self.take_one((index, &slot), observer);
        }
    }

    /// Takes one connection, whatever speaks against it: false where the queue is empty.
    fn take_one(&mut self, (index, slot): (usize, &Listener), observer: &mut impl Observer) -> bool {
        let Ok(Some((fd, peer))) = socket::accept(slot.fd.as_fd()) else { return false };
        // Where there is no memory to watch it, this one is lost; the others still count.
        let _ = self.welcome(Connection::new(fd, peer, index, &self.shared.config), observer);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_waited_for_as_long_as_they_come() {
        let mut declined = Declined::default();
        for now in (1000..3000).step_by(50) {
            assert!(declined.may_decline(now, now / 100), "they hold more, at {now}");
        }
        for now in (3000..5000).step_by(50) {
            assert!(declined.may_decline(now, 7), "the queue was empty, at {now}");
            declined.was_taken();
        }
    }

    #[test]
    fn who_does_not_come_is_not_waited_for_again_and_again() {
        // However seldom this worker looks.
        for step in [5, 30, 100] {
            let mut declined = Declined::default();
            let given_up = (1000..).step_by(step).find(|now| !declined.may_decline(*now, 1)).unwrap();
            assert!((PATIENCE..=PATIENCE + 100).contains(&(given_up - 1000)), "{given_up}");
            assert!(!declined.may_decline(given_up + IMPATIENCE - 1, 1));
            assert!(declined.may_decline(given_up + IMPATIENCE, 1));
        }
    }

    #[test]
    fn a_share_is_exceeded_by_one_or_by_a_part_of_it() {
        let share = |total, workers| Share { workers, total, others_free: true };
        assert!(!is_ahead(17, share(64, 4)) && is_ahead(18, share(64, 4)));
        assert!(!is_ahead(265, share(512, 2)) && is_ahead(266, share(512, 2)));
        assert!(!is_ahead(266, Share { others_free: false, ..share(512, 2) }));
    }
}
