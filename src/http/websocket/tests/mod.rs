//! A websocket without a socket, played with frames: what is heard and answered, as one log, whatever the pieces.

mod autobahn;
mod compression;
mod handshake;
mod life;
mod speed;

use super::negotiate;
use super::{Config, Event, Session};
pub(super) use crate::fuzz::wire::Frame;
use std::fmt::Write;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn frame(first: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame { first, payload: payload.as_ref().to_vec() }
}

fn text(payload: impl AsRef<[u8]>) -> Frame {
    frame(0x81, payload)
}

fn binary(payload: impl AsRef<[u8]>) -> Frame {
    frame(0x82, payload)
}

fn ping(payload: impl AsRef<[u8]>) -> Frame {
    frame(0x89, payload)
}

fn pong(payload: impl AsRef<[u8]>) -> Frame {
    frame(0x8a, payload)
}

fn close(code: u16, reason: impl AsRef<[u8]>) -> Frame {
    frame(0x88, [&code.to_be_bytes(), reason.as_ref()].concat())
}

/// The beginning of a text, part of it, and its end.
fn begin(payload: impl AsRef<[u8]>) -> Frame {
    frame(0x01, payload)
}

fn go_on(payload: impl AsRef<[u8]>) -> Frame {
    frame(0x00, payload)
}

fn end(payload: impl AsRef<[u8]>) -> Frame {
    frame(0x80, payload)
}

fn stream(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.masked(KEY)).collect()
}

/// Without pings: they have tests of their own.
fn quiet() -> Config {
    Config { ping_interval: 0, ..Config::default() }
}

fn open(offer: Option<&str>, config: &Config) -> Session {
    let agreement = offer.map(|offer| negotiate::choose([offer.as_bytes()].into_iter()).unwrap().unwrap());
    Session::open(agreement, config, 0)
}

/// What came of some bytes, in the order in which it came: `text:a binary:b pong:c close:1000`.
fn hear(session: &mut Session, mut input: &[u8]) -> String {
    let (mut log, mut out) = (String::new(), Vec::new());
    loop {
        let event = session.receive(&mut input, &mut out);
        let mut ended = None;
        let mut said = match event {
            Some(Event::Text(text)) => format!("text:{} ", shown(text.as_bytes())),
            Some(Event::Binary(bytes)) => format!("binary:{} ", shown(bytes)),
            Some(Event::Ended(why)) => {
                ended = Some(why.code);
                String::new()
            }
            None if out.is_empty() => return log,
            None => String::new(),
        };
        // Pongs were written before the message was whole.
        said.insert_str(0, &answers(&out, ended));
        out.clear();
        log += &said;
    }
}

fn answers(mut out: &[u8], ended: Option<u16>) -> String {
    let mut log = String::new();
    while !out.is_empty() {
        let Frame { first, payload } = Frame::read(&mut out);
        let _ = match first {
            0x8a => write!(log, "pong:{} ", shown(&payload)),
            0x88 => {
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                assert_eq!(ended, Some(code), "the application hears what the client is told");
                write!(log, "close:{code} ")
            }
            other => panic!("{other:#x} is no answer"),
        };
    }
    log
}

/// A payload, shortened to what tells it from others.
fn shown(bytes: &[u8]) -> String {
    match bytes.len() {
        ..=24 => bytes.escape_ascii().to_string(),
        length => format!("{}..{length}", bytes[..4].escape_ascii()),
    }
}

/// The log of a stream, which is the same in one piece, byte by byte, and in pieces of other lengths.
fn play(offer: Option<&str>, config: &Config, bytes: &[u8]) -> String {
    let whole = hear(&mut open(offer, config), bytes);
    for length in [1, 2, 3, 7, 100, 997, 4097] {
        let mut session = open(offer, config);
        let log: String = bytes.chunks(length).map(|piece| hear(&mut session, piece)).collect();
        assert_eq!(log, whole, "in pieces of {length}: {}", shown(bytes));
    }
    whole
}
