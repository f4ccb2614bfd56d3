//! Readiness: one epoll, tokens instead of pointers, and interruption by a signal made visible.
//!
//! Make a `Poller` after the fork: an epoll made before is shared with the parent. Remove a descriptor before it is
//! closed: while a duplicate lives in another process, closing alone leaves the entry behind.

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// What the owner of a descriptor waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something to read, or the end of the stream.
    Read,
    /// Room to write.
    Write,
    /// Either.
    Both,
    /// Nothing but hang-up and error, which are always told.
    Nothing,
    /// Something urgent, as files of the kernel tell of pressure.
    Urgent,
    /// A connection to accept, told to one of the processes that wait for it and are idle.
    ///
    /// Among those the kernel asks first who registered first. Cannot be modified, only removed and added again.
    Accept,
}

impl Interest {
    fn flags(self) -> EpollFlags {
        match self {
            Self::Read => EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP,
            Self::Write => EpollFlags::EPOLLOUT,
            Self::Both => EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP,
            Self::Nothing => EpollFlags::empty(),
            Self::Urgent => EpollFlags::EPOLLPRI,
            Self::Accept => EpollFlags::EPOLLIN | EpollFlags::EPOLLEXCLUSIVE,
        }
    }
}

/// What happened to a descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Readiness {
    /// The token it was added with.
    pub token: u64,
    /// There is something to read, or the end of the stream.
    pub readable: bool,
    /// There is room to write, or writing would fail at once.
    pub writable: bool,
    /// Both directions are gone (reset, or closed by both sides).
    pub gone: bool,
}

/// One epoll instance.
#[derive(Debug)]
pub struct Poller {
    epoll: Epoll,
    events: Vec<EpollEvent>,
    ready: usize,
}

impl Poller {
    /// A poller that reports up to `batch` descriptors a wait.
    pub fn new(batch: usize) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self { epoll, events: vec![EpollEvent::empty(); batch], ready: 0 })
    }

    /// Starts to watch `fd`; it is reported as `token`.
    pub fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        Ok(self.epoll.add(fd, EpollEvent::new(interest.flags(), token))?)
    }

    /// Changes what a watched descriptor waits for.
    pub fn modify(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        Ok(self.epoll.modify(fd, &mut EpollEvent::new(interest.flags(), token))?)
    }

    /// Stops watching `fd`.
    pub fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(self.epoll.delete(fd)?)
    }

    /// Waits until something is ready or `timeout` milliseconds passed (`None`: for ever).
    ///
    /// A signal ends the wait with `ErrorKind::Interrupted`.
    pub fn wait(&mut self, timeout: Option<u64>) -> io::Result<usize> {
        self.wait_for_some(timeout, usize::MAX)
    }

    /// The same, but tells of `most` descriptors: the next wait begins with those that were left.
    pub fn wait_for_some(&mut self, timeout: Option<u64>, most: usize) -> io::Result<usize> {
        let timeout = match timeout {
            None => EpollTimeout::NONE,
            Some(milliseconds) => EpollTimeout::from(u16::try_from(milliseconds).unwrap_or(u16::MAX)),
        };
        self.ready = 0;
        let most = most.clamp(1, self.events.len());
        match self.epoll.wait(&mut self.events[..most], timeout) {
            Ok(ready) => {
                self.ready = ready;
                Ok(ready)
            }
            Err(Errno::EINTR) => Err(io::ErrorKind::Interrupted.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// What the last wait found, by index: below the number that it returned.
    pub fn get(&self, index: usize) -> Option<Readiness> {
        let event = self.events[..self.ready].get(index)?;
        let flags = event.events();
        let gone = flags.intersects(EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR);
        Some(Readiness {
            token: event.data(),
            readable: gone || flags.intersects(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP),
            writable: gone || flags.contains(EpollFlags::EPOLLOUT),
            gone,
        })
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

impl AsRawFd for Poller {
    fn as_raw_fd(&self) -> RawFd {
        self.epoll.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    #[test]
    fn tells_which_descriptor_is_readable() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new(8).unwrap();
        poller.add(far.as_fd(), 42, Interest::Read).unwrap();
        assert_eq!(poller.wait(Some(0)).unwrap(), 0);
        near.write_all(b"x").unwrap();
        assert_eq!(poller.wait(Some(1000)).unwrap(), 1);
        let readiness = poller.get(0).unwrap();
        assert!(readiness.token == 42 && readiness.readable && !readiness.gone);
        assert!(poller.get(1).is_none());
    }

    #[test]
    fn who_was_left_comes_first() {
        let pairs = [(); 3].map(|()| UnixStream::pair().unwrap());
        let mut poller = Poller::new(8).unwrap();
        for (index, (near, far)) in pairs.iter().enumerate() {
            poller.add(far.as_fd(), index as u64, Interest::Read).unwrap();
            (&mut &*near).write_all(b"x").unwrap();
        }
        let mut next = || (poller.wait_for_some(Some(1000), 1).unwrap(), poller.get(0).unwrap().token);
        let told: Vec<_> = std::iter::repeat_with(&mut next).take(6).collect();
        assert_eq!(told, [(1, 0), (1, 1), (1, 2), (1, 0), (1, 1), (1, 2)]);
    }

    #[test]
    fn a_closed_peer_is_gone() {
        let (near, far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new(8).unwrap();
        poller.add(far.as_fd(), 1, Interest::Nothing).unwrap();
        drop(near);
        assert_eq!(poller.wait(Some(1000)).unwrap(), 1);
        assert!(poller.get(0).unwrap().gone);
    }
}
