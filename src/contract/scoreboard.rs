//! The shared memory of one generation: a header, and a slot for each worker.
//!
//! A slot has words of its worker, and lanes for the requests that it is in: one for each thread, or as many as there is
//! room for in a worker with a loop (`loops`). Every word has one writer: the arbiter writes the header, a worker's loop
//! its slot, a thread its lane. All access is relaxed: a reader may see a moment's half-truth, never a torn word.
//! Nothing on the request path sends a message.

mod lane;
mod loops;
mod pad;

pub use lane::LaneView;
pub use loops::{Among, LOOP_LANES};
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

/// The most threads of a worker, each with a lane.
pub const MOST_LANES: u32 = 1024;

const HEADER: usize = 64;
const SLOT: usize = 128;
/// Buckets of a histogram: bucket n counts what took less than 2^n microseconds, and no less than bucket n - 1 does.
pub const BUCKETS: usize = 32;
const _: () = assert!(Word::Latency as usize + BUCKETS <= Word::Aborted as usize, "the words before");
const _: () = assert!((Word::Websockets as usize) < Word::Queued as usize, "the words before");
const _: () = assert!(Word::Queued as usize + BUCKETS <= SLOT, "the last words of a slot");

/// Words of the header, written by the arbiter.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
enum Header {
    Contract = 0,
    /// Slots below this number may be in use.
    Used = 1,
    /// How many lanes each slot has room for.
    Lanes = 2,
    /// How many of them a worker has that has no loop: one for each thread.
    Threads = 3,
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
    /// Requests among the answered whose response is not whole.
    Aborted = 48,
    /// Nanoseconds that requests waited for the application.
    Waited = 49,
    /// In a worker with a loop: one more than the lanes that were ever used. Nought in any other.
    Loop = 60,
    /// There: one more than the lane whose request is certain to be what the loop runs now, or nought.
    Running = 61,
    /// There: requests for which there was no lane.
    Unseen = 62,
    /// There: websockets that are open. They have no lanes.
    Websockets = 63,
    /// The histogram of these waits: `BUCKETS` words.
    Queued = 64,
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
    threads: usize,
}

impl Scoreboard {
    /// A new scoreboard whose workers have so many threads, and a lane for each. The arbiter makes one for each generation.
    pub fn create(threads: u32) -> io::Result<Self> {
        Self::with_room(threads, threads)
    }

    /// The same for workers that may have loops.
    pub fn create_for_loops(threads: u32) -> io::Result<Self> {
        Self::with_room(threads, threads.max(LOOP_LANES))
    }

    fn with_room(threads: u32, lanes: u32) -> io::Result<Self> {
        let [threads, lanes] = [threads, lanes].map(|count| count.clamp(1, MOST_LANES) as usize);
        let words = SharedWords::create("rcorn-scoreboard", size(lanes))?;
        let set = |at: Header, value: u64| words.words()[at as usize].store(value, Relaxed);
        set(Header::Contract, u64::from(crate::VERSION));
        set(Header::Lanes, lanes as u64);
        set(Header::Threads, threads as u64);
        Ok(Self { words, lanes, threads })
    }

    /// Maps the scoreboard that the arbiter made.
    pub fn map(fd: OwnedFd) -> io::Result<Self> {
        let words = SharedWords::map(fd)?;
        let header = |at: Header| words.words().get(at as usize).map_or(0, |word| word.load(Relaxed));
        let [lanes, threads] =
            [Header::Lanes, Header::Threads].map(|at| usize::try_from(header(at)).unwrap_or(0));
        let version = header(Header::Contract);
        let fits = (1..=MOST_LANES as usize).contains(&lanes)
            && (1..=lanes).contains(&threads)
            && words.words().len() == size(lanes);
        if !fits || version != u64::from(crate::VERSION) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the scoreboard is of another version of rcorn",
            ));
        }
        Ok(Self { words, lanes, threads })
    }

    /// The place of one worker. Slots beyond the last are the last one's neighbours in vain: use valid ones.
    pub fn slot(&self, slot: Slot) -> SlotView<'_> {
        let index = (slot.0.min(MOST_WORKERS - 1)) as usize;
        let length = SLOT + self.lanes * LANE;
        let start = HEADER + index * (length + PAD);
        let (words, pad) = self.words.words()[start..start + length + PAD].split_at(length);
        SlotView { words, pad, threads: self.threads }
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
        // Lanes that were never used take no memory, and this is not to change that.
        for word in &slot.words[..SLOT + slot.used_lanes() * LANE] {
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
    threads: usize,
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

    /// The histogram of the time in the application.
    pub fn latency(&self) -> [u64; BUCKETS] {
        self.histogram(Word::Latency)
    }

    /// The histogram of the time before it.
    pub fn queued(&self) -> [u64; BUCKETS] {
        self.histogram(Word::Queued)
    }

    fn histogram(&self, first: Word) -> [u64; BUCKETS] {
        std::array::from_fn(|bucket| self.words[first as usize + bucket].load(Relaxed))
    }

    /// Counts a response of this status.
    pub fn count_status(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        let word = &self.words[Word::Status1xx as usize + class];
        word.store(word.load(Relaxed) + 1, Relaxed);
    }

    /// Counts a request that waited and took so long.
    pub fn count_times(&self, waited: u64, took: u64) {
        self.add(Word::Waited, waited);
        self.add(Word::Busy, took);
        self.note(Word::Queued, waited);
        self.note(Word::Latency, took);
    }

    fn note(&self, first: Word, nanoseconds: u64) {
        let bucket = (u64::BITS - (nanoseconds / 1000).leading_zeros()) as usize;
        let word = &self.words[first as usize + bucket.min(BUCKETS - 1)];
        word.store(word.load(Relaxed) + 1, Relaxed);
    }

    /// The lanes: one for each thread; in a worker with a loop those that were ever used.
    pub fn lanes(&self) -> impl Iterator<Item = LaneView<'a>> + use<'a> {
        self.every_lane().take(self.used_lanes())
    }

    /// Those that were never used as well.
    pub fn every_lane(&self) -> impl Iterator<Item = LaneView<'a>> + use<'a> {
        self.words[SLOT..].chunks_exact(LANE).map(LaneView::new)
    }

    /// One of them, by its number; numbers beyond the last are the last one's.
    pub fn lane(&self, lane: u32) -> LaneView<'a> {
        let last = (self.words.len() - SLOT) / LANE - 1;
        let start = SLOT + last.min(lane as usize) * LANE;
        LaneView::new(&self.words[start..start + LANE])
    }

    /// Since when it has been able to begin nothing new: the youngest request's beginning, where each thread is in one.
    pub fn full_since(&self) -> Option<u64> {
        if self.has_loop() {
            return None;
        }
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
        slot.count_times(900, 3_000);
        let seen = arbiter.slot(Slot(3));
        let lane = seen.oldest().unwrap();
        assert_eq!(
            (lane.start(), lane.request_line().as_str(), lane.client().as_str()),
            (Some(7), "GET /slow HTTP/1.1", "127.0.0.1:1234")
        );
        assert_eq!(seen.state(), State::Serving);
        assert_eq!(seen.words[Word::Status1xx as usize + 1].load(Relaxed), 1);
        assert_eq!((seen.latency()[2], seen.queued()[0]), (1, 1));
        assert_eq!((seen.get(Word::Busy), seen.get(Word::Waited)), (3_000, 900));
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
