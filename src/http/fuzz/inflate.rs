//! Deflate read by the book (RFC 1951), bit by bit and all at once: the second opinion on what a compressed message
//! says. Slow, and without a line of the library that it judges.

/// How far a stream could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There are no bytes left, and no block has begun.
    BetweenBlocks,
    /// There are no bytes left, in the middle of a block.
    WithinBlock,
    /// What follows is no deflate stream.
    Corrupt,
    /// There is more than was asked for.
    Enough,
}

enum Stop {
    Starved,
    Corrupt,
    Enough,
}

/// Reads blocks until the bytes end, behind `window`, until there are more than `most` bytes. A last block does not end
/// anything: what follows begins at the next full byte (RFC 7692, 7.2.3.4).
pub(super) fn inflate(window: &[u8], compressed: &[u8], reach: usize, most: usize) -> (Vec<u8>, Verdict) {
    let mut blocks =
        Blocks { bytes: compressed, at: 0, made: window.to_vec(), start: window.len(), reach, most };
    let verdict = loop {
        let begun = blocks.at;
        match blocks.block() {
            Ok(true) => blocks.at = blocks.at.next_multiple_of(8),
            Ok(false) => {}
            Err(Stop::Starved) if begun == 8 * compressed.len() => break Verdict::BetweenBlocks,
            Err(Stop::Starved) => break Verdict::WithinBlock,
            Err(Stop::Corrupt) => break Verdict::Corrupt,
            Err(Stop::Enough) => break Verdict::Enough,
        }
    };
    (blocks.made.split_off(blocks.start), verdict)
}

struct Blocks<'b> {
    bytes: &'b [u8],
    /// In bits.
    at: usize,
    made: Vec<u8>,
    start: usize,
    /// No distance may be larger.
    reach: usize,
    most: usize,
}

/// How many codes there are of each length, and the symbols in their order.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

impl Blocks<'_> {
    fn bits(&mut self, count: usize) -> Result<usize, Stop> {
        if self.at + count > 8 * self.bytes.len() {
            return Err(Stop::Starved);
        }
        let bit = |at: usize| usize::from(self.bytes[at / 8] >> (at % 8) & 1);
        let value = (0..count.min(16)).map(|index| bit(self.at + index) << index).sum();
        self.at += count;
        Ok(value)
    }

    /// One block; true when it says that it is the last one.
    fn block(&mut self) -> Result<bool, Stop> {
        let is_last = self.bits(1)? == 1;
        match self.bits(2)? {
            0 => self.stored()?,
            1 => {
                let lengths: Vec<usize> = (0..288).map(fixed_length).collect();
                self.coded(&Code::of(&lengths)?, &Code::of(&[5; 30])?)?;
            }
            2 => {
                let (literals, distances) = self.codes()?;
                self.coded(&literals, &distances)?;
            }
            _ => return Err(Stop::Corrupt),
        }
        Ok(is_last)
    }

    fn stored(&mut self) -> Result<(), Stop> {
        self.at = self.at.next_multiple_of(8);
        let (length, complement) = (self.bits(16)?, self.bits(16)?);
        if length != !complement & 0xffff {
            return Err(Stop::Corrupt);
        }
        for _ in 0..length {
            let byte = self.bits(8)?;
            self.put(byte as u8)?;
        }
        Ok(())
    }

    fn put(&mut self, byte: u8) -> Result<(), Stop> {
        self.made.push(byte);
        if self.made.len() - self.start > self.most { Err(Stop::Enough) } else { Ok(()) }
    }

    fn coded(&mut self, literals: &Code, distances: &Code) -> Result<(), Stop> {
        loop {
            match self.symbol(literals)? {
                literal @ ..256 => self.put(literal as u8)?,
                256 => return Ok(()),
                symbol @ 257..286 => {
                    let (base, extra) = length_of(symbol);
                    let length = base + self.bits(extra)?;
                    let (base, extra) = distance_of(self.symbol(distances)?)?;
                    let distance = base + self.bits(extra)?;
                    self.copy(length, distance)?;
                }
                _ => return Err(Stop::Corrupt),
            }
        }
    }

    fn copy(&mut self, length: usize, distance: usize) -> Result<(), Stop> {
        if distance > self.made.len().min(self.reach) {
            return Err(Stop::Corrupt);
        }
        for _ in 0..length {
            self.put(self.made[self.made.len() - distance])?;
        }
        Ok(())
    }

    fn symbol(&mut self, code: &Code) -> Result<usize, Stop> {
        let (mut value, mut first, mut index) = (0, 0, 0);
        for count in &code.counts[1..] {
            value |= self.bits(1)?;
            if value < first + count {
                return Ok(code.symbols[index + value - first]);
            }
            index += count;
            if index == code.symbols.len() {
                break;
            }
            first = (first + count) << 1;
            value <<= 1;
        }
        Err(Stop::Corrupt)
    }

    /// The codes of a block that brings its own (3.2.7).
    fn codes(&mut self) -> Result<(Code, Code), Stop> {
        let (literals, distances, lengths) = (self.bits(5)? + 257, self.bits(5)? + 1, self.bits(4)? + 4);
        if literals > 286 || distances > 30 {
            return Err(Stop::Corrupt);
        }
        let mut of_lengths = [0; 19];
        for place in &ORDER[..lengths] {
            of_lengths[*place] = self.bits(3)?;
        }
        let code = Code::of(&of_lengths)?;
        if code.symbols.is_empty() {
            // zlib finds fault with what such a code says, and not before it is all there.
            self.bits(literals + distances)?;
        }
        if !code.is_complete() {
            return Err(Stop::Corrupt);
        }
        let mut all: Vec<usize> = Vec::new();
        while all.len() < literals + distances {
            let (length, times) = match self.symbol(&code)? {
                16 => {
                    let times = 3 + self.bits(2)?;
                    (*all.last().ok_or(Stop::Corrupt)?, times)
                }
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                length => (length, 1),
            };
            all.resize(all.len() + times, length);
        }
        if all.len() > literals + distances || all[256] == 0 {
            return Err(Stop::Corrupt);
        }
        let codes = (Code::of(&all[..literals])?, Code::of(&all[literals..])?);
        if codes.0.may_be_used() && codes.1.may_be_used() { Ok(codes) } else { Err(Stop::Corrupt) }
    }
}

impl Code {
    /// Over-subscribed ones are none.
    fn of(lengths: &[usize]) -> Result<Self, Stop> {
        let mut counts = [0; 16];
        for length in lengths.iter().filter(|length| **length > 0) {
            counts[*length] += 1;
        }
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|symbol| lengths[*symbol] > 0).collect();
        symbols.sort_by_key(|symbol| lengths[*symbol]);
        let code = Self { counts, symbols };
        if code.left() < 0 { Err(Stop::Corrupt) } else { Ok(code) }
    }

    /// How many of the longest codes are not given out.
    fn left(&self) -> i64 {
        self.counts[1..].iter().fold(1, |left, count| left * 2 - *count as i64)
    }

    fn is_complete(&self) -> bool {
        self.left() == 0
    }

    /// A single code of one bit is allowed to be incomplete, and none at all.
    fn may_be_used(&self) -> bool {
        self.is_complete() || self.symbols.len() == self.counts[1] && self.symbols.len() <= 1
    }
}

fn fixed_length(symbol: usize) -> usize {
    match symbol {
        144..256 => 9,
        256..280 => 7,
        _ => 8,
    }
}

/// The least length of a symbol and its extra bits (3.2.5).
fn length_of(symbol: usize) -> (usize, usize) {
    match symbol {
        ..265 => (symbol - 254, 0),
        285 => (258, 0),
        _ => {
            let (group, place) = ((symbol - 261) / 4, (symbol - 261) % 4);
            (((4 + place) << group) + 3, group)
        }
    }
}

fn distance_of(symbol: usize) -> Result<(usize, usize), Stop> {
    match symbol {
        ..4 => Ok((symbol + 1, 0)),
        4..30 => {
            let (group, place) = ((symbol - 2) / 2, symbol % 2);
            Ok((((2 + place) << group) + 1, group))
        }
        _ => Err(Stop::Corrupt),
    }
}
