//! The shared memory of one generation: a header, and a slot for each worker.
//!
//! A slot has words of its worker, and a lane for each request that the worker can be in at a time. Every word has one
//! writer: the arbiter writes the header, a worker's loop its slot, a thread its lane. All access is relaxed: a reader may
//! see a moment's half-truth, never a torn word. Nothing on the request path sends a message.

mod lane;
mod pad;

pub use lane::LaneView;
pub use pad::PadView;

use crate::id::Slot;
use lane::LANE;
use pad::PAD;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use sys::shared::SharedWords;

/// The most workers of a generation. Slots that were never used take no memory.
pub const MOST_WORKERS: u32 = 1024;

/// The most requests of a worker that are shown at a time: one for each of its threads.
pub const MOST_LANES: u32 = 1024;

const HEADER: usize = 64;
const SLOT: usize = 64;
/// Buckets of the latency histogram: bucket n counts requests below 2^n microseconds.
pub const BUCKETS: usize = 32;
const _: () = assert!(Word::Latency as usize + BUCKETS <= SLOT, "the last words of a slot");

/// Words of the header, written by the arbiter.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
enum Header {
    Contract = 0,
    /// Slots below this number may be in use.
    Used = 1,
    /// How many lanes each slot has.
    Lanes = 2,
}

/// Words of a slot, written by its worker's loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Word {
    /// What it does: a `State`.
    State = 0,
    /// When its loop last turned, or a request ended (monotonic nanoseconds).
    Heartbeat = 1,
    /// Requests that were handed to the application and have not ended.
    InFlight = 2,
    /// Connections open.
    Connections = 4,
    /// Requests answered by the application.
    Requests = 5,
    /// Requests refused before they reached it.
    Refused = 6,
    /// Nanoseconds spent in the application.
    Busy = 7,
    /// Bytes of responses.
    Sent = 8,
    /// Responses by class: five words, 1xx to 5xx.
    Status1xx = 9,
    /// The latency histogram: `BUCKETS` words.
    Latency = 16,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum State {
    /// Nobody is here.
    Empty = 0,
    /// It starts.
    Booting = 1,
    /// It serves.
    Serving = 2,
    /// It finishes what is in flight, and leaves.
    Draining = 4,
}

impl State {
    fn from_word(word: u64) -> Self {
        match word {
            1 => Self::Booting,
            2 => Self::Serving,
            4 => Self::Draining,
            _ => Self::Empty,
        }
    }
}

/// The scoreboard, mapped.
#[derive(Debug)]
pub struct Scoreboard {
    words: SharedWords,
    lanes: usize,
}

impl Scoreboard {
    /// A new scoreboard whose workers have so many lanes. The arbiter makes one for each generation.
    pub fn create(lanes: u32) -> io::Result<Self> {
        let lanes = lanes.clamp(1, MOST_LANES) as usize;
        let words = SharedWords::create("rcorn-scoreboard", size(lanes))?;
        words.words()[Header::Contract as usize].store(u64::from(crate::VERSION), Relaxed);
        words.words()[Header::Lanes as usize].store(lanes as u64, Relaxed);
        Ok(Self { words, lanes })
    }

    /// Maps the scoreboard that the arbiter made.
    pub fn map(fd: OwnedFd) -> io::Result<Self> {
        let words = SharedWords::map(fd)?;
        let header = |at: Header| words.words().get(at as usize).map_or(0, |word| word.load(Relaxed));
        let lanes = usize::try_from(header(Header::Lanes)).unwrap_or(0);
        let version = header(Header::Contract);
        let fits = (1..=MOST_LANES as usize).contains(&lanes) && words.words().len() == size(lanes);
        if !fits || version != u64::from(crate::VERSION) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the scoreboard is of another version of rcorn",
            ));
        }
        Ok(Self { words, lanes })
    }

    /// The place of one worker. Slots beyond the last are the last one's neighbours in vain: use valid ones.
    pub fn slot(&self, slot: Slot) -> SlotView<'_> {
        let index = (slot.0.min(MOST_WORKERS - 1)) as usize;
        let length = SLOT + self.lanes * LANE;
        let start = HEADER + index * (length + PAD);
        let (words, pad) = self.words.words()[start..start + length + PAD].split_at(length);
        SlotView { words, pad }
    }

    /// The places that may be in use.
    pub fn slots(&self) -> impl Iterator<Item = SlotView<'_>> {
        (0..self.used()).map(|slot| self.slot(Slot(slot)))
    }

    fn used(&self) -> u32 {
        let used = self.words.words()[Header::Used as usize].load(Relaxed);
        u32::try_from(used).unwrap_or(MOST_WORKERS).min(MOST_WORKERS)
    }

    /// Arbiter only: a worker is about to be started at `slot`. Its words start from nought.
    pub fn occupy(&self, slot: Slot) {
        self.vacate(slot);
        self.slot(slot).set(Word::State, State::Booting as u64);
        let used = u64::from(self.used().max(slot.0 + 1));
        self.words.words()[Header::Used as usize].store(used, Relaxed);
    }

    /// Arbiter only: the worker at `slot` has ended.
    pub fn vacate(&self, slot: Slot) {
        let slot = self.slot(slot);
        for word in slot.words {
            word.store(0, Relaxed);
        }
        slot.pad().clear();
    }
}

fn size(lanes: usize) -> usize {
    HEADER + MOST_WORKERS as usize * (SLOT + lanes * LANE + PAD)
}

impl AsFd for Scoreboard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.words.as_fd()
    }
}

/// One worker's words.
#[derive(Clone, Copy, Debug)]
pub struct SlotView<'a> {
    words: &'a [AtomicU64],
    pad: &'a [AtomicU64],
}

impl<'a> SlotView<'a> {
    /// Reads a word.
    pub fn get(&self, word: Word) -> u64 {
        self.words[word as usize].load(Relaxed)
    }

    /// Writes a word. Only the slot's worker may.
    pub fn set(&self, word: Word, value: u64) {
        self.words[word as usize].store(value, Relaxed);
    }

    /// Adds to a word. Only the slot's worker may: it is a read and a write.
    pub fn add(&self, word: Word, value: u64) {
        self.set(word, self.get(word).wrapping_add(value));
    }

    /// Lines that its worker has not written yet.
    pub fn pad(&self) -> PadView<'a> {
        PadView::new(self.pad)
    }

    /// What the worker does.
    pub fn state(&self) -> State {
        State::from_word(self.get(Word::State))
    }

    /// Responses by class, 1xx to 5xx.
    pub fn by_class(&self) -> [u64; 5] {
        std::array::from_fn(|class| self.words[Word::Status1xx as usize + class].load(Relaxed))
    }

    /// The latency histogram.
    pub fn latency(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|bucket| self.words[Word::Latency as usize + bucket].load(Relaxed))
    }

    /// Counts a response of this status.
    pub fn count_status(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        let word = &self.words[Word::Status1xx as usize + class];
        word.store(word.load(Relaxed) + 1, Relaxed);
    }

    /// Counts a request that took this long.
    pub fn count_latency(&self, nanoseconds: u64) {
        let bucket = (u64::BITS - (nanoseconds / 1000).leading_zeros()) as usize;
        let word = &self.words[Word::Latency as usize + bucket.min(BUCKETS - 1)];
        word.store(word.load(Relaxed) + 1, Relaxed);
    }

    /// The requests that the worker can be in.
    pub fn lanes(&self) -> impl Iterator<Item = LaneView<'a>> + use<'a> {
        self.words[SLOT..].chunks_exact(LANE).map(LaneView::new)
    }

    /// One of them, by its number; numbers beyond the last are the last one's.
    pub fn lane(&self, lane: u32) -> LaneView<'a> {
        let last = (self.words.len() - SLOT) / LANE - 1;
        let start = SLOT + last.min(lane as usize) * LANE;
        LaneView::new(&self.words[start..start + LANE])
    }

    /// Since when it has been able to begin nothing new: the youngest request's beginning, where each lane is in one.
    pub fn full_since(&self) -> Option<u64> {
        self.lanes().map(|lane| lane.start()).try_fold(0, |youngest, start| Some(youngest.max(start?)))
    }

    /// The request that has been in it for longest.
    pub fn oldest(&self) -> Option<LaneView<'a>> {
        self.lanes().filter(|lane| lane.start().is_some()).min_by_key(LaneView::start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_writes_and_the_arbiter_reads() {
        let arbiter = Scoreboard::create(2).unwrap();
        arbiter.occupy(Slot(3));
        let worker = Scoreboard::map(arbiter.as_fd().try_clone_to_owned().unwrap()).unwrap();
        let slot = worker.slot(Slot(3));
        slot.lane(1).enter(7, b"GET /slow HTTP/1.1", Some(&"127.0.0.1:1234".parse().unwrap()));
        slot.set(Word::State, State::Serving as u64);
        slot.count_status(204);
        slot.count_latency(3_000);
        let seen = arbiter.slot(Slot(3));
        let lane = seen.oldest().unwrap();
        assert_eq!(
            (lane.start(), lane.request_line().as_str(), lane.client().as_str()),
            (Some(7), "GET /slow HTTP/1.1", "127.0.0.1:1234")
        );
        assert_eq!(seen.state(), State::Serving);
        assert_eq!(seen.words[Word::Status1xx as usize + 1].load(Relaxed), 1);
        assert_eq!(seen.words[Word::Latency as usize + 2].load(Relaxed), 1);
        assert_eq!(arbiter.slots().count(), 4);
        arbiter.vacate(Slot(3));
        assert_eq!((seen.state(), seen.lane(1).request_line()), (State::Empty, String::new()));
    }

    #[test]
    fn a_worker_is_full_when_each_lane_is_in_a_request() {
        let board = Scoreboard::create(3).unwrap();
        let slot = board.slot(Slot(MOST_WORKERS - 1));
        assert_eq!(slot.lanes().count(), 3);
        for (lane, now) in [(0, 50), (2, 30)] {
            slot.lane(lane).enter(now, b"GET / HTTP/1.1", None);
        }
        assert_eq!((slot.full_since(), slot.oldest().unwrap().start()), (None, Some(30)));
        slot.lane(1).enter(70, b"GET / HTTP/1.1", None);
        assert_eq!(slot.full_since(), Some(70));
        slot.lane(2).leave();
        assert_eq!((slot.full_since(), slot.oldest().unwrap().start()), (None, Some(50)));
    }

    #[test]
    fn a_foreign_file_is_refused() {
        for words in [10, HEADER + 1] {
            let other = SharedWords::create("other", words).unwrap();
            assert!(Scoreboard::map(other.as_fd().try_clone_to_owned().unwrap()).is_err());
        }
    }
}
