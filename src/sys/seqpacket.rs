//! A channel between two processes: whole messages, with file descriptors, and an end that can be seen.

use crate::{checked, message};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, socketpair,
};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The longest message.
pub const LONGEST: usize = 128 * 1024;

/// The most descriptors in a message.
const MOST_FDS: usize = 4;

/// One message.
#[derive(Debug)]
pub struct Packet {
    /// What was sent.
    pub bytes: Vec<u8>,
    /// The descriptors that came with it, close-on-exec.
    pub fds: Vec<OwnedFd>,
}

/// One end of a channel.
#[derive(Debug)]
pub struct Seqpacket(OwnedFd);

impl Seqpacket {
    /// Two connected ends, close-on-exec.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (near, far) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        Ok((Self(near), Self(far)))
    }

    /// Takes over an end that this process was started with.
    pub fn adopt(number: RawFd) -> io::Result<Self> {
        crate::fd::adopt(number).map(Self)
    }

    /// Sends one message and waits for room if it must.
    pub fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_with(bytes, fds, MsgFlags::empty())
    }

    /// Sends one message, or gives `WouldBlock` when the other end does not read.
    pub fn try_send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_with(bytes, fds, MsgFlags::MSG_DONTWAIT)
    }

    fn send_with(&self, bytes: &[u8], fds: &[BorrowedFd<'_>], flags: MsgFlags) -> io::Result<()> {
        Ok(message::send(self.0.as_fd(), bytes, fds, flags)?)
    }

    /// Waits for a message; `None` when the other end is closed.
    pub fn receive(&self) -> io::Result<Option<Packet>> {
        self.receive_with(MsgFlags::MSG_CMSG_CLOEXEC)
    }

    /// Takes a message that is there; `WouldBlock` when there is none, `None` when the other end is closed.
    pub fn try_receive(&self) -> io::Result<Option<Packet>> {
        self.receive_with(MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT)
    }

    fn receive_with(&self, flags: MsgFlags) -> io::Result<Option<Packet>> {
        let mut bytes = vec![0; LONGEST];
        let mut control = nix::cmsg_space!([RawFd; MOST_FDS]);
        let (length, fds) = {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            let message = recvmsg::<()>(self.0.as_raw_fd(), &mut slices, Some(&mut control), flags)
                .map_err(io::Error::from)?;
            let mut fds = Vec::new();
            for part in message.cmsgs()? {
                if let ControlMessageOwned::ScmRights(numbers) = part {
                    // SAFETY: the kernel just made these descriptors for this process.
                    fds.extend(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
                }
            }
            (message.bytes, fds)
        };
        bytes.truncate(length);
        // Our messages are never empty, so a length of nought is the end.
        Ok((length > 0).then_some(Packet { bytes, fds }))
    }

    /// Closes both directions: the other end sees the end of the channel even while copies of this end exist.
    pub fn shut(&self) -> io::Result<()> {
        // SAFETY: an open descriptor and a constant.
        checked(unsafe { libc::shutdown(self.0.as_raw_fd(), libc::SHUT_RDWR) }).map(drop)
    }
}

impl From<OwnedFd> for Seqpacket {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl AsFd for Seqpacket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Seqpacket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_bounds_and_descriptors() {
        let (near, far) = Seqpacket::pair().unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        near.send(b"one", &[]).unwrap();
        near.send(b"two", &[null.as_fd()]).unwrap();
        let first = far.receive().unwrap().unwrap();
        assert_eq!((first.bytes.as_slice(), first.fds.len()), (b"one".as_slice(), 0));
        let second = far.receive().unwrap().unwrap();
        assert_eq!((second.bytes.as_slice(), second.fds.len()), (b"two".as_slice(), 1));
        assert_eq!(far.try_receive().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn the_end_is_seen() {
        let (near, far) = Seqpacket::pair().unwrap();
        near.send(b"last", &[]).unwrap();
        drop(near);
        assert!(far.receive().unwrap().is_some());
        assert!(far.receive().unwrap().is_none());
    }
}
