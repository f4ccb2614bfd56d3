//! Compressed messages of the client, inflated as they arrive and never beyond the limit (RFC 7692, 7.2.2).
//!
//! | rule                                                         | RFC 7692 |
//! |--------------------------------------------------------------|----------|
//! | a message goes on with the window of the one before          | 7.1.1    |
//! | it ends where an empty block without its last bytes would    | 7.2.2    |
//! | it may have blocks that say they are the last                | 7.2.3.4  |
//!
//! Inflating takes 47 KiB, which a connection has only while a compressed message arrives; between them it keeps the
//! history. What is spare waits for the next message on the same thread.

use super::close::Violation;
use super::history::History;
use super::mask::unmask;
use std::cell::RefCell;
use zlib_rs::{Inflate, InflateFlush, Status};

/// What the sender has left off (7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// An empty last block: where it is taken for one, the block before it was whole.
const PROBE: [u8; 5] = [1, 0, 0, 0xff, 0xff];
/// The largest window: clients are free not to have a smaller one.
const LARGEST_WINDOW: u8 = 15;
/// So much is inflated before the limit is looked at.
const PIECE: usize = 4096;
/// So many spare states a thread keeps.
const SPARE: usize = 4;

thread_local! {
    static SPARES: RefCell<Vec<Inflate>> = const { RefCell::new(Vec::new()) };
}

const CORRUPT: Violation = Violation::data("a compressed message is corrupt");
/// For every message that is over the limit.
pub(crate) const TOO_LARGE: Violation = Violation::too_big("a message is larger than the limit");

/// The receiving half of permessage-deflate.
pub(crate) struct Inflation {
    history: History,
    stream: Option<Stream>,
}

/// A message in the making.
struct Stream {
    inflate: Inflate,
    /// Was there anything of it yet?
    fed: bool,
    /// Was the block before here the last one?
    ended: bool,
}

/// What came of some bytes; there may be some even where the next ones are wrong.
struct Step {
    used: usize,
    made: usize,
    outcome: Result<(), Violation>,
}

impl Inflation {
    pub(crate) fn new(bits: u8, takeover: bool) -> Self {
        Self { history: History::new(bits, takeover), stream: None }
    }

    /// A compressed message begins.
    pub(crate) fn begin(&mut self) {
        let spare = SPARES.with_borrow_mut(Vec::pop);
        let inflate = spare.unwrap_or_else(|| Inflate::new(false, LARGEST_WINDOW));
        self.stream = Some(Stream { inflate, fed: false, ended: true });
    }

    /// Inflates a piece of the message, masked as `unmask` wants to know, behind what `message` has of it.
    pub(crate) fn feed(
        &mut self,
        masked: &[u8],
        (key, position): ([u8; 4], usize),
        message: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Violation> {
        let mut room = [0; PIECE];
        for (index, piece) in masked.chunks(PIECE).enumerate() {
            let plain = &mut room[..piece.len()];
            plain.copy_from_slice(piece);
            unmask(plain, key, position.wrapping_add(index * PIECE));
            self.inflate(plain, message, limit)?;
        }
        Ok(())
    }

    /// The message has ended.
    pub(crate) fn finish(&mut self, message: &mut Vec<u8>, limit: usize) -> Result<(), Violation> {
        // Nothing at all is no stream, but there are clients whose empty messages are so.
        if self.stream.as_ref().is_some_and(|stream| stream.fed) {
            self.inflate(&TAIL, message, limit)?;
            if !self.stream.as_mut().is_some_and(Stream::is_between_blocks) {
                return Err(Violation::data("a compressed message ends in the middle of a block"));
            }
        }
        self.history.push(message);
        if let Some(Stream { inflate, .. }) = self.stream.take() {
            SPARES.with_borrow_mut(|spares| {
                if spares.len() < SPARE {
                    spares.push(inflate);
                }
            });
        }
        Ok(())
    }

    /// Inflates all of `input`.
    fn inflate(&mut self, mut input: &[u8], message: &mut Vec<u8>, limit: usize) -> Result<(), Violation> {
        let Some(stream) = &mut self.stream else { return Err(CORRUPT) };
        let mut room = [0; PIECE];
        let mut is_full = false;
        while is_full || !input.is_empty() {
            if stream.ended {
                stream.restart(&self.history, message)?;
            }
            let step = stream.step(input, &mut room);
            message.extend_from_slice(&room[..step.made]);
            if message.len() > limit {
                return Err(TOO_LARGE);
            }
            step.outcome?;
            input = &input[step.used..];
            is_full = step.made == PIECE && !stream.ended;
        }
        Ok(())
    }
}

impl Stream {
    /// Begins a series of blocks, which may refer to all that was before it.
    fn restart(&mut self, history: &History, message: &[u8]) -> Result<(), Violation> {
        self.inflate.reset(false);
        let window = 1 << LARGEST_WINDOW;
        for part in [history.bytes(), &message[message.len().saturating_sub(window)..]] {
            if !part.is_empty() {
                self.inflate.set_dictionary(part).map_err(|_| CORRUPT)?;
            }
        }
        (self.fed, self.ended) = (true, false);
        Ok(())
    }

    /// Nothing can follow once this was asked.
    fn is_between_blocks(&mut self) -> bool {
        self.ended || {
            let step = self.step(&PROBE, &mut [0]);
            self.ended && step.used == PROBE.len() && step.made == 0
        }
    }

    fn step(&mut self, input: &[u8], room: &mut [u8]) -> Step {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, room, InflateFlush::NoFlush);
        let used = (self.inflate.total_in() - before.0) as usize;
        let made = (self.inflate.total_out() - before.1) as usize;
        self.ended = status == Ok(Status::StreamEnd);
        // Whoever has bytes and room goes on; that this holds is the library's promise, and no loop depends on it.
        let is_stuck = used == 0 && made == 0 && !self.ended && !input.is_empty();
        Step { used, made, outcome: if status.is_err() || is_stuck { Err(CORRUPT) } else { Ok(()) } }
    }
}
