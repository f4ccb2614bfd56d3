//! The answer to one request: the application writes it, straight to the client's socket as long as that has room.

mod interim;
mod said;

pub use said::Remark;
pub(crate) use said::Said;
use said::{FAILED, LATE, Stage};

use crate::output::{FilePart, Output};
use crate::refusal::Refusal;
use crate::response::{BadHead, Framing, ResponseHead};
use crate::status::{reason, status_line};
use std::io::{self, IoSlice, Write};
use std::os::fd::BorrowedFd;
use sys::clock;
use sys::last_word::Waiting;
use sys::stream::Push;

/// More than this waiting for a slow client makes the application wait too.
pub(crate) const HIGH_WATER: usize = 64 * 1024;
/// Pieces up to this size are copied behind the head; larger ones are sent from where they lie.
const COPIED: usize = 8 * 1024;

/// What the client would have to ask for, where it asks for something else (RFC 9110, 15.5.22; RFC 6455, 4.4).
const WANTED_UPGRADE: &[u8] = b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n";

/// Whether the application may go on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It may.
    Ready,
    /// Much is waiting to be sent: `wait_for_room` first.
    Full,
}

/// The answer to one request.
#[derive(Debug)]
pub struct Reply<'a> {
    fd: BorrowedFd<'a>,
    output: &'a mut Output,
    /// The head, and small pieces behind it.
    buffer: &'a mut Vec<u8>,
    /// The fields that every response has.
    common: &'a [u8],
    said: &'a mut Said,
}

impl<'a> Reply<'a> {
    pub(crate) fn new(
        (fd, output): (BorrowedFd<'a>, &'a mut Output),
        buffer: &'a mut Vec<u8>,
        common: &'a [u8],
        said: &'a mut Said,
    ) -> Self {
        Self { fd, output, buffer, common, said }
    }

    /// From that moment on an answer that is sent as a whole may wait in the kernel, until somebody pushes it.
    pub(crate) fn may_wait_from(&mut self, moment: u64) {
        self.said.may_wait_from = Some(moment);
    }

    /// Does it?
    #[cfg(test)]
    pub(crate) fn waits(&self) -> bool {
        self.said.waits
    }

    /// Makes sure that there is somebody to answer, and that nobody else does. To be called before anything is written.
    fn claim(&mut self) -> io::Result<()> {
        self.said.was_stuck |= !self.said.waiting.take().is_none_or(Waiting::withdraw);
        if !self.said.gone && !self.said.was_stuck {
            return Ok(());
        }
        self.note(Err(io::ErrorKind::BrokenPipe.into()))
    }

    /// Begins the head, or begins it again as long as nothing of it was sent. `status` is `200 OK`.
    pub fn begin(&mut self, status: &[u8]) -> Result<(), BadHead> {
        if self.is_sent() {
            return Err(BadHead::sent_already());
        }
        self.said.stage = Stage::Empty;
        self.said.head = ResponseHead::begin(status, self.common, self.buffer)?;
        self.said.stage = Stage::Begun;
        Ok(())
    }

    /// Adds a field. What belongs to the connection is ours to say and is left out.
    pub fn header(&mut self, name: &[u8], value: &[u8]) -> Result<(), BadHead> {
        if self.is_sent() {
            return Err(BadHead::sent_already());
        }
        let result = self.said.head.field(name, value, self.buffer);
        if result.is_err() {
            self.said.stage = Stage::Empty;
        }
        result
    }

    /// True once there is a head.
    pub fn has_begun(&self) -> bool {
        self.said.stage != Stage::Empty
    }

    /// True once the head is on its way and cannot be replaced.
    pub fn is_sent(&self) -> bool {
        self.said.is_sent()
    }

    /// Is the answer whole?
    pub fn is_whole(&self) -> bool {
        self.said.is_whole()
    }

    /// The status that was sent, or nought.
    pub fn status(&self) -> u16 {
        self.said.status()
    }

    /// Bytes of the body that were sent or wait to be.
    pub fn body_sent(&self) -> u64 {
        self.said.body_sent()
    }

    /// True when nobody is there to read any more.
    pub fn client_gone(&self) -> bool {
        self.said.gone
    }

    /// Bytes that Content-Length promised and that were not written yet.
    pub fn missing(&self) -> Option<u64> {
        if let Stage::Body(Framing::Length(left)) = self.said.stage { Some(left) } else { None }
    }

    /// Writes a piece of the body; the first one takes the head along. After `last` only `finish` may follow.
    pub fn write(&mut self, piece: &[u8], last: bool) -> io::Result<Flow> {
        if self.said.stage == Stage::Begun {
            self.seal(last.then_some(piece.len() as u64));
        }
        let Stage::Body(framing) = self.said.stage else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        match framing {
            Framing::Nothing => self.push(b"", b"", true)?,
            Framing::ToTheEnd => self.push(piece, b"", false)?,
            Framing::Length(left) => {
                let taken = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - taken as u64;
                self.said.stage = Stage::Body(Framing::Length(left));
                self.push(&piece[..taken], b"", left == 0)?;
            }
            Framing::Chunked => self.push_chunk(piece, last)?,
        }
        // What is left of a whole response is the reactor's to send; the application need not wait for it.
        let whole = last || self.missing() == Some(0);
        Ok(if !whole && self.output.len() > self.said.high_water { Flow::Full } else { Flow::Ready })
    }

    /// Can a file be the body, and all of it? Not once pieces were written.
    pub fn takes_file(&self) -> bool {
        self.said.stage == Stage::Begun
    }

    /// Sends the next `length` bytes of `file` from `offset` on as the body. What the client does not take at once is
    /// sent while other requests are answered; the file may be closed meanwhile.
    pub fn write_file(&mut self, file: BorrowedFd<'_>, offset: u64, length: u64) -> io::Result<()> {
        self.claim()?;
        self.seal(Some(length));
        let Stage::Body(Framing::Length(left)) = self.said.stage else { return self.push(b"", b"", false) };
        let taken = left.min(length);
        self.said.stage = Stage::Body(Framing::Length(left - taken));
        self.said.body_sent += taken;
        let result = self.output.push_file(self.fd, self.buffer, FilePart { file, offset, left: taken });
        self.buffer.clear();
        self.note(result)
    }

    /// Blocks until the client has taken enough of what waits. To be called without what others may need.
    pub fn wait_for_room(&mut self) -> io::Result<()> {
        let low_water = (self.said.high_water / 2).max(1);
        let result = self.output.drain_below(self.fd, low_water, self.said.write_timeout);
        self.note(result)
    }

    /// The body is complete. `InvalidData` when it is shorter than promised.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.said.stage == Stage::Begun {
            self.write(b"", true)?;
        }
        let Stage::Body(framing) = self.said.stage else { return Ok(()) };
        if let Framing::Length(1..) = framing {
            self.said.stage = Stage::Broken;
            return Err(io::ErrorKind::InvalidData.into());
        }
        if framing == Framing::Chunked {
            self.push(b"", b"0\r\n\r\n", true)?;
        }
        self.said.stage = Stage::Whole;
        Ok(())
    }

    /// The body is complete, and these fields follow it (RFC 9112, 7.1.2): for a client that asked for them, in a
    /// response that is chunked. Any other has no place for them.
    pub fn finish_with<'f>(
        &mut self,
        fields: impl IntoIterator<Item = (&'f [u8], &'f [u8])>,
    ) -> Result<io::Result<()>, BadHead> {
        let mut trailers = b"0\r\n".to_vec();
        let mut head = ResponseHead::default();
        for (name, value) in fields {
            head.field(name, value, &mut trailers)?;
        }
        trailers.extend_from_slice(b"\r\n");
        if self.said.stage != Stage::Body(Framing::Chunked) {
            return Ok(self.finish());
        }
        Ok(self.push(b"", &trailers, true).map(|()| self.said.stage = Stage::Whole))
    }

    /// The application failed: an answer of ours when nothing was sent yet, else an end that the client can see. Where
    /// the body of the request turned out to be wrong, that is what the answer is about.
    pub fn fail(&mut self, status: u16) {
        if self.is_sent() {
            if self.said.stage != Stage::Whole {
                self.said.stage = Stage::Broken;
            }
        } else {
            let refusal = self.said.inflow.as_ref().and_then(|inflow| inflow.refusal());
            let why = refusal.unwrap_or(Refusal::new(status, reason(status)));
            self.explain(why.status, why.why);
            if refusal.is_none() {
                self.said.why = Some(FAILED);
            }
        }
    }

    /// The application has taken longer than it may: 504 where nothing was sent, else the answer is broken off.
    pub fn give_up(&mut self) {
        if self.is_sent() {
            self.fail(504);
        } else {
            self.explain(504, LATE);
        }
    }

    /// The client has gone, and the application has ended because of that: nobody waits for the rest.
    pub fn abandon(&mut self) {
        if !self.is_sent() {
            self.said.head = ResponseHead::default();
        }
        if !self.is_whole() {
            (self.said.gone, self.said.stage) = (true, Stage::Broken);
        }
    }

    /// A short answer of ours.
    pub fn explain(&mut self, status: u16, why: &'static str) {
        self.said.why = Some(why);
        let text = format!("{why}\n");
        let begun = self
            .begin(status_line(&mut [0; 48], status))
            .and_then(|()| self.header(b"Content-Type", b"text/plain; charset=utf-8"));
        if status == 426 {
            self.buffer.extend_from_slice(WANTED_UPGRADE);
        }
        self.said.head.close = true;
        if begun.is_err() || self.write(text.as_bytes(), true).and_then(|_| self.finish()).is_err() {
            self.said.stage = Stage::Broken;
        }
    }

    /// Leaves something for the books.
    pub fn remark(&mut self, remark: Remark) {
        self.said.remark = Some(remark);
    }

    fn seal(&mut self, whole: Option<u64>) {
        // Nobody may ever read the rest of a body that has not arrived yet.
        self.said.asked.keep_alive &= self.said.inflow.as_ref().is_none_or(|inflow| inflow.is_complete());
        let framing = self.said.head.seal(&self.said.asked, whole, self.buffer);
        if let Some(kept) = &mut self.said.sent_head {
            kept.clone_from(self.buffer);
        }
        self.said.to_the_end = framing == Framing::ToTheEnd;
        self.said.stage = Stage::Body(framing);
    }

    fn push_chunk(&mut self, piece: &[u8], last: bool) -> io::Result<()> {
        if !piece.is_empty() {
            let _ = write!(self.buffer, "{:x}\r\n", piece.len());
        }
        let end: &[u8] = match (piece.is_empty(), last) {
            (true, true) => b"0\r\n\r\n",
            (true, false) => b"",
            (false, true) => b"\r\n0\r\n\r\n",
            (false, false) => b"\r\n",
        };
        self.push(piece, end, last)?;
        if last {
            self.said.stage = Stage::Whole;
        }
        Ok(())
    }

    /// Sends what is in the buffer, `piece` and `end` as one; a whole answer may wait for those of others.
    fn push(&mut self, piece: &[u8], end: &[u8], is_last: bool) -> io::Result<()> {
        self.claim()?;
        let is_whole = is_last && self.said.body_sent == 0;
        self.said.waits = is_whole && self.said.may_wait_from.is_some_and(|from| clock::now() >= from);
        let push = if self.said.waits { Push::WithMore } else { Push::Now };
        let result = if piece.len() + end.len() <= COPIED {
            self.buffer.extend_from_slice(piece);
            self.buffer.extend_from_slice(end);
            if self.buffer.is_empty() {
                return Ok(());
            }
            self.output.put(self.fd, &[IoSlice::new(self.buffer)], push)
        } else {
            let parts = [IoSlice::new(self.buffer), IoSlice::new(piece), IoSlice::new(end)];
            self.output.put(self.fd, &parts, push)
        };
        self.buffer.clear();
        self.said.body_sent += piece.len() as u64;
        self.note(result)
    }

    /// A write that failed is the last one.
    fn note(&mut self, result: io::Result<()>) -> io::Result<()> {
        if result.is_err() {
            self.said.gone = true;
            self.said.stage = Stage::Broken;
        }
        result
    }
}
