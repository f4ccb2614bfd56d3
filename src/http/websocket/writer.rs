//! Our frames: each is a whole message, not masked (RFC 6455, 5.1), compressed where that was agreed on and pays.

use super::deflate::Deflation;
use super::header::{self, Opcode};

/// What is shorter goes uncompressed: the packet around it is as long.
const WORTH_IT: usize = 128;

/// The writing half of a connection.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    deflation: Option<Deflation>,
}

impl Writer {
    pub(crate) fn new(deflation: Option<Deflation>) -> Self {
        Self { deflation }
    }

    /// Writes a message of the application.
    pub(crate) fn message(&mut self, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
        match self.deflation.as_mut().filter(|_| payload.len() >= WORTH_IT) {
            Some(deflation) => deflation.compress(payload, |packed| {
                frame(opcode, packed.is_some(), packed.unwrap_or(payload), out);
            }),
            None => frame(opcode, false, payload, out),
        }
    }

    /// Writes a control frame, whose payload is known to be short.
    pub(crate) fn control(&self, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
        frame(opcode, false, payload, out);
    }
}

fn frame(opcode: Opcode, compressed: bool, payload: &[u8], out: &mut Vec<u8>) {
    header::write(opcode, compressed, payload.len(), out);
    out.extend_from_slice(payload);
}
