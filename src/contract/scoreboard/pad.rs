//! The pad of a slot: lines of the access log that its worker has made and not written yet. Should it end before that, they
//! are the arbiter's to write. What is added begins with a word of its own, so that it is stored word by word: the noughts
//! behind it are no part of it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Words of a pad: how many there are, then text. Pages that were never used take no memory.
pub(super) const PAD: usize = 1 + TEXT;
/// A little more than a worker collects.
const TEXT: usize = 40 * 1024 / 8;

/// One worker's pad. Its worker writes it; the arbiter reads it when that has ended.
#[derive(Clone, Copy, Debug)]
pub struct PadView<'a> {
    length: &'a AtomicU64,
    text: &'a [AtomicU64],
}

impl<'a> PadView<'a> {
    pub(super) fn new(words: &'a [AtomicU64]) -> Self {
        Self { length: &words[0], text: &words[1..] }
    }

    /// Its worker: these lines follow. What there is no room for is left out.
    pub fn add(&self, lines: &[u8]) {
        let (used, needed) = (self.length(), lines.len().div_ceil(8));
        let Some(words) = self.text.get(used..used + needed) else { return };
        let (whole, rest) = lines.as_chunks::<8>();
        for (word, bytes) in words.iter().zip(whole) {
            word.store(u64::from_ne_bytes(*bytes), Relaxed);
        }
        if let Some(last) = words.get(whole.len()) {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            last.store(u64::from_ne_bytes(bytes), Relaxed);
        }
        self.length.store((used + needed) as u64, Relaxed);
    }

    /// They were written.
    pub fn clear(&self) {
        self.length.store(0, Relaxed);
    }

    /// What lies there.
    pub fn lines(&self) -> Vec<u8> {
        let words = &self.text[..self.length()];
        let bytes = words.iter().flat_map(|word| word.load(Relaxed).to_ne_bytes());
        bytes.filter(|byte| *byte != 0).collect()
    }

    /// In words.
    fn length(&self) -> usize {
        usize::try_from(self.length.load(Relaxed)).unwrap_or(0).min(self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scoreboard;
    use super::*;
    use crate::id::Slot;

    #[test]
    fn what_was_added_is_there_until_it_was_written() {
        let board = Scoreboard::create(1).unwrap();
        let pad = board.slot(Slot(2)).pad();
        for line in ["one\n", "three and more\n", "x\n"] {
            pad.add(line.as_bytes());
        }
        assert_eq!(board.slot(Slot(2)).pad().lines(), b"one\nthree and more\nx\n");
        assert!(board.slot(Slot(1)).pad().lines().is_empty() && board.slot(Slot(3)).pad().lines().is_empty());
        pad.add(&[b'y'; TEXT * 8]);
        assert_eq!(pad.lines().len(), 21, "no room");
        pad.add(b"12345678");
        assert!(pad.lines().ends_with(b"x\n12345678"));
        pad.clear();
        assert!(pad.lines().is_empty());
        pad.add(b"again\n");
        board.vacate(Slot(2));
        assert!(pad.lines().is_empty());
    }
}
