//! Target `inflated`: compressed messages, whatever is in them.
//!
//! - What is inflated is what the reading by the book makes of it, one message behind the other, up to the limit.
//! - It does not matter how a message is cut into fragments, and those into pieces.
//!
//! The messages are separated by 0xff 0xfe 0xfd.

use super::feed::cuts;
use super::frames::{check, terms};
use super::split;
use super::wire::{Frame, Terms};

const SEPARATOR: [u8; 3] = [0xff, 0xfe, 0xfd];

/// Tries `data`.
pub fn inflated(data: &[u8]) {
    let Some((choice, seed, messages)) = split(data) else { return };
    let terms = Terms { compression: true, ..terms(choice) };
    let mut stream = Vec::new();
    let mut start = 0;
    let ends = memchr::memmem::find_iter(messages, &SEPARATOR).chain([messages.len()]);
    for (number, end) in ends.enumerate() {
        let message = messages.get(start..end).unwrap_or_default();
        let opcode = if choice & 0x20 == 0 { 2 } else { 1 };
        write(message, opcode, seed.wrapping_add(number as u8), &mut stream);
        start = end + SEPARATOR.len();
    }
    check(&stream, seed, terms);
}

/// A compressed message in fragments; half of the messages have just one.
fn write(message: &[u8], opcode: u8, seed: u8, stream: &mut Vec<u8>) {
    let ends = if seed & 1 == 0 { vec![message.len()] } else { cuts(message.len(), seed) };
    let mut start = 0;
    let last = ends.len().saturating_sub(1);
    for (index, end) in ends.iter().enumerate() {
        let first = if index == 0 { 0x40 | opcode } else { 0 } | if index == last { 0x80 } else { 0 };
        stream.extend(Frame { first, payload: message[start..*end].to_vec() }.masked([seed, 1, 2, 3]));
        start = *end;
    }
}
