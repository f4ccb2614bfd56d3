//! Slots of workers with a loop (asyncio, gevent): any number of requests at a time, so lanes are used as there are any,
//! the lowest first, and the others are counted.

use super::{LANE, SLOT, SlotView, Word};
use std::net::SocketAddr;

/// The lanes of a worker with a loop.
pub const LOOP_LANES: u32 = 64;

/// Requests that are counted, as they have no lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// Those for which there was none.
    Unseen,
    /// Websockets.
    Websockets,
}

impl Among {
    fn word(self) -> Word {
        match self {
            Self::Unseen => Word::Unseen,
            Self::Websockets => Word::Websockets,
        }
    }
}

impl SlotView<'_> {
    /// Its worker: it has a loop, and is in no request yet.
    pub fn begin_loop(&self) {
        self.set(Word::Loop, 1);
    }

    /// Does its worker have a loop?
    pub fn has_loop(&self) -> bool {
        self.get(Word::Loop) != 0
    }

    /// How many lanes can be in a request, or were.
    pub(super) fn used_lanes(&self) -> usize {
        let room = (self.words.len() - SLOT) / LANE;
        let used = match self.get(Word::Loop) {
            0 => self.threads,
            used => usize::try_from(used - 1).unwrap_or(room),
        };
        used.min(room)
    }

    /// Its worker, which has a loop: a request begins. False when there is no such lane: then it is to be counted.
    pub fn enter_lane(&self, lane: u32, now: u64, line: &[u8], client: Option<&SocketAddr>) -> bool {
        if lane >= LOOP_LANES {
            return false;
        }
        self.lane(lane).enter(now, line, client);
        if self.get(Word::Loop) < u64::from(lane) + 2 {
            self.set(Word::Loop, u64::from(lane) + 2);
        }
        true
    }

    /// Its worker: one more, or one less, without a lane.
    pub fn count(&self, among: Among, one_more: bool) {
        self.add(among.word(), if one_more { 1 } else { u64::MAX });
    }

    /// Its worker: this lane's request is what the loop runs from now on; `None`: nobody can tell.
    pub fn set_running(&self, lane: Option<u32>) {
        self.set(Word::Running, lane.map_or(0, |lane| u64::from(lane) + 1));
    }

    /// The lane whose request is what the loop runs, where that is certain.
    pub fn running(&self) -> Option<usize> {
        let lane = usize::try_from(self.get(Word::Running)).ok()?.checked_sub(1)?;
        self.lanes().nth(lane)?.start().map(|_| lane)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MOST_LANES, Scoreboard};
    use super::*;
    use crate::id::Slot;

    fn starts(slot: &SlotView<'_>) -> Vec<u64> {
        slot.lanes().filter_map(|lane| lane.start()).collect()
    }

    #[test]
    fn lanes_are_there_as_they_are_used() {
        let board = Scoreboard::create_for_loops(1).unwrap();
        let slot = board.slot(Slot(5));
        assert_eq!(
            (slot.lanes().count(), slot.has_loop()),
            (1, false),
            "a thread has its lane from the beginning"
        );
        slot.begin_loop();
        assert_eq!((slot.lanes().count(), slot.has_loop()), (0, true));
        assert!(slot.enter_lane(0, 7, b"GET /0 HTTP/1.1", None));
        assert!(slot.enter_lane(2, 9, b"GET /2 HTTP/1.1", None));
        assert_eq!((starts(&slot), slot.lanes().count()), (vec![7, 9], 3));
        assert_eq!(slot.full_since(), None, "a loop can always begin something new");
        assert!(!slot.enter_lane(LOOP_LANES, 9, b"", None));
        slot.lane(0).leave();
        assert!(slot.enter_lane(0, 10, b"GET /3 HTTP/1.1", None));
        assert_eq!((starts(&slot), slot.lanes().count()), (vec![10, 9], 3));
        board.vacate(Slot(5));
        assert_eq!(
            (starts(&slot), slot.lane(2).request_line(), slot.has_loop()),
            (vec![], String::new(), false)
        );
    }

    #[test]
    fn what_runs_is_in_a_request() {
        let board = Scoreboard::create_for_loops(MOST_LANES).unwrap();
        let slot = board.slot(Slot(0));
        slot.begin_loop();
        slot.set_running(Some(1));
        assert_eq!(slot.running(), None, "nobody was ever there");
        slot.enter_lane(1, 7, b"GET / HTTP/1.1", None);
        assert_eq!(slot.running(), Some(1));
        slot.lane(1).leave();
        assert_eq!(slot.running(), None);
        slot.set_running(None);
        assert_eq!(slot.running(), None);
    }

    #[test]
    fn the_others_are_counted() {
        let board = Scoreboard::create_for_loops(1).unwrap();
        let slot = board.slot(Slot(0));
        for one_more in [true, true, false] {
            slot.count(Among::Websockets, one_more);
        }
        assert_eq!((slot.get(Word::Websockets), slot.get(Word::Unseen)), (1, 0));
    }
}
