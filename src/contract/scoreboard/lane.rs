//! A lane: one request that a worker is in, with its line and its client. Whoever is in it writes it, alone.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Words of a lane.
pub(super) const LANE: usize = 40;
const REQUEST_LINE: usize = 32;
/// Families of a client's address, beside its port.
const V4: u64 = 1 << 32;
const V6: u64 = 1 << 33;

/// Words of a lane, written by whoever is in it: the worker's only thread, or one of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum LaneWord {
    /// When the request was handed to the application; nought when there is none.
    Start = 0,
    /// When that request last made progress.
    Progress = 1,
    /// The client's TCP address: port and family, then the address in two words. Noughts for a unix socket.
    Client = 2,
    /// The request line: its length in bytes, then `REQUEST_LINE` words of text.
    RequestLine = 5,
    /// What a signal handler answered in the place of a stuck application: `sys::last_word`.
    Answered = 38,
    /// The thread that it belongs to, as the kernel numbers them; nought where lanes and threads are not the same.
    Thread = 39,
}

/// One request of a worker.
#[derive(Clone, Copy, Debug)]
pub struct LaneView<'a> {
    words: &'a [AtomicU64],
}

impl<'a> LaneView<'a> {
    pub(super) fn new(words: &'a [AtomicU64]) -> Self {
        Self { words }
    }

    fn get(&self, word: LaneWord) -> u64 {
        self.words[word as usize].load(Relaxed)
    }

    fn set(&self, word: LaneWord, value: u64) {
        self.words[word as usize].store(value, Relaxed);
    }

    /// From now on it is the lane of this thread.
    pub fn belongs_to(&self, thread: i32) {
        self.set(LaneWord::Thread, u64::from(thread.unsigned_abs()));
    }

    /// Whose it is.
    pub fn thread(&self) -> Option<i32> {
        i32::try_from(self.get(LaneWord::Thread)).ok().filter(|thread| *thread != 0)
    }

    /// Its thread: a request begins.
    pub fn enter(&self, now: u64, line: &[u8], client: Option<&SocketAddr>) {
        self.set_text(line);
        self.set_client(client);
        self.set(LaneWord::Answered, 0);
        self.set(LaneWord::Progress, now);
        self.set(LaneWord::Start, now);
    }

    /// Its thread: the request shows that it is not stuck now; or before `now`, when that lies in the future.
    pub fn progress(&self, now: u64) {
        self.set(LaneWord::Progress, now);
    }

    /// Its thread: the request has ended.
    pub fn leave(&self) {
        self.set(LaneWord::Start, 0);
    }

    /// When the request that it is in began.
    pub fn start(&self) -> Option<u64> {
        Some(self.get(LaneWord::Start)).filter(|start| *start != 0)
    }

    /// When that last made progress.
    pub fn last_progress(&self) -> u64 {
        self.get(LaneWord::Progress)
    }

    /// The request that it is in, or was in last; a long line was cut.
    pub fn request_line(&self) -> String {
        let length = usize::try_from(self.get(LaneWord::RequestLine)).unwrap_or(0).min(REQUEST_LINE * 8);
        let words = &self.words[LaneWord::RequestLine as usize + 1..][..REQUEST_LINE];
        let bytes: Vec<u8> =
            words.iter().flat_map(|word| word.load(Relaxed).to_ne_bytes()).take(length).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Where the signal handler notes what it has answered.
    pub fn answered_place(&self) -> &'a AtomicU64 {
        &self.words[LaneWord::Answered as usize]
    }

    /// What the signal handler noted; nought when it has answered nothing.
    pub fn answered(&self) -> u64 {
        self.get(LaneWord::Answered)
    }

    /// The client of that request, as people read it.
    pub fn client(&self) -> String {
        self.client_address().map_or("a unix socket".to_owned(), |address| address.to_string())
    }

    /// The client of that request; `None` where it came by a unix socket.
    pub fn client_address(&self) -> Option<SocketAddr> {
        let [kind, low, high] = [0, 1, 2].map(|at| self.words[LaneWord::Client as usize + at].load(Relaxed));
        let port = kind as u16;
        match kind & (V4 | V6) {
            V4 => Some((Ipv4Addr::from_bits(low as u32), port).into()),
            V6 => Some((Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)), port).into()),
            _ => None,
        }
    }

    fn set_client(&self, client: Option<&SocketAddr>) {
        let (kind, address) = match client {
            None => (0, 0),
            Some(SocketAddr::V4(v4)) => (V4 | u64::from(v4.port()), u128::from(v4.ip().to_bits())),
            Some(SocketAddr::V6(v6)) => (V6 | u64::from(v6.port()), v6.ip().to_bits()),
        };
        let [low, high] = [address as u64, (address >> 64) as u64];
        for (word, value) in self.words[LaneWord::Client as usize..].iter().zip([kind, low, high]) {
            word.store(value, Relaxed);
        }
    }

    fn set_text(&self, text: &[u8]) {
        let text = &text[..text.len().min(REQUEST_LINE * 8)];
        self.set(LaneWord::RequestLine, text.len() as u64);
        for (word, chunk) in self.words[LaneWord::RequestLine as usize + 1..].iter().zip(text.chunks(8)) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_ne_bytes(bytes), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scoreboard;
    use super::*;
    use crate::id::Slot;

    #[test]
    fn every_kind_of_client_reads_well() {
        let board = Scoreboard::create(1).unwrap();
        let slot = board.slot(Slot(0));
        let lane = slot.lane(0);
        lane.enter(1, b"", Some(&"[2001:db8::1]:443".parse().unwrap()));
        assert_eq!(lane.client(), "[2001:db8::1]:443");
        lane.enter(1, b"", None);
        assert_eq!(lane.client(), "a unix socket");
    }

    #[test]
    fn long_lines_are_cut_and_fit() {
        let board = Scoreboard::create(1).unwrap();
        let slot = board.slot(Slot(0));
        slot.lane(0).enter(1, &[b'x'; 5000], None);
        assert_eq!(slot.lane(0).request_line().len(), REQUEST_LINE * 8);
        assert!(LaneWord::RequestLine as usize + 1 + REQUEST_LINE <= LANE);
        assert_eq!(LaneWord::Answered as usize, LaneWord::RequestLine as usize + 1 + REQUEST_LINE);
        assert!(LaneWord::Client as usize + 3 <= LaneWord::RequestLine as usize);
    }
}
