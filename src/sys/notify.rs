//! Messages to whoever started us, one datagram each (sd_notify(3)): to a path, or to a name that begins with `@`.

use crate::message;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, socket};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// Sends `text` with `fds` to `address`. Waits no longer than `patience` for room in the other side's queue.
pub fn send(address: &OsStr, text: &[u8], fds: &[BorrowedFd<'_>], patience: Duration) -> io::Result<()> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let ours = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
    connect(ours.as_raw_fd(), &name(address.as_bytes())?)?;
    let deadline = Instant::now() + patience;
    loop {
        match message::send(ours.as_fd(), text, fds, MsgFlags::empty()) {
            Ok(()) => return Ok(()),
            Err(Errno::EAGAIN) if Instant::now() < deadline => {
                let rest = PollTimeout::try_from(deadline.saturating_duration_since(Instant::now()));
                let mut room = [PollFd::new(ours.as_fd(), PollFlags::POLLOUT)];
                // Interrupted or not: the clock decides.
                let _ = poll(&mut room, rest.unwrap_or(PollTimeout::ZERO));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn name(address: &[u8]) -> nix::Result<UnixAddr> {
    match address.strip_prefix(b"@") {
        Some(name) => UnixAddr::new_abstract(name),
        None => UnixAddr::new(OsStr::from_bytes(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    #[test]
    fn paths_and_abstract_names_are_reached() {
        let label = format!("rcorn-notify-{}", std::process::id());
        let path = std::env::temp_dir().join(&label);
        let by_path = UnixDatagram::bind(&path).unwrap();
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&label).unwrap()).unwrap();
        for (server, address) in [(by_path, path.as_os_str()), (by_name, OsStr::new(&format!("@{label}")))] {
            send(address, b"READY=1", &[server.as_fd()], Duration::ZERO).unwrap();
            let mut buffer = [0; 64];
            assert_eq!(server.recv(&mut buffer).unwrap(), 7);
            assert_eq!(&buffer[..7], b"READY=1");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(send(path.as_os_str(), b"x", &[], Duration::ZERO).is_err());
    }

    #[test]
    fn who_does_not_read_holds_nobody_up_for_long() {
        let label = format!("@rcorn-notify-full-{}", std::process::id());
        let server = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&label[1..]).unwrap()).unwrap();
        let begun = Instant::now();
        let sent = (0..100_000)
            .find_map(|_| send(OsStr::new(&label), b"STATUS=x", &[], Duration::from_millis(20)).err());
        assert_eq!(sent.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
        assert!(begun.elapsed() < Duration::from_secs(5));
        drop(server);
    }
}
