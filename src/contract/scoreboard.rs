//! The shared memory of one generation: a header, and a slot for each worker.
//!
//! Every word has one writer: the arbiter writes the header, a worker writes its slot. All access is relaxed: a
//! reader may see a moment's half-truth, never a torn word. Nothing on the request path sends a message.

use crate::id::Slot;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use sys::shared::SharedWords;

/// The most workers of a generation. Slots that were never used take no memory.
pub const MOST_WORKERS: u32 = 1024;

const HEADER: usize = 64;
const SLOT: usize = 128;
const REQUEST_LINE: usize = 32;
/// Families of a client's address, beside its port.
const V4: u64 = 1 << 32;
const V6: u64 = 1 << 33;
/// Buckets of the latency histogram: bucket n counts requests below 2^n microseconds.
pub const BUCKETS: usize = 32;

/// Words of the header, written by the arbiter.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
enum Header {
    Contract = 0,
    /// Slots below this number may be in use.
    Used = 1,
}

/// Words of a slot, written by its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Word {
    /// What it does: a `State`.
    State = 0,
    /// When its loop last turned, or a request ended (monotonic nanoseconds).
    Heartbeat = 1,
    /// When the request that it is in was handed to the application; nought when it is in none.
    RequestStart = 2,
    /// When that request last made progress.
    Progress = 3,
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
    /// The request line: its length in bytes, then `REQUEST_LINE` words of text.
    RequestLine = 48,
    /// The client's TCP address: port and family, then the address in two words. Noughts for a unix socket.
    Client = 96,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum State {
    /// Nobody is here.
    Empty = 0,
    /// It starts.
    Booting = 1,
    /// It waits for something to do.
    Idle = 2,
    /// It is inside the application.
    Busy = 3,
    /// It finishes what is in flight, and leaves.
    Draining = 4,
}

impl State {
    fn from_word(word: u64) -> Self {
        match word {
            1 => Self::Booting,
            2 => Self::Idle,
            3 => Self::Busy,
            4 => Self::Draining,
            _ => Self::Empty,
        }
    }
}

/// The scoreboard, mapped.
#[derive(Debug)]
pub struct Scoreboard(SharedWords);

impl Scoreboard {
    /// A new scoreboard. The arbiter makes one for each generation.
    pub fn create() -> io::Result<Self> {
        let words = SharedWords::create("rcorn-scoreboard", HEADER + MOST_WORKERS as usize * SLOT)?;
        words.words()[Header::Contract as usize].store(u64::from(crate::VERSION), Relaxed);
        Ok(Self(words))
    }

    /// Maps the scoreboard that the arbiter made.
    pub fn map(fd: OwnedFd) -> io::Result<Self> {
        let words = SharedWords::map(fd)?;
        let expected = HEADER + MOST_WORKERS as usize * SLOT;
        let version = words.words().first().map_or(0, |word| word.load(Relaxed));
        if words.words().len() != expected || version != u64::from(crate::VERSION) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the scoreboard is of another version of rcorn",
            ));
        }
        Ok(Self(words))
    }

    /// The place of one worker. Slots beyond the last are the last one's neighbours in vain: use valid ones.
    pub fn slot(&self, slot: Slot) -> SlotView<'_> {
        let index = (slot.0.min(MOST_WORKERS - 1)) as usize;
        let start = HEADER + index * SLOT;
        SlotView { words: &self.0.words()[start..start + SLOT] }
    }

    /// The places that may be in use.
    pub fn slots(&self) -> impl Iterator<Item = SlotView<'_>> {
        (0..self.used()).map(|slot| self.slot(Slot(slot)))
    }

    fn used(&self) -> u32 {
        let used = self.0.words()[Header::Used as usize].load(Relaxed);
        u32::try_from(used).unwrap_or(MOST_WORKERS).min(MOST_WORKERS)
    }

    /// Arbiter only: a worker is about to be started at `slot`. Its words start from nought.
    pub fn occupy(&self, slot: Slot) {
        self.vacate(slot);
        self.slot(slot).set(Word::State, State::Booting as u64);
        let used = u64::from(self.used().max(slot.0 + 1));
        self.0.words()[Header::Used as usize].store(used, Relaxed);
    }

    /// Arbiter only: the worker at `slot` has ended.
    pub fn vacate(&self, slot: Slot) {
        for word in self.slot(slot).words {
            word.store(0, Relaxed);
        }
    }
}

impl AsFd for Scoreboard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// One worker's words.
#[derive(Clone, Copy, Debug)]
pub struct SlotView<'a> {
    words: &'a [AtomicU64],
}

impl SlotView<'_> {
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

    /// Notes the request that the worker is in; a long line is cut.
    pub fn set_request_line(&self, line: &[u8]) {
        self.set_text(Word::RequestLine, REQUEST_LINE, line);
    }

    /// The request that the worker is or was last in.
    pub fn request_line(&self) -> String {
        self.text(Word::RequestLine, REQUEST_LINE)
    }

    /// Notes the client of that request; `None` is one on a unix socket.
    pub fn set_client(&self, client: Option<&SocketAddr>) {
        let (kind, address) = match client {
            None => (0, 0),
            Some(SocketAddr::V4(v4)) => (V4 | u64::from(v4.port()), u128::from(v4.ip().to_bits())),
            Some(SocketAddr::V6(v6)) => (V6 | u64::from(v6.port()), v6.ip().to_bits()),
        };
        let [low, high] = [address as u64, (address >> 64) as u64];
        for (word, value) in self.words[Word::Client as usize..].iter().zip([kind, low, high]) {
            word.store(value, Relaxed);
        }
    }

    /// The client of that request.
    pub fn client(&self) -> String {
        let [kind, low, high] = [0, 1, 2].map(|at| self.words[Word::Client as usize + at].load(Relaxed));
        let port = kind as u16;
        match kind & (V4 | V6) {
            V4 => SocketAddr::from((Ipv4Addr::from_bits(low as u32), port)).to_string(),
            V6 => SocketAddr::from((Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)), port))
                .to_string(),
            _ => "a unix socket".to_owned(),
        }
    }

    fn set_text(&self, at: Word, room: usize, text: &[u8]) {
        let text = &text[..text.len().min(room * 8)];
        self.set(at, text.len() as u64);
        for (word, chunk) in self.words[at as usize + 1..].iter().zip(text.chunks(8)) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_ne_bytes(bytes), Relaxed);
        }
    }

    fn text(&self, at: Word, room: usize) -> String {
        let length = usize::try_from(self.get(at)).unwrap_or(0).min(room * 8);
        let words = &self.words[at as usize + 1..][..room];
        let bytes: Vec<u8> =
            words.iter().flat_map(|word| word.load(Relaxed).to_ne_bytes()).take(length).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_writes_and_the_arbiter_reads() {
        let arbiter = Scoreboard::create().unwrap();
        arbiter.occupy(Slot(3));
        let worker = Scoreboard::map(arbiter.as_fd().try_clone_to_owned().unwrap()).unwrap();
        let slot = worker.slot(Slot(3));
        slot.set_request_line(b"GET /slow HTTP/1.1");
        slot.set_client(Some(&"127.0.0.1:1234".parse().unwrap()));
        slot.set(Word::State, State::Busy as u64);
        slot.count_status(204);
        slot.count_latency(3_000);
        let seen = arbiter.slot(Slot(3));
        assert_eq!(
            (seen.request_line().as_str(), seen.client().as_str()),
            ("GET /slow HTTP/1.1", "127.0.0.1:1234")
        );
        assert_eq!(seen.state(), State::Busy);
        assert_eq!(seen.words[Word::Status1xx as usize + 1].load(Relaxed), 1);
        assert_eq!(seen.words[Word::Latency as usize + 2].load(Relaxed), 1);
        assert_eq!(arbiter.slots().count(), 4);
        arbiter.vacate(Slot(3));
        assert_eq!((seen.state(), seen.request_line()), (State::Empty, String::new()));
    }

    #[test]
    fn every_kind_of_client_reads_well() {
        let board = Scoreboard::create().unwrap();
        let slot = board.slot(Slot(0));
        slot.set_client(Some(&"[2001:db8::1]:443".parse().unwrap()));
        assert_eq!(slot.client(), "[2001:db8::1]:443");
        slot.set_client(None);
        assert_eq!(slot.client(), "a unix socket");
    }

    #[test]
    fn long_lines_are_cut_and_fit() {
        let board = Scoreboard::create().unwrap();
        board.slot(Slot(0)).set_request_line(&[b'x'; 5000]);
        assert_eq!(board.slot(Slot(0)).request_line().len(), REQUEST_LINE * 8);
        assert!(Word::RequestLine as usize + 1 + REQUEST_LINE <= Word::Client as usize);
        assert!(Word::Client as usize + 3 <= SLOT);
        assert!(Word::Latency as usize + BUCKETS <= Word::RequestLine as usize);
    }

    #[test]
    fn a_foreign_file_is_refused() {
        let other = SharedWords::create("other", 10).unwrap();
        assert!(Scoreboard::map(other.as_fd().try_clone_to_owned().unwrap()).is_err());
    }
}
