//! The output half of a connection: what the kernel has no room for waits here, in order: bytes, then part of a file.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use sys::stream::{self, Push};

/// What is sent of a file in one go: more would hold up other connections, however fast this client reads.
const FILE_PER_TURN: u64 = 1024 * 1024;

/// Bytes that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Output {
    waiting: Vec<u8>,
    sent: usize,
    /// Follows the bytes; nothing follows it.
    file: Option<Box<FilePart<OwnedFd>>>,
    /// Something else has to be sent before: bytes are only collected.
    held: bool,
}

/// A part of a file.
#[derive(Debug)]
pub(crate) struct FilePart<F> {
    pub(crate) file: F,
    pub(crate) offset: u64,
    pub(crate) left: u64,
}

impl<F: AsFd> FilePart<F> {
    /// Sends as much as there is room for, and no more than is fair. `UnexpectedEof` when the file has become shorter.
    fn send(&mut self, to: BorrowedFd<'_>) -> io::Result<()> {
        let mut fair = FILE_PER_TURN;
        while self.left.min(fair) > 0 {
            match stream::send_file(to, self.file.as_fd(), self.offset, self.left.min(fair)) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    (self.offset, self.left) = (self.offset + count, self.left - count);
                    fair -= count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Output {
    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        let file = self.file.as_ref().map_or(0, |part| usize::try_from(part.left).unwrap_or(usize::MAX));
        (self.waiting.len() - self.sent).saturating_add(file)
    }

    /// True when everything is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.len() == self.sent && self.file.is_none()
    }

    /// Is something else to be sent before?
    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// What was collected elsewhere follows.
    pub(crate) fn append(&mut self, other: Self) {
        debug_assert!(self.file.is_none() || other.is_empty(), "nothing follows a file");
        self.waiting.extend_from_slice(&other.waiting[other.sent..]);
        self.file = self.file.take().or(other.file);
    }

    /// Sends `parts` behind what waits; what finds no room is kept.
    pub(crate) fn push(&mut self, fd: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> io::Result<()> {
        self.put(fd, parts, Push::Now)
    }

    /// The same, where they may wait in the kernel.
    pub(crate) fn put(&mut self, fd: BorrowedFd<'_>, parts: &[IoSlice<'_>], push: Push) -> io::Result<()> {
        debug_assert!(self.file.is_none(), "nothing follows a file");
        let mut sent = 0;
        if !self.held && (self.is_empty() || self.send(fd)?) {
            match stream::send(&fd, parts, push) {
                Ok(count) => sent = count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        for part in parts {
            let skipped = sent.min(part.len());
            self.waiting.extend_from_slice(&part[skipped..]);
            sent -= skipped;
        }
        Ok(())
    }

    /// Sends `head` and a part of a file behind what waits; the file may be closed afterwards.
    pub(crate) fn push_file(
        &mut self,
        fd: BorrowedFd<'_>,
        head: &[u8],
        mut part: FilePart<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        // In one packet with what follows.
        let push = if part.left > 0 { Push::WithMore } else { Push::Now };
        self.put(fd, &[IoSlice::new(head)], push)?;
        if self.is_empty() && !self.held {
            part.send(fd)?;
        }
        if part.left > 0 {
            let FilePart { file, offset, left } = part;
            self.file = Some(Box::new(FilePart { file: file.try_clone_to_owned()?, offset, left }));
        }
        Ok(())
    }

    /// Sends what waits. True when nothing is left.
    pub(crate) fn send(&mut self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        while self.waiting.len() > self.sent {
            match stream::send(&fd, &[IoSlice::new(&self.waiting[self.sent..])], Push::Now) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        // A connection that owes nothing owns no memory.
        (self.waiting, self.sent) = (Vec::new(), 0);
        if let Some(part) = &mut self.file {
            part.send(fd)?;
            if part.left > 0 {
                return Ok(false);
            }
            self.file = None;
        }
        Ok(true)
    }

    /// Waits until fewer than `mark` bytes wait; `TimedOut` when the client took none for `limit` milliseconds.
    pub(crate) fn drain_below(&mut self, fd: BorrowedFd<'_>, mark: usize, limit: u64) -> io::Result<()> {
        while self.len() >= mark {
            let before = self.len();
            wait_for_room(fd, limit)?;
            self.send(fd)?;
            if self.len() < before && self.sent >= mark {
                self.waiting.drain(..self.sent);
                self.sent = 0;
            }
        }
        Ok(())
    }
}

fn wait_for_room(fd: BorrowedFd<'_>, limit: u64) -> io::Result<()> {
    let started = sys::clock::now();
    let over = || limit != 0 && sys::clock::now().saturating_sub(started) / 1_000_000 >= limit;
    loop {
        let wait = if limit == 0 { u16::MAX } else { u16::try_from(limit).unwrap_or(u16::MAX) };
        match stream::wait_for_room(&fd.as_fd(), wait) {
            Ok(true) => return Ok(()),
            Ok(false) if over() => return Err(io::ErrorKind::TimedOut.into()),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            Ok(false) | Err(_) => {}
        }
    }
}
