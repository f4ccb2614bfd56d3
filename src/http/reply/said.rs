//! How far an answer has come, and what the books will say of it.

use super::HIGH_WATER;
use crate::away::Inflow;
use crate::response::{Asked, Framing, ResponseHead};
use std::any::Any;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use sys::last_word::{self, Waiting};

pub(super) const LATE: &str = "the application did not answer in time";
const GONE: &str = "the client went away";
pub(super) const FAILED: &str = "the application failed";
const SHORT: &str = "the response ended early";

/// How far a reply has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was said yet.
    Empty,
    /// There is a head, which can still be replaced.
    Begun,
    /// The head is on its way, the body follows.
    Body(Framing),
    /// It is whole.
    Whole,
    /// It will never be whole: the connection must not be used again.
    Broken,
}

/// What was said so far.
#[derive(Debug)]
pub(crate) struct Said {
    pub(super) asked: Asked,
    pub(super) write_timeout: u64,
    /// From then on it may wait in the kernel, where it is sent as a whole.
    pub(super) may_wait_from: Option<u64>,
    /// It does.
    pub(crate) waits: bool,
    /// Above so many bytes that wait for the client the application waits, too.
    pub(super) high_water: usize,
    pub(super) head: ResponseHead,
    pub(super) stage: Stage,
    /// The end of the body is the end of the connection.
    pub(super) to_the_end: bool,
    pub(super) gone: bool,
    pub(super) body_sent: u64,
    /// As long as nothing was written, somebody else may have to answer: `sys::last_word`.
    pub(super) waiting: Option<Waiting>,
    /// The body of the request, where it is still arriving.
    pub(super) inflow: Option<Arc<Inflow>>,
    /// Why it is not the application's answer, where we know.
    pub(super) why: Option<&'static str>,
    /// The process was stuck, and the signal handler has answered.
    pub(super) was_stuck: bool,
    /// The head as it was sent, where the books want it.
    pub(super) sent_head: Option<Vec<u8>>,
    /// What the application's side left for the books.
    pub(super) remark: Option<Remark>,
}

/// Something that the application's side leaves for whoever keeps the books; nobody else looks into it.
pub type Remark = Box<dyn Any + Send>;

impl Said {
    pub(crate) fn nothing(asked: Asked, write_timeout: u64) -> Self {
        Self {
            asked,
            write_timeout,
            may_wait_from: None,
            waits: false,
            high_water: HIGH_WATER,
            head: ResponseHead::default(),
            stage: Stage::Empty,
            to_the_end: false,
            gone: false,
            body_sent: 0,
            waiting: None,
            inflow: None,
            why: None,
            was_stuck: false,
            sent_head: None,
            remark: None,
        }
    }

    /// The books want to know what the head was.
    pub(crate) fn with_head_kept(mut self, is_wanted: bool) -> Self {
        self.sent_head = is_wanted.then(Vec::new);
        self
    }

    /// The body of the request arrives while it is answered.
    pub(crate) fn while_arriving(mut self, inflow: Option<Arc<Inflow>>) -> Self {
        self.inflow = inflow;
        self
    }

    /// Who answers has a thread to spare and waits until the client has taken each piece.
    pub(crate) fn wait_for_each_piece(&mut self) {
        self.high_water = 0;
    }

    /// Should this process get stuck before the first byte, the client on `socket` hears so.
    pub(crate) fn answered_if_stuck(&mut self, lane: usize, socket: BorrowedFd<'_>) {
        self.waiting = Some(Waiting::for_answer(lane, socket, self.asked.is_head));
    }

    /// It has ended, so nobody else is to answer.
    pub(crate) fn is_over(&mut self) {
        self.waiting = None;
    }

    /// Nobody will read what is still to be written: writing fails from now on.
    pub(crate) fn client_is_gone(&mut self) {
        self.gone = true;
    }

    /// It was us who closed the connection, as it took too long.
    pub(crate) fn was_given_up(&mut self) {
        (self.gone, self.why) = (false, Some(LATE));
    }

    /// True once the head is on its way and cannot be replaced.
    pub(crate) fn is_sent(&self) -> bool {
        !matches!(self.stage, Stage::Empty | Stage::Begun)
    }

    /// The status that was sent, or nought.
    pub(crate) fn status(&self) -> u16 {
        match self.was_stuck {
            true => last_word::STATUS,
            false if self.is_sent() => self.head.status,
            false => 0,
        }
    }

    /// Its head as it was sent, where the books want it.
    pub(crate) fn sent_head(&self) -> &[u8] {
        self.sent_head.as_deref().unwrap_or_default()
    }

    /// Why it is not the application's answer, or not all of it.
    pub(crate) fn why(&self) -> Option<&'static str> {
        match self.stage {
            _ if self.was_stuck => Some(LATE),
            Stage::Whole => self.why,
            _ if self.gone => Some(GONE),
            _ => Some(self.why.unwrap_or(SHORT)),
        }
    }

    /// What the application's side left for the books.
    pub(crate) fn remark(&self) -> Option<&(dyn Any + Send)> {
        self.remark.as_deref()
    }

    /// Bytes of the body that were sent or wait to be.
    pub(crate) fn body_sent(&self) -> u64 {
        if self.was_stuck && !self.asked.is_head { last_word::LENGTH } else { self.body_sent }
    }

    /// Is the answer whole?
    pub(crate) fn is_whole(&self) -> bool {
        self.stage == Stage::Whole
    }

    /// Is the answer broken off in a way that looks to the client as if it were whole?
    pub(crate) fn is_torn(&self) -> bool {
        self.stage == Stage::Broken && self.to_the_end && !self.gone
    }

    /// May another request follow on the connection?
    pub(crate) fn keeps_connection(&self) -> bool {
        self.is_whole() && self.asked.keep_alive && !self.head.close && !self.to_the_end
    }
}
