//! The requests of a worker with a loop, as the arbiter sees them: each has a number as long as it is out, the lowest that
//! is free. By that it has its lane of the scoreboard, where there is one, and its place for the last word of a process
//! that is stuck. Knows nothing of Python, which sees to it that nobody else writes meanwhile.

use contract::id::Slot;
use contract::scoreboard::{Among, Scoreboard, SlotView};
use http::Exchange;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use sys::last_word::LANES;
use sys::socket::Address;

const BITS: usize = u64::BITS as usize;

/// All numbers of a worker.
pub(crate) struct LoopLanes {
    scoreboard: Arc<Scoreboard>,
    slot: Slot,
    /// A bit for each number that is taken. One thread at a time writes them: loads and stores are enough.
    taken: [AtomicU64; LANES / BITS],
}

/// A request's; given back when it is dropped, which has to be behind the end of its exchange.
pub(crate) struct LoopLane {
    lanes: &'static LoopLanes,
    held: Held,
}

#[derive(Clone, Copy)]
enum Held {
    /// A lane of the scoreboard.
    Lane(u32),
    /// A number above those.
    Number(u32),
    /// None: all are taken, or it is a websocket.
    Counted(Among),
}

impl LoopLanes {
    /// From now on the slot is that of a worker with a loop. It has one set of numbers, for as long as it lives.
    pub(crate) fn new(scoreboard: Arc<Scoreboard>, slot: Slot) -> &'static Self {
        scoreboard.slot(slot).begin_loop();
        Box::leak(Box::new(Self { scoreboard, slot, taken: [const { AtomicU64::new(0) }; LANES / BITS] }))
    }

    fn view(&self) -> SlotView<'_> {
        self.scoreboard.slot(self.slot)
    }

    /// This request is in the application from now on.
    pub(crate) fn enter(&'static self, exchange: &mut Exchange) -> LoopLane {
        let number = self.take_number();
        if let Some(number) = number {
            exchange.answered_if_stuck(number as usize);
        }
        let request = exchange.request();
        let client = if let Address::Tcp(address) = request.peer() { Some(address) } else { None };
        let enter = |lane| self.view().enter_lane(lane, exchange.began(), request.raw_line(), client);
        let held = match number {
            Some(number) if enter(number) => Held::Lane(number),
            Some(number) => Held::Number(number),
            None => Held::Counted(Among::Unseen),
        };
        if !matches!(held, Held::Lane(_)) {
            self.view().count(Among::Unseen, true);
        }
        LoopLane { lanes: self, held }
    }

    /// The loop runs what this request is about, or nobody can tell what.
    pub(crate) fn set_running(&self, lane: Option<u32>) {
        self.view().set_running(lane);
    }

    fn take_number(&self) -> Option<u32> {
        for (index, word) in self.taken.iter().enumerate() {
            let taken = word.load(Relaxed);
            let bit = taken.trailing_ones();
            if bit < u64::BITS {
                word.store(taken | 1 << bit, Relaxed);
                return u32::try_from(index * BITS).ok().map(|first| first + bit);
            }
        }
        None
    }

    fn give_back(&self, number: u32) {
        if let Some(word) = self.taken.get(number as usize / BITS) {
            word.store(word.load(Relaxed) & !(1 << (number as usize % BITS)), Relaxed);
        }
    }
}

impl LoopLane {
    /// Its lane of the scoreboard, if it has one.
    pub(crate) fn lane(&self) -> Option<u32> {
        if let Held::Lane(lane) = self.held { Some(lane) } else { None }
    }

    /// It is a websocket now, and there to stay: others need the lane more. It has got its first byte.
    pub(crate) fn becomes_websocket(&mut self) {
        self.release();
        self.held = Held::Counted(Among::Websockets);
        self.lanes.view().count(Among::Websockets, true);
    }

    fn release(&self) {
        let view = self.lanes.view();
        match self.held {
            Held::Lane(lane) => {
                view.lane(lane).leave();
                self.lanes.give_back(lane);
            }
            Held::Number(number) => {
                view.count(Among::Unseen, false);
                self.lanes.give_back(number);
            }
            Held::Counted(among) => view.count(among, false),
        }
    }
}

impl Drop for LoopLane {
    fn drop(&mut self) {
        self.release();
    }
}
