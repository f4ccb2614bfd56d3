//! The output half of a connection: what the kernel has no room for waits here, in order.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use sys::stream;

/// Bytes that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Output {
    waiting: Vec<u8>,
    sent: usize,
}

impl Output {
    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() - self.sent
    }

    /// True when everything is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends `parts` behind what waits; what finds no room is kept.
    pub(crate) fn push(&mut self, fd: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> io::Result<()> {
        let mut sent = 0;
        if self.is_empty() || self.send(fd)? {
            match stream::send(&fd, parts) {
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

    /// Sends what waits. True when nothing is left.
    pub(crate) fn send(&mut self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        while !self.is_empty() {
            match stream::send(&fd, &[IoSlice::new(&self.waiting[self.sent..])]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        // A connection that owes nothing owns no memory.
        *self = Self::default();
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
