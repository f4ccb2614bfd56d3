//! A connected, non-blocking stream socket: receiving, sending, closing one half.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::sendfile::sendfile64;
use nix::sys::socket::{MsgFlags, Shutdown, recv, sendmsg, setsockopt, sockopt};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Receives into `buffer`: the number of bytes, nought at the end of the stream, `WouldBlock` when nothing is there.
pub fn receive(fd: &impl AsRawFd, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match recv(fd.as_raw_fd(), buffer, MsgFlags::empty()) {
            Err(Errno::EINTR) => {}
            result => return Ok(result?),
        }
    }
}

/// True when bytes have arrived that were not received yet; the end of the stream is none.
pub fn has_input(fd: &impl AsRawFd) -> bool {
    matches!(recv(fd.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT), Ok(1))
}

/// Whether bytes may wait in the kernel for those that follow.
#[derive(Clone, Copy, Debug)]
pub enum Push {
    /// They are sent at once.
    Now,
    /// More follows soon: what does not fill a packet goes with that, with `push`, or after 200 ms.
    WithMore,
}

/// Sends as much of `parts` as there is room for; `WouldBlock` when there is none. Never raises SIGPIPE.
pub fn send(fd: &impl AsRawFd, parts: &[IoSlice<'_>], push: Push) -> io::Result<usize> {
    let flags = match push {
        Push::Now => MsgFlags::MSG_NOSIGNAL,
        Push::WithMore => MsgFlags::MSG_NOSIGNAL | MsgFlags::from_bits_retain(libc::MSG_MORE),
    };
    loop {
        let result = match parts {
            [single] => nix::sys::socket::send(fd.as_raw_fd(), single, flags),
            many => sendmsg::<()>(fd.as_raw_fd(), many, &[], flags, None),
        };
        match result {
            Err(Errno::EINTR) => {}
            result => return Ok(result?),
        }
    }
}

/// Sends at once what waits in the kernel for more.
pub fn push(fd: &impl AsFd) {
    // Without effect on a socket that has it already, but for this.
    let _ = setsockopt(fd, sockopt::TcpNoDelay, &true);
}

/// Sends up to `count` bytes of a file from `offset` on, without a copy: how many it were, nought behind its end.
pub fn send_file(to: BorrowedFd<'_>, file: BorrowedFd<'_>, offset: u64, count: u64) -> io::Result<u64> {
    let mut position = i64::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    loop {
        match sendfile64(to, file, Some(&mut position), count) {
            Err(Errno::EINTR) => {}
            result => return Ok(result? as u64),
        }
    }
}

/// Tells the peer that nothing more will be sent.
pub fn finish_sending(fd: &impl AsRawFd) {
    let _ = nix::sys::socket::shutdown(fd.as_raw_fd(), Shutdown::Write);
}

/// Ends both directions; the socket stays open.
pub fn hang_up(fd: &impl AsRawFd) {
    let _ = nix::sys::socket::shutdown(fd.as_raw_fd(), Shutdown::Both);
}

/// Makes closing the socket a reset: the peer learns that what it got is not all. Without effect on unix sockets.
pub fn reset_when_closed(fd: &impl AsFd) {
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    let _ = setsockopt(fd, sockopt::Linger, &at_once);
}

/// True when the peer has hung up for good or reset the connection; a half-close is neither.
pub fn is_gone(fd: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::empty())];
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR;
    nix::poll::poll(&mut fds, PollTimeout::ZERO).is_ok()
        && fds[0].revents().is_some_and(|flags| flags.intersects(gone))
}

/// Waits until there is room to send, at most `milliseconds`. False when the time is over.
pub fn wait_for_room(fd: &impl AsFd, milliseconds: u16) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)];
    match nix::poll::poll(&mut fds, PollTimeout::from(milliseconds)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Err(io::ErrorKind::Interrupted.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn only_who_hung_up_for_good_is_gone() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (far, _) = listener.accept().unwrap();
        near.shutdown(std::net::Shutdown::Write).unwrap();
        let mut buffer = [0; 1];
        assert_eq!(nix::poll::poll(&mut [PollFd::new(far.as_fd(), PollFlags::POLLIN)], 10_000u16), Ok(1));
        assert!(receive(&far, &mut buffer).unwrap() == 0 && !is_gone(&far));
        reset_when_closed(&near);
        drop(near);
        assert_eq!(nix::poll::poll(&mut [PollFd::new(far.as_fd(), PollFlags::empty())], 10_000u16), Ok(1));
        assert!(is_gone(&far));
    }

    #[test]
    fn parts_arrive_as_one() {
        let (near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(receive(&far, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(!has_input(&far));
        assert_eq!(send(&near, &[IoSlice::new(b"head"), IoSlice::new(b"body")], Push::Now).unwrap(), 8);
        assert!(has_input(&far));
        assert_eq!(receive(&far, &mut buffer).unwrap(), 8);
        assert_eq!(&buffer[..8], b"headbody");
        drop(near);
        assert!(!has_input(&far), "the end is no input");
        assert_eq!(receive(&far, &mut buffer).unwrap(), 0);
        assert_eq!(
            send(&far, &[IoSlice::new(b"x")], Push::Now).unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }
}
