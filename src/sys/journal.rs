//! The native socket of systemd's journal: one datagram is one entry. Nothing here ever waits.

use crate::message;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, socket};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::linux::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the journal may take to see whose entry it is.
const LOOK_UP: Duration = Duration::from_millis(20);
const SOCKET: &str = "/run/systemd/journal/socket";

/// A connection to the journal.
#[derive(Debug)]
pub struct Journal(OwnedFd);

impl Journal {
    /// Connects to the journal of this machine.
    pub fn connect() -> io::Result<Self> {
        Self::connect_to(Path::new(SOCKET))
    }

    fn connect_to(path: &Path) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
        connect(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
        Ok(Self(fd))
    }

    /// Sends an entry, a large one in a memory file. `WouldBlock` when the journal does not keep up.
    pub fn send(&self, entry: &[u8]) -> io::Result<()> {
        match message::send(self.as_fd(), entry, &[], MsgFlags::empty()) {
            Err(Errno::EMSGSIZE | Errno::ENOBUFS) => {
                let file = crate::memory::sealed("rcorn-journal", entry)?;
                Ok(message::send(self.as_fd(), &[], &[file.as_fd()], MsgFlags::empty())?)
            }
            sent => Ok(sent?),
        }
    }

    /// Waits until the journal has taken everything, which it has to before a process ends: it looks up whose entry it
    /// is when it reads it. False when that takes too long.
    pub fn has_taken_all(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.waiting() != Some(0) {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        // For the look itself.
        std::thread::sleep(LOOK_UP);
        true
    }

    /// Bytes in the other side's queue.
    fn waiting(&self) -> Option<i32> {
        let mut count = 0;
        // SAFETY: the request writes one int, and the pointer is to one.
        crate::checked(unsafe { libc::ioctl(self.0.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) }).ok()?;
        Some(count)
    }
}

impl AsFd for Journal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Is this descriptor the stream that systemd connected with the journal for us? `stream` is `JOURNAL_STREAM`: the
/// stream's device and number.
pub fn is_stream(fd: BorrowedFd<'_>, stream: &str) -> bool {
    let Ok(file) = fd.try_clone_to_owned().map(std::fs::File::from) else { return false };
    let found = file.metadata().map(|data| format!("{}:{}", data.st_dev(), data.st_ino()));
    found.is_ok_and(|found| found == stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    fn journal() -> (UnixDatagram, Journal) {
        let name = format!("rcorn-journal-{}-{:?}", std::process::id(), std::thread::current().id());
        let path = std::env::temp_dir().join(name);
        let server = UnixDatagram::bind(&path).unwrap();
        let ours = Journal::connect_to(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        (server, ours)
    }

    #[test]
    fn small_entries_are_datagrams_and_large_ones_files() {
        let (server, ours) = journal();
        ours.send(b"MESSAGE=a\n").unwrap();
        let mut buffer = [0; 64];
        assert_eq!(server.recv(&mut buffer).unwrap(), 10);
        ours.send(&vec![b'x'; 5_000_000]).unwrap();
        assert_eq!(server.recv(&mut buffer).unwrap(), 0, "the entry is in a file");
    }

    #[test]
    fn a_journal_that_does_not_read_is_told_at_once() {
        let (_server, ours) = journal();
        let refused = (0..100_000).find_map(|_| ours.send(b"MESSAGE=a\n").err()).unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn it_is_seen_when_everything_was_taken() {
        let (server, ours) = journal();
        ours.send(b"MESSAGE=a\n").unwrap();
        assert!(!ours.has_taken_all(Duration::from_millis(20)));
        server.recv(&mut [0; 64]).unwrap();
        assert!(ours.has_taken_all(Duration::from_secs(1)));
    }

    #[test]
    fn a_stream_is_known_by_its_number() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let data = file.metadata().unwrap();
        assert!(is_stream(file.as_fd(), &format!("{}:{}", data.st_dev(), data.st_ino())));
        assert!(!is_stream(file.as_fd(), "1:1") && !is_stream(file.as_fd(), ""));
    }
}
