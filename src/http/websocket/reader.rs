//! The bytes of a client become messages and control frames. However they are cut, the same comes out.
//!
//! | rule                                                            | RFC       |
//! |-----------------------------------------------------------------|-----------|
//! | the fragments of a message are one message                      | 6455, 5.4 |
//! | control frames come between them                                | 6455, 5.4 |
//! | text is UTF-8, which is said at the first byte that is not      | 6455, 8.1 |
//! | what is too large is refused before it is taken (1009)          | 6455, 10.4|
//!
//! A message in the making takes as much memory as has arrived of it, not as much as was announced.

use super::close::{LONGEST_CONTROL, Violation};
use super::header::{Context, Gathered, Header, Opcode};
use super::inflate::{Inflation, TOO_LARGE};
use super::mask::unmask;

/// The memory of a message that is kept for the next one.
const KEPT: usize = 1024;
const NOT_UTF_8: Violation = Violation::data("a text is not UTF-8");

/// What has become whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// See `Reader::text`.
    Text,
    /// See `Reader::bytes`.
    Binary,
    /// See `Reader::control`.
    Ping,
    Pong,
    /// See `Reader::control`.
    Close,
}

/// A frame whose payload arrives.
#[derive(Debug)]
struct Frame {
    header: Header,
    /// So many bytes of it are still to come.
    left: u64,
    /// So many have come, where the mask matters.
    position: usize,
}

/// A message that arrives in one or more frames.
#[derive(Debug)]
struct Message {
    is_text: bool,
    compressed: bool,
    /// So many bytes of it have come in frames.
    wire: u64,
    /// So much of it is known to be UTF-8.
    checked: usize,
}

/// The reading half of a connection.
pub(crate) struct Reader {
    limit: usize,
    inflation: Option<Inflation>,
    header: Gathered,
    frame: Option<Frame>,
    message: Option<Message>,
    bytes: Vec<u8>,
    control: Vec<u8>,
}

impl Reader {
    /// `limit` is that of a message; nought is none.
    pub(crate) fn new(limit: usize, inflation: Option<Inflation>) -> Self {
        let limit = if limit == 0 { usize::MAX - 1 } else { limit };
        let (header, bytes, control) = (Gathered::default(), Vec::new(), Vec::new());
        Self { limit, inflation, header, frame: None, message: None, bytes, control }
    }

    /// Takes bytes off `input` until something is whole, which stays here until the next call; `None` when all of them
    /// are taken.
    pub(crate) fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Said>, Violation> {
        self.forget_what_was_said();
        loop {
            if self.frame.is_none() && !self.begin_frame(input)? {
                return Ok(None);
            }
            match self.take_payload(input)? {
                Some(Header { opcode, last: true, .. }) => return Ok(Some(self.said(opcode))),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// The text that was said.
    pub(crate) fn text(&self) -> Result<&str, Violation> {
        std::str::from_utf8(&self.bytes).map_err(|_| NOT_UTF_8)
    }

    /// The bytes that were said.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The payload of the control frame.
    pub(crate) fn control(&self) -> &[u8] {
        &self.control
    }

    fn forget_what_was_said(&mut self) {
        if self.message.is_none() && !self.bytes.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
        if self.frame.is_none() && !self.control.is_empty() {
            self.control = Vec::new();
        }
    }

    /// False when its header is not whole.
    fn begin_frame(&mut self, input: &mut &[u8]) -> Result<bool, Violation> {
        let context = Context { compression: self.inflation.is_some(), message: self.message.is_some() };
        let Some(header) = self.header.take(input, context)? else { return Ok(false) };
        if !header.opcode.is_control() {
            self.begin_fragment(&header)?;
        }
        self.frame = Some(Frame { header, left: header.length, position: 0 });
        Ok(true)
    }

    fn begin_fragment(&mut self, header: &Header) -> Result<(), Violation> {
        let message = self.message.get_or_insert_with(|| Message {
            is_text: header.opcode == Opcode::Text,
            compressed: header.compressed,
            wire: 0,
            checked: 0,
        });
        if let Some(inflation) = self.inflation.as_mut().filter(|_| header.compressed) {
            inflation.begin();
        }
        // What cannot be compressed becomes a little longer.
        let limit = self.limit as u64;
        let most = if message.compressed { limit.saturating_add(limit / 8 + 64) } else { limit };
        message.wire = message.wire.saturating_add(header.length);
        if message.wire > most { Err(TOO_LARGE) } else { Ok(()) }
    }

    /// Takes what has come of the frame's payload: its header when that is all.
    fn take_payload(&mut self, input: &mut &[u8]) -> Result<Option<Header>, Violation> {
        let Some(frame) = &mut self.frame else { return Ok(None) };
        let header = frame.header;
        let count = usize::try_from(frame.left).map_or(input.len(), |left| left.min(input.len()));
        let (piece, rest) = input.split_at(count);
        let mask = (header.mask, frame.position);
        *input = rest;
        frame.left -= count as u64;
        frame.position = frame.position.wrapping_add(count);
        let is_whole = frame.left == 0;
        if is_whole {
            self.frame = None;
        }
        if header.opcode.is_control() {
            self.control.reserve_exact(LONGEST_CONTROL.min(header.length as usize) - self.control.len());
            append(&mut self.control, piece, mask);
        } else {
            self.take_data(piece, mask, is_whole && header.last)?;
        }
        Ok(is_whole.then_some(header))
    }

    fn take_data(&mut self, piece: &[u8], mask: ([u8; 4], usize), is_last: bool) -> Result<(), Violation> {
        let Some(message) = &mut self.message else { return Ok(()) };
        let bytes = &mut self.bytes;
        let inflated = match self.inflation.as_mut().filter(|_| message.compressed) {
            Some(inflation) => inflation.feed(piece, mask, bytes, self.limit).and_then(|()| match is_last {
                true => inflation.finish(bytes, self.limit),
                false => Ok(()),
            }),
            None => {
                append(bytes, piece, mask);
                Ok(())
            }
        };
        // The first fault counts, however much was inflated at a time. What is whole is checked by `text`.
        if message.is_text && (!is_last || inflated.is_err()) {
            message.check_text(&bytes[..bytes.len().min(self.limit)])?;
        }
        inflated
    }

    fn said(&mut self, opcode: Opcode) -> Said {
        match opcode {
            Opcode::Ping => Said::Ping,
            Opcode::Pong => Said::Pong,
            Opcode::Close => Said::Close,
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                let is_text = self.message.take().is_some_and(|message| message.is_text);
                if is_text { Said::Text } else { Said::Binary }
            }
        }
    }
}

impl Message {
    /// Checks what has come since the last time; a character may be cut.
    fn check_text(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        match std::str::from_utf8(&bytes[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(fault) if fault.error_len().is_some() => return Err(NOT_UTF_8),
            Err(fault) => self.checked += fault.valid_up_to(),
        }
        Ok(())
    }
}

fn append(bytes: &mut Vec<u8>, masked: &[u8], (key, position): ([u8; 4], usize)) {
    let start = bytes.len();
    bytes.extend_from_slice(masked);
    unmask(&mut bytes[start..], key, position);
}
