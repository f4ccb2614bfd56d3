//! Target `spoken`: whatever an application says, the client hears that.
//!
//! - Each message is one frame, neither masked nor longer than it need be; what is compressed refers to no more than
//!   the window that the client has agreed to.
//! - Two websockets that take turns, and share their thread's compressors, do not notice each other.
//! - What the client sends back, masked, and compressed as it came, is heard as it was said.
//!
//! The messages are separated by 0x1f. The first byte of each says how often it is repeated, which websocket says it,
//! and whether it is text.

use super::inflate::{Verdict, inflate};
use super::wire::Frame;
use super::{shown, split};
use crate::websocket::negotiate::choose;
use crate::websocket::{Config, Event, Session};

/// Tries `data`.
pub fn spoken(data: &[u8]) {
    let Some((choice, seed, script)) = split(data) else { return };
    let mut ends = [End::new(choice, seed), End::new(choice >> 4, seed)];
    for part in script.split(|byte| *byte == 0x1f) {
        let Some((what, text)) = part.split_first() else { continue };
        let message = text.repeat(usize::from(what & 31) + 1);
        ends[usize::from(what >> 5 & 1)].say(&message, what & 64 != 0);
    }
}

/// A websocket, and what its client knows.
struct End {
    session: Session,
    bits: u32,
    takeover: bool,
    heard: Vec<u8>,
    key: [u8; 4],
}

impl End {
    fn new(choice: u8, seed: u8) -> Self {
        let (bits, takeover) = (9 + u32::from(choice & 3), choice & 4 == 0);
        let extra = if takeover { "" } else { "; server_no_context_takeover; client_no_context_takeover" };
        let offer = format!("permessage-deflate; server_max_window_bits={bits}{extra}");
        let agreement = choose([offer.as_bytes()].into_iter()).unwrap().filter(|_| choice & 8 == 0);
        let config = Config { ping_interval: 0, message_limit: 0, ..Config::default() };
        let session = Session::open(agreement, &config, 0);
        Self { session, bits, takeover, heard: Vec::new(), key: [seed, 7, 0, 255] }
    }

    fn say(&mut self, message: &[u8], as_text: bool) {
        let mut out = Vec::new();
        let text = std::str::from_utf8(message).ok().filter(|_| as_text);
        match text {
            Some(text) => self.session.send_text(text, &mut out).unwrap(),
            None => self.session.send_binary(message, &mut out).unwrap(),
        }
        let mut rest = &out[..];
        let frame = Frame::read(&mut rest);
        assert!(rest.is_empty(), "one message, one frame");
        let opcode = if text.is_some() { 1 } else { 2 };
        assert_eq!(frame.first & !0x40, 0x80 | opcode);
        assert!(frame.payload.len() <= message.len(), "it has become longer");
        let compressed = frame.first & 0x40 != 0;
        let said = if compressed { self.inflate(&frame.payload) } else { frame.payload.clone() };
        assert!(said == message, "{} became {}", shown(message), shown(&said));
        self.answer(&frame, text, message);
    }

    fn inflate(&mut self, packed: &[u8]) -> Vec<u8> {
        let window = if self.takeover { 1 << self.bits } else { 0 };
        let window = &self.heard[self.heard.len().saturating_sub(window)..];
        let whole = [packed, &[0, 0, 0xff, 0xff]].concat();
        let (said, verdict) = inflate(window, &whole, 1 << self.bits, usize::MAX);
        assert_eq!(verdict, Verdict::BetweenBlocks, "{}", shown(packed));
        self.heard.extend(&said);
        said
    }

    fn answer(&mut self, frame: &Frame, text: Option<&str>, message: &[u8]) {
        let (bytes, mut out) = (frame.masked(self.key), Vec::new());
        let mut input = &bytes[..];
        match self.session.receive(&mut input, &mut out) {
            Some(Event::Text(heard)) => assert_eq!(Some(heard), text),
            Some(Event::Binary(heard)) => assert!(text.is_none() && heard == message),
            other => panic!("{other:?}: {}", shown(message)),
        }
        assert_eq!(self.session.receive(&mut input, &mut out), None);
        assert!(out.is_empty(), "nothing to answer");
    }
}
