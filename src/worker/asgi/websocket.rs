//! A websocket as ASGI has it. Bytes become events as they come, up to a limit: a client that talks more than the
//! application listens is held up.
//!
//! | stage   | `receive` gives                | `send` takes                                                     |
//! |---------|--------------------------------|------------------------------------------------------------------|
//! | offered | `websocket.connect`            | `websocket.accept`, `websocket.close` (403), a response instead   |
//! | open    | messages, then the disconnect  | messages, `websocket.close`                                      |
//! | refused | the disconnect                 | the rest of that response                                        |

use http::websocket::{Config, Event, Offer, Session};
use http::{Inflow, Piece, session_clock};
use std::collections::VecDeque;
use std::sync::Arc;

/// While so many messages wait for the application, the client has to.
const MESSAGES: usize = 32;
/// The same, in bytes.
const BYTES: usize = 64 * 1024;
/// What is taken of the connection at a time.
const MOST: usize = 64 * 1024;
/// When an application that is held up is looked at again, in milliseconds.
const LATER: u64 = 1000;

/// What is heard of the client.
pub(super) enum Heard {
    Connect,
    Text(String),
    Binary(Vec<u8>),
    /// It is over, with this code and reason.
    Disconnect(u16, String),
}

impl Heard {
    fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Connect | Self::Disconnect(..) => 0,
        }
    }
}

/// How far it has come.
pub(super) enum Stage {
    /// The application has not answered.
    Offered(Offer),
    Open(Box<Open>),
    /// The application has answered with an ordinary response.
    Refused,
}

/// A websocket that was accepted.
pub(super) struct Open {
    pub(super) session: Session,
    inflow: Arc<Inflow>,
    /// Bytes that were taken and not understood yet, from `used` on.
    input: Vec<u8>,
    used: usize,
}

/// A websocket.
pub(super) struct Websocket {
    pub(super) stage: Stage,
    heard: VecDeque<Heard>,
    waiting: usize,
    /// What the application has heard last, if that was the end.
    ended: Option<(u16, String)>,
}

impl Websocket {
    pub(super) fn new(offer: Offer) -> Self {
        let heard = VecDeque::from([Heard::Connect]);
        Self { stage: Stage::Offered(offer), heard, waiting: 0, ended: None }
    }

    pub(super) fn open(&mut self, session: Session, inflow: Arc<Inflow>) {
        self.stage = Stage::Open(Box::new(Open { session, inflow, input: Vec::new(), used: 0 }));
    }

    /// The next event for the application; the last one again and again.
    pub(super) fn next(&mut self) -> Option<Heard> {
        let heard = self
            .heard
            .pop_front()
            .or_else(|| self.ended.clone().map(|(code, reason)| Heard::Disconnect(code, reason)))?;
        self.waiting -= heard.length();
        if let Heard::Disconnect(code, reason) = &heard {
            self.ended = Some((*code, reason.clone()));
        }
        Some(heard)
    }

    fn hear(&mut self, heard: Heard) {
        self.waiting += heard.length();
        self.heard.push_back(heard);
    }

    fn is_held_up(&self) -> bool {
        self.heard.len() >= MESSAGES || self.waiting >= BYTES
    }

    /// Understands what has come. What is to be said to that is written to `out`; no more is heard before it is sent.
    pub(super) fn listen(&mut self, out: &mut Vec<u8>) {
        while !self.is_held_up() && out.is_empty() {
            let Stage::Open(open) = &mut self.stage else { return };
            match open.listen(out) {
                Some(heard) => self.hear(heard),
                None => return,
            }
        }
    }

    /// The client has gone, or has its response.
    pub(super) fn lose(&mut self) {
        let knows =
            self.ended.is_some() || self.heard.iter().any(|heard| matches!(heard, Heard::Disconnect(..)));
        let event = match &mut self.stage {
            Stage::Open(open) => open.session.lost().map(heard),
            Stage::Offered(_) | Stage::Refused if knows => None,
            Stage::Offered(_) | Stage::Refused => Some(Heard::Disconnect(1006, String::new())),
        };
        event.into_iter().for_each(|event| self.hear(event));
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, out: &mut Vec<u8>) {
        // A client that is held up cannot be heard.
        if self.is_held_up() {
            return;
        }
        let Stage::Open(open) = &mut self.stage else { return };
        let event = open.session.tick(session_clock(), out).map(heard);
        event.into_iter().for_each(|event| self.hear(event));
    }

    /// In how many milliseconds something is due.
    pub(super) fn due(&self) -> Option<u64> {
        let Stage::Open(open) = &self.stage else { return None };
        let deadline = Some(open.session.deadline()).filter(|at| *at != 0)?;
        let due = deadline.saturating_sub(session_clock());
        Some(if self.is_held_up() { due.max(LATER) } else { due })
    }

    /// Does the application have to answer yet?
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.stage, Stage::Offered(_))
    }

    /// Was it open, and is everything said?
    pub(super) fn is_over(&self) -> bool {
        matches!(&self.stage, Stage::Open(open) if open.session.is_over())
    }

    /// Closes it because the worker leaves.
    pub(super) fn drain(&mut self, out: &mut Vec<u8>) {
        if let Stage::Open(open) = &mut self.stage {
            open.session.drain(session_clock(), out);
        }
    }
}

impl Open {
    /// The next event; `None` when more has to come first, or what is in `out` has to go.
    fn listen(&mut self, out: &mut Vec<u8>) -> Option<Heard> {
        loop {
            let mut rest = &self.input[self.used..];
            let before = rest.len();
            let event = self.session.receive(&mut rest, out).map(heard);
            self.used += before - rest.len();
            if event.is_some() || self.session.is_over() || !out.is_empty() {
                return event;
            }
            self.used = 0;
            match self.inflow.take(MOST) {
                Ok(Piece::Bytes(bytes)) => self.input = bytes,
                Ok(Piece::Pending) => {
                    self.input = Vec::new();
                    return None;
                }
                Ok(Piece::End) | Err(_) => {
                    self.input = Vec::new();
                    return self.session.lost().map(heard);
                }
            }
        }
    }
}

fn heard(event: Event<'_>) -> Heard {
    match event {
        Event::Text(text) => Heard::Text(text.to_owned()),
        Event::Binary(bytes) => Heard::Binary(bytes.to_owned()),
        Event::Ended(ended) => Heard::Disconnect(ended.code, ended.reason),
    }
}

/// The settings, in the words of the protocol.
pub(super) fn config(settings: &contract::settings::WebsocketSettings) -> Config {
    let message_limit = match settings.message {
        0 => usize::MAX,
        bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
    };
    Config {
        message_limit,
        compression: settings.compression,
        ping_interval: settings.ping_interval,
        ping_timeout: settings.ping_timeout,
        ..Config::default()
    }
}
