//! An open websocket: what is said, what is heard, and how it comes to an end. Owns neither socket nor clock.
//!
//! ```text
//! Open ── close, drain ──▶ Closing ── their Close, a fault, time ──▶ Over
//!   └───── their Close, a fault, silence after a ping, lost ──────────▶
//! ```
//!
//! | what happens                 | what is sent                  | the application hears                     |
//! |------------------------------|-------------------------------|-------------------------------------------|
//! | a Close of the client        | the same code, or none (5.5.1)| that code, 1005 where there was none      |
//! | a fault of the client        | 1002, 1007 or 1009            | the same                                  |
//! | no byte after a ping         | 1011                          | 1011                                      |
//! | `close`, `drain`             | its code, 1012                | that code, once the client has answered or|
//! |                              |                               | its time is up                            |
//! | the connection is gone       | nothing                       | 1006, or the code of our Close            |
//!
//! Behind our Close nothing is sent, and messages of the client are not delivered any more.

use super::Config;
use super::close::{self, BadClose, Violation};
use super::deflate::Deflation;
use super::header::Opcode;
use super::inflate::Inflation;
use super::negotiate::Agreement;
use super::reader::{Reader, Said};
use super::writer::Writer;

/// Nothing was heard after a ping.
const SILENCE: Violation = Violation { code: close::INTERNAL_ERROR, why: "keepalive ping timeout" };

/// What the application is told.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'s> {
    /// A message of text.
    Text(&'s str),
    /// A message of bytes.
    Binary(&'s [u8]),
    /// It is over. The last event, which comes once.
    Ended(Ended),
}

/// Why it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The code of the first Close, whoever sent it; 1006 when there was none.
    pub code: u16,
    /// The reason that came with it.
    pub reason: String,
}

/// A message cannot be sent: the websocket is closed or closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// An open websocket. Times are milliseconds of any clock that does not go back.
pub struct Session {
    reader: Reader,
    course: Course,
}

impl Session {
    /// A websocket that was opened at `now`, with the compression that was agreed on.
    pub(crate) fn open(compression: Option<Agreement>, config: &Config, now: u64) -> Self {
        let inflation = compression.map(|agreed| Inflation::new(agreed.their_bits(), agreed.client_takeover));
        let deflation = compression.map(|agreed| Deflation::new(agreed.our_bits(), agreed.server_takeover));
        let reader = Reader::new(config.message_limit, inflation);
        let (writer, state) = (Writer::new(deflation), State::Open);
        let mut course = Course { writer, state, config: *config, ping_at: 0, heard_by: 0 };
        course.schedule_ping(now);
        Self { reader, course }
    }

    /// Takes the next event off `input`; `None` once all of it is taken. What it has to answer is written to `out`.
    ///
    /// Until the answers have gone, read nothing more: a client that pings and does not read would fill the memory.
    pub fn receive(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Option<Event<'_>> {
        let Self { reader, course } = self;
        if !input.is_empty() {
            course.heard_by = 0;
        }
        while !course.is_over() {
            match reader.advance(input) {
                Ok(None) => return None,
                Ok(Some(Said::Ping)) => course.answer_ping(reader.control(), out),
                Ok(Some(Said::Pong)) => {}
                Ok(Some(Said::Close)) => return Some(course.end_by_client(reader.control(), out)),
                Ok(Some(_)) if !course.is_open() => {}
                Ok(Some(Said::Binary)) => return Some(Event::Binary(reader.bytes())),
                Ok(Some(Said::Text)) => {
                    return Some(match reader.text() {
                        Ok(text) => Event::Text(text),
                        Err(violation) => course.fail(violation, out),
                    });
                }
                Err(violation) => return Some(course.fail(violation, out)),
            }
        }
        *input = &[];
        None
    }

    /// Writes a message of text.
    pub fn send_text(&mut self, text: &str, out: &mut Vec<u8>) -> Result<(), Closed> {
        self.course.send(Opcode::Text, text.as_bytes(), out)
    }

    /// Writes a message of bytes.
    pub fn send_binary(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Closed> {
        self.course.send(Opcode::Binary, bytes, out)
    }

    /// Closes it for the application. 1005 says nothing; what is closed stays so.
    pub fn close(&mut self, code: u16, reason: &str, now: u64, out: &mut Vec<u8>) -> Result<(), BadClose> {
        let payload = close::payload(code, reason)?;
        if self.course.is_open() {
            self.course.writer.control(Opcode::Close, &payload, out);
            let ended = Ended { code, reason: reason.to_owned() };
            self.course.state = State::Closing { until: now + self.course.config.close_timeout, ended };
        }
        Ok(())
    }

    /// Closes it because the server leaves: the client may come again (1012).
    pub fn drain(&mut self, now: u64, out: &mut Vec<u8>) {
        let closed = self.close(close::RESTART, "service restart", now, out);
        debug_assert_eq!(closed, Ok(()));
    }

    /// The connection has ended or failed.
    pub fn lost(&mut self) -> Option<Event<'static>> {
        (!self.is_over()).then(|| self.course.lose())
    }

    /// Does what is due: a ping, or an end. To be called at `deadline`.
    pub fn tick(&mut self, now: u64, out: &mut Vec<u8>) -> Option<Event<'static>> {
        self.course.tick(now, out)
    }

    /// When `tick` is to be called; nought is never.
    pub fn deadline(&self) -> u64 {
        match self.course.state {
            State::Open if self.course.heard_by == 0 => self.course.ping_at,
            State::Open if self.course.ping_at == 0 => self.course.heard_by,
            State::Open => self.course.ping_at.min(self.course.heard_by),
            State::Closing { until, .. } => until,
            State::Over => 0,
        }
    }

    /// May messages be sent?
    pub fn is_open(&self) -> bool {
        self.course.is_open()
    }

    /// Nothing is left to do but to send what was written and to close the connection: the sending side first, and all
    /// of it when the client has done so or some time has passed, as its last bytes might make the kernel drop ours.
    pub fn is_over(&self) -> bool {
        self.course.is_over()
    }
}

#[derive(Debug)]
enum State {
    Open,
    /// We have sent a Close, and wait until then for the other one.
    Closing {
        until: u64,
        ended: Ended,
    },
    /// Both have, or there is nothing to wait for.
    Over,
}

/// All but the reading half.
struct Course {
    writer: Writer,
    state: State,
    config: Config,
    /// When the next ping is sent; nought for never.
    ping_at: u64,
    /// By when something must be heard; nought when no ping is unanswered.
    heard_by: u64,
}

impl Course {
    fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn send(&mut self, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Closed> {
        if !self.is_open() {
            return Err(Closed);
        }
        self.writer.message(opcode, payload, out);
        Ok(())
    }

    fn answer_ping(&self, payload: &[u8], out: &mut Vec<u8>) {
        if self.is_open() {
            self.writer.control(Opcode::Pong, payload, out);
        }
    }

    fn end_by_client(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Event<'static> {
        match close::read(payload) {
            Err(violation) => self.fail(violation, out),
            Ok((code, reason)) => {
                if self.is_open() {
                    // The code alone (5.5.1).
                    self.writer.control(Opcode::Close, &payload[..payload.len().min(2)], out);
                }
                Event::Ended(self.end(Ended { code, reason: reason.to_owned() }))
            }
        }
    }

    /// We do not go on, and say why.
    fn fail(&mut self, Violation { code, why }: Violation, out: &mut Vec<u8>) -> Event<'static> {
        if self.is_open() {
            let payload = [&code.to_be_bytes(), why.as_bytes()].concat();
            self.writer.control(Opcode::Close, &payload, out);
        }
        Event::Ended(self.end(Ended { code, reason: why.to_owned() }))
    }

    /// Nobody answers any more.
    fn lose(&mut self) -> Event<'static> {
        Event::Ended(self.end(Ended { code: close::ABNORMAL, reason: String::new() }))
    }

    /// It is over. What a Close of ours has said before counts more than what has happened since.
    fn end(&mut self, ended: Ended) -> Ended {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Closing { ended: ours, .. } => ours,
            State::Open | State::Over => ended,
        }
    }

    fn tick(&mut self, now: u64, out: &mut Vec<u8>) -> Option<Event<'static>> {
        let is_due = |at: u64| at != 0 && at <= now;
        match &self.state {
            State::Closing { until, .. } if is_due(*until) => Some(self.lose()),
            State::Open if is_due(self.heard_by) => Some(self.fail(SILENCE, out)),
            State::Open if is_due(self.ping_at) => {
                self.ping(now, out);
                None
            }
            _ => None,
        }
    }

    /// Any byte of the client is an answer: one that sends a large message cannot send a Pong within its frame.
    fn ping(&mut self, now: u64, out: &mut Vec<u8>) {
        self.writer.control(Opcode::Ping, &[], out);
        self.schedule_ping(now);
        if self.heard_by == 0 && self.config.ping_timeout != 0 {
            self.heard_by = now + self.config.ping_timeout;
        }
    }

    fn schedule_ping(&mut self, now: u64) {
        let interval = self.config.ping_interval;
        self.ping_at = if interval == 0 { 0 } else { now + interval };
    }
}
