//! The client's side of a websocket, in the plainest way: frames written and read, and a second reading of all that
//! a client sends, whole messages at a time.

use super::inflate::{Verdict, inflate};

/// A frame: its first byte, and its payload without a mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// As a client sends it.
    pub(crate) fn masked(&self, key: [u8; 4]) -> Vec<u8> {
        let mut bytes = vec![self.first];
        match self.payload.len() {
            length @ ..126 => bytes.push(0x80 | length as u8),
            length @ ..0x1_0000 => {
                bytes.push(0x80 | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(0x80 | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(key);
        bytes.extend(self.payload.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]));
        bytes
    }

    /// Reads a frame of the server, which is whole and not masked.
    pub(crate) fn read(bytes: &mut &[u8]) -> Self {
        let (head, rest) = bytes.split_first_chunk::<2>().unwrap();
        let (extended, least) =
            [(0, 0), (2, 126), (8, 0x1_0000)][usize::from(head[1].saturating_sub(125)).min(2)];
        let length = rest[..extended].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let length = if extended == 0 { usize::from(head[1]) } else { length };
        assert!(head[1] < 128, "a server does not mask");
        assert!(length >= least, "a length has more bytes than it needs");
        let (payload, rest) = rest[extended..].split_at(length);
        *bytes = rest;
        Self { first: head[0], payload: payload.to_vec() }
    }
}

/// What an application hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    /// With 1005 where it was empty.
    Close(u16),
    /// A fault, and the code that tells the client.
    Fault(u16),
}

/// What both sides know of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) compression: bool,
    pub(crate) takeover: bool,
    /// The window of the client.
    pub(crate) bits: u8,
    pub(crate) limit: usize,
}

/// Everything that `bytes` say, up to a Close or a fault.
pub(crate) fn read(bytes: &[u8], terms: Terms) -> Vec<Heard> {
    let mut reading = Reading { rest: bytes, terms, history: Vec::new(), message: None, heard: Vec::new() };
    while let Some(more) = reading.frame() {
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(code) => {
                reading.heard.push(Heard::Fault(code));
                break;
            }
        }
    }
    reading.heard
}

fn close_code(payload: &[u8]) -> Result<u16, u16> {
    let [high, low, reason @ ..] = payload else {
        return if payload.is_empty() { Ok(1005) } else { Err(1002) };
    };
    let code = u16::from(*high) << 8 | u16::from(*low);
    match code {
        1004..=1006 | 1015 => Err(1002),
        1000..=1014 | 3000..=4999 if std::str::from_utf8(reason).is_ok() => Ok(code),
        1000..=1014 | 3000..=4999 => Err(1007),
        _ => Err(1002),
    }
}

struct Message {
    is_text: bool,
    compressed: bool,
    bytes: Vec<u8>,
    announced: u128,
}

struct Reading<'b> {
    rest: &'b [u8],
    terms: Terms,
    /// All that was ever inflated.
    history: Vec<u8>,
    message: Option<Message>,
    heard: Vec<Heard>,
}

impl Reading<'_> {
    /// One frame: whether there may be another one, or the code of a fault. `None`: there is no whole header.
    fn frame(&mut self) -> Option<Result<bool, u16>> {
        let head = self.rest.split_first_chunk::<2>()?.0;
        let (first, second) = (head[0], head[1]);
        if let Err(code) = self.check(first, second) {
            return Some(Err(code));
        }
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let (length, rest) = self.rest[2..].split_at_checked(extended)?;
        let (key, rest) = rest.split_first_chunk::<4>()?;
        let number = length.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let number = if extended == 0 { u64::from(second & 0x7f) } else { number };
        if extended == 2 && number < 126 || extended == 8 && !(0x1_0000..1 << 63).contains(&number) {
            return Some(Err(1002));
        }
        let whole = usize::try_from(number).ok().filter(|number| *number <= rest.len());
        let (masked, rest) = rest.split_at(whole.unwrap_or(rest.len()));
        self.rest = rest;
        let payload = masked.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]).collect();
        Some(self.take(first, number, payload, whole.is_some()))
    }

    fn check(&self, first: u8, second: u8) -> Result<(), u16> {
        let opcode = first & 15;
        let is_control = opcode >= 8;
        let begins = opcode == 1 || opcode == 2;
        let right = first & 0x30 == 0
            && (first & 0x40 == 0 || self.terms.compression && begins)
            && matches!(opcode, 0 | 1 | 2 | 8 | 9 | 10)
            && (!is_control || first & 0x80 != 0 && second & 0x7f <= 125)
            && (opcode != 0 || self.message.is_some())
            && (!begins || self.message.is_none())
            && second & 0x80 != 0;
        if right { Ok(()) } else { Err(1002) }
    }

    fn take(&mut self, first: u8, length: u64, payload: Vec<u8>, whole: bool) -> Result<bool, u16> {
        match first & 15 {
            _ if first & 8 != 0 && !whole => return Ok(false),
            8 => {
                self.heard.push(Heard::Close(close_code(&payload)?));
                return Ok(false);
            }
            9 => self.heard.push(Heard::Ping(payload)),
            10 => self.heard.push(Heard::Pong),
            opcode => {
                let message = self.message.get_or_insert_with(|| Message {
                    is_text: opcode == 1,
                    compressed: first & 0x40 != 0,
                    bytes: Vec::new(),
                    announced: 0,
                });
                message.announced += u128::from(length);
                let limit = self.terms.limit;
                let most = limit + if message.compressed { limit / 8 + 64 } else { 0 };
                if message.announced > most as u128 {
                    return Err(1009);
                }
                message.bytes.extend(payload);
                self.judge(whole && first & 0x80 != 0)?;
            }
        }
        Ok(whole)
    }

    /// What there is of the message, read from its beginning.
    fn judge(&mut self, whole: bool) -> Result<(), u16> {
        let Some(message) = &self.message else { return Ok(()) };
        let limit = self.terms.limit;
        let (said, verdict) = if message.compressed && !message.bytes.is_empty() {
            let window = if self.terms.takeover { 1 << self.terms.bits } else { 0 };
            let window = &self.history[self.history.len().saturating_sub(window)..];
            let tail: &[u8] = if whole { &[0, 0, 0xff, 0xff] } else { &[] };
            inflate(window, &[&message.bytes, tail].concat(), 1 << 15, limit)
        } else {
            (message.bytes.clone(), Verdict::BetweenBlocks)
        };
        if message.is_text {
            match std::str::from_utf8(&said[..said.len().min(limit)]) {
                Err(fault) if fault.error_len().is_some() => return Err(1007),
                Err(_) if whole && verdict == Verdict::BetweenBlocks => return Err(1007),
                _ => {}
            }
        }
        match verdict {
            Verdict::Enough => return Err(1009),
            Verdict::Corrupt => return Err(1007),
            Verdict::WithinBlock if whole => return Err(1007),
            _ => {}
        }
        if whole {
            if message.compressed {
                self.history.extend(&said);
            }
            self.heard.push(match String::from_utf8(said) {
                Ok(text) if message.is_text => Heard::Text(text),
                Ok(text) => Heard::Binary(text.into_bytes()),
                Err(bytes) => Heard::Binary(bytes.into_bytes()),
            });
            self.message = None;
        }
        Ok(())
    }
}
