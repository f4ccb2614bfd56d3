//! Target `frames`: whatever arrives on an open websocket.
//!
//! - Pieces do not matter: the same is heard, and the same answered.
//! - It is what a plain reading of the whole (`wire`) makes of it, limits and codes included, and faults are told as
//!   soon as they are there.
//! - Our answers are frames: a Pong for each Ping with its payload, one Close at the end, and nothing behind it.

use super::feed::cuts;
use super::wire::{Frame, Heard, Terms, read};
use super::{shown, split};
use crate::websocket::negotiate::choose;
use crate::websocket::{Config, Event, Session};

/// Tries `data`.
pub fn frames(data: &[u8]) {
    let Some((choice, seed, stream)) = split(data) else { return };
    check(stream, seed, terms(choice));
}

/// Limits small enough to be met, and all kinds of compression.
pub(super) fn terms(choice: u8) -> Terms {
    Terms {
        compression: choice & 1 != 0,
        takeover: choice & 2 != 0,
        bits: if choice & 4 != 0 { 9 } else { 15 },
        limit: [1 << 20, 9, 100, 5000][usize::from(choice >> 3 & 3)],
    }
}

/// Feeds a stream in several ways, and compares with the plain reading.
pub(super) fn check(stream: &[u8], seed: u8, terms: Terms) {
    let expected = expected(read(stream, terms));
    for ends in [vec![stream.len()], (1..=stream.len()).collect(), cuts(stream.len(), seed)] {
        let story = feed(stream, &ends, terms);
        assert_eq!(story, expected, "in {} pieces, {terms:?}: {}", ends.len(), shown(stream));
    }
}

/// What is heard, how it ends, and what is answered.
#[derive(Debug, Default, PartialEq, Eq)]
struct Story {
    heard: Vec<Heard>,
    ended: Option<u16>,
    answers: Vec<Frame>,
}

fn expected(read: Vec<Heard>) -> Story {
    let mut story = Story::default();
    for heard in read {
        match heard {
            Heard::Text(_) | Heard::Binary(_) => story.heard.push(heard),
            Heard::Ping(payload) => story.answers.push(Frame { first: 0x8a, payload }),
            Heard::Pong => {}
            Heard::Close(code) | Heard::Fault(code) => {
                let payload = if code == 1005 { Vec::new() } else { code.to_be_bytes().to_vec() };
                story.ended = Some(code);
                story.answers.push(Frame { first: 0x88, payload });
            }
        }
    }
    story
}

fn feed(stream: &[u8], ends: &[usize], terms: Terms) -> Story {
    let mut session = open(terms);
    let (mut story, mut out, mut start) = (Story::default(), Vec::new(), 0);
    for end in ends {
        let mut input = &stream[start..*end];
        while let Some(event) = session.receive(&mut input, &mut out) {
            assert_eq!(story.ended, None, "nothing follows the end");
            match event {
                Event::Text(text) => story.heard.push(Heard::Text(text.to_owned())),
                Event::Binary(bytes) => story.heard.push(Heard::Binary(bytes.to_vec())),
                Event::Ended(ended) => story.ended = Some(ended.code),
            }
        }
        assert!(input.is_empty(), "what is not taken is lost");
        start = *end;
    }
    assert_eq!(session.is_over(), story.ended.is_some());
    let mut rest = &out[..];
    while !rest.is_empty() {
        let mut frame = Frame::read(&mut rest);
        if frame.first == 0x88 {
            // The reason of a fault is for people.
            frame.payload.truncate(2);
        }
        story.answers.push(frame);
    }
    story
}

/// A websocket on these terms.
pub(super) fn open(terms: Terms) -> Session {
    let config = Config { message_limit: terms.limit, ping_interval: 0, ..Config::default() };
    let bits =
        if terms.bits == 15 { String::new() } else { format!("; client_max_window_bits={}", terms.bits) };
    let takeover = if terms.takeover { "" } else { "; client_no_context_takeover" };
    let offer = format!("permessage-deflate{bits}{takeover}");
    let agreement = choose([offer.as_bytes()].into_iter()).unwrap().filter(|_| terms.compression);
    Session::open(agreement, &config, 0)
}
