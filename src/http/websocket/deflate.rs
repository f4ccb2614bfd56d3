//! Messages of the application, compressed (RFC 7692, 7.2.1).
//!
//! A compressor takes 160 KiB, and a connection needs its window only: so the compressors are their thread's. One
//! that last served this connection goes on where it was; any other one is primed with the connection's history, which
//! is as good for the client: a message begins at a full byte, and blocks do not tell where their window came from.

use super::history::History;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush};

/// Compressors of a thread, most recently used last.
const COMPRESSORS: usize = 8;
/// Level 1 is four times as fast as level 3, and makes a quarter more of JSON, a third more of prose.
const LEVEL: i32 = 1;
/// More memory makes it neither faster nor smaller at this level.
const MEMORY: i32 = 5;
/// So much comes out of a compressor at a time.
const PIECE: usize = 8192;
/// The memory that a thread keeps for the next message.
const KEPT: usize = 64 * 1024;
/// Every sync flush ends so; it goes without saying (7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Whoever compresses a message gets a number that no other message has.
static MESSAGES: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static BENCH: RefCell<Bench> = RefCell::default();
}

/// What a thread compresses with.
#[derive(Default)]
struct Bench {
    compressors: Vec<Compressor>,
    packed: Vec<u8>,
}

struct Compressor {
    bits: u8,
    /// The number of the last message.
    message: u64,
    deflate: Deflate,
}

/// The sending half of permessage-deflate.
#[derive(Debug)]
pub(crate) struct Deflation {
    bits: u8,
    takeover: bool,
    history: History,
    /// The number of the last message that the client has; nought when there is none to go on from.
    message: u64,
}

impl Deflation {
    pub(crate) fn new(bits: u8, takeover: bool) -> Self {
        Self { bits, takeover, history: History::new(bits, takeover), message: 0 }
    }

    /// Gives `use_packed` the compressed message; `None` where that would not be shorter.
    pub(crate) fn compress<R>(&mut self, message: &[u8], use_packed: impl FnOnce(Option<&[u8]>) -> R) -> R {
        BENCH.with_borrow_mut(|bench| {
            let mut compressor = bench.take(self.bits, self.message);
            let packed = &mut bench.packed;
            packed.clear();
            let went_well = compressor.prime(self) && compressor.pack(message, packed);
            let is_shorter = went_well && packed.len() < message.len();
            if is_shorter {
                compressor.message = MESSAGES.fetch_add(1, Ordering::Relaxed) + 1;
                self.message = compressor.message;
                self.history.push(message);
            }
            let result = use_packed(is_shorter.then_some(packed));
            packed.shrink_to(KEPT);
            bench.put_back(compressor);
            result
        })
    }
}

impl Bench {
    /// The compressor that has just compressed that message, else a new one, else the one that was used least recently.
    fn take(&mut self, bits: u8, message: u64) -> Compressor {
        let fits = |compressor: &Compressor| compressor.bits == bits && compressor.message == message;
        if let Some(index) = self.compressors.iter().position(fits) {
            return self.compressors.remove(index);
        }
        let is_full = self.compressors.len() >= COMPRESSORS;
        match self.compressors.iter().position(|compressor| compressor.bits == bits).filter(|_| is_full) {
            Some(index) => self.compressors.remove(index),
            None => Compressor::new(bits),
        }
    }

    fn put_back(&mut self, compressor: Compressor) {
        if self.compressors.len() >= COMPRESSORS {
            self.compressors.remove(0);
        }
        self.compressors.push(compressor);
    }
}

impl Compressor {
    fn new(bits: u8) -> Self {
        let window_bits = -i32::from(bits);
        let config =
            DeflateConfig { window_bits, level: LEVEL, mem_level: MEMORY, ..DeflateConfig::default() };
        Self { bits, message: 0, deflate: Deflate::new_with_config(config) }
    }

    /// Makes it stand where the connection stands.
    fn prime(&mut self, connection: &Deflation) -> bool {
        let is_there = self.message == connection.message && self.message != 0 && connection.takeover;
        // Not again, unless this message reaches the client.
        self.message = 0;
        if is_there {
            return true;
        }
        self.deflate.reset();
        let history = connection.history.bytes();
        history.is_empty() || self.deflate.set_dictionary(history).is_ok()
    }

    /// Compresses a message behind what is in `packed`.
    fn pack(&mut self, mut message: &[u8], packed: &mut Vec<u8>) -> bool {
        let mut room = [0; PIECE];
        loop {
            let before = (self.deflate.total_in(), self.deflate.total_out());
            if self.deflate.compress(message, &mut room, DeflateFlush::SyncFlush).is_err() {
                return false;
            }
            message = &message[(self.deflate.total_in() - before.0) as usize..];
            let made = (self.deflate.total_out() - before.1) as usize;
            packed.extend_from_slice(&room[..made]);
            if made < PIECE {
                break;
            }
        }
        let ends_well = message.is_empty() && packed.ends_with(&TAIL);
        packed.truncate(packed.len() - if ends_well { TAIL.len() } else { 0 });
        ends_well
    }
}
