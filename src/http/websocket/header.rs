//! The header of a frame (RFC 6455, 5.2): gathered however it is cut, checked as soon as its bytes are there, written.
//!
//! | rule                                                              | RFC            | where     |
//! |-------------------------------------------------------------------|----------------|-----------|
//! | reserved bits are nought, but RSV1 of a message that is compressed| 5.2; 7692, 6   | `Start`   |
//! | reserved opcodes are refused                                      | 5.2            | `Start`   |
//! | clients mask                                                      | 5.1            | `Start`   |
//! | control frames are not fragmented, and at most 125 bytes long     | 5.5            | `Start`   |
//! | a continuation continues something, a message begins after another| 5.4            | `Context` |
//! | a length has no more bytes than it needs, and 63 bits             | 5.2            | `Gathered`|

use super::close::{LONGEST_CONTROL, Violation};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte & 0x0f {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    pub(crate) fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// Set in the first byte of a message's last frame.
const FIN: u8 = 0x80;
/// Set in the first byte of a compressed message (RFC 7692, 6).
const RSV1: u8 = 0x40;
const RSV2_3: u8 = 0x30;
/// Set in the second byte where a mask follows.
const MASKED: u8 = 0x80;

/// The longest header: two bytes, a length, a mask.
const LONGEST: usize = 14;

/// What a frame may be, where it comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// Was compression agreed on?
    pub(crate) compression: bool,
    /// Is a message under way?
    pub(crate) message: bool,
}

/// The header of a client's frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) opcode: Opcode,
    pub(crate) last: bool,
    pub(crate) compressed: bool,
    pub(crate) mask: [u8; 4],
    pub(crate) length: u64,
}

/// What has come of a header.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    bytes: [u8; LONGEST],
    have: usize,
}

impl Gathered {
    /// Takes the bytes of a header off `input`: the header once it is whole.
    pub(crate) fn take(&mut self, input: &mut &[u8], context: Context) -> Result<Option<Header>, Violation> {
        if self.have < 2 {
            if !self.fill(2, input) {
                return Ok(None);
            }
            check_start([self.bytes[0], self.bytes[1]], context)?;
        }
        if !self.fill(self.whole_length(), input) {
            return Ok(None);
        }
        self.have = 0;
        self.parse().map(Some)
    }

    /// True once there are as many bytes as wanted.
    fn fill(&mut self, wanted: usize, input: &mut &[u8]) -> bool {
        let (piece, rest) = input.split_at((wanted - self.have).min(input.len()));
        self.bytes[self.have..self.have + piece.len()].copy_from_slice(piece);
        *input = rest;
        self.have += piece.len();
        self.have == wanted
    }

    /// How long the header is that begins with these two bytes.
    fn whole_length(&self) -> usize {
        2 + 4
            + match self.bytes[1] & !MASKED {
                126 => 2,
                127 => 8,
                _ => 0,
            }
    }

    fn parse(&self) -> Result<Header, Violation> {
        let [first, second, rest @ ..] = self.bytes;
        let (length, least, mask_at) = match second & !MASKED {
            126 => (u64::from(u16::from_be_bytes([rest[0], rest[1]])), 126, 2),
            127 => (u64::from_be_bytes(std::array::from_fn(|index| rest[index])), 0x1_0000, 8),
            short => (u64::from(short), 0, 0),
        };
        if length < least {
            return Err(Violation::protocol("the length of a frame has more bytes than it needs"));
        }
        if length > i64::MAX as u64 {
            return Err(Violation::protocol("the length of a frame has more than 63 bits"));
        }
        let opcode = Opcode::of(first).ok_or(RESERVED_OPCODE)?;
        let mask = std::array::from_fn(|index| rest[mask_at + index]);
        Ok(Header { opcode, last: first & FIN != 0, compressed: first & RSV1 != 0, mask, length })
    }
}

const RESERVED_OPCODE: Violation = Violation::protocol("a frame has a reserved opcode");

/// What the first two bytes tell already.
fn check_start([first, second]: [u8; 2], context: Context) -> Result<(), Violation> {
    let refuse = |why| Err(Violation::protocol(why));
    if first & RSV2_3 != 0 || (first & RSV1 != 0 && !context.compression) {
        return refuse("a frame has a reserved bit set");
    }
    let opcode = Opcode::of(first).ok_or(RESERVED_OPCODE)?;
    match opcode {
        _ if first & RSV1 != 0 && !matches!(opcode, Opcode::Text | Opcode::Binary) => {
            refuse("a frame that begins no message says that it is compressed")
        }
        _ if opcode.is_control() && first & FIN == 0 => refuse("a control frame is fragmented"),
        _ if opcode.is_control() && usize::from(second & !MASKED) > LONGEST_CONTROL => {
            refuse("a control frame is longer than 125 bytes")
        }
        Opcode::Continuation if !context.message => refuse("a frame continues a message that was not begun"),
        Opcode::Text | Opcode::Binary if context.message => {
            refuse("a message begins before the one before it has ended")
        }
        _ if second & MASKED == 0 => refuse("a frame of the client is not masked"),
        _ => Ok(()),
    }
}

/// Writes the header of a frame of ours, which is a whole message.
pub(crate) fn write(opcode: Opcode, compressed: bool, length: usize, out: &mut Vec<u8>) {
    out.push(FIN | if compressed { RSV1 } else { 0 } | opcode as u8);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..126), _) => out.push(short),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}
