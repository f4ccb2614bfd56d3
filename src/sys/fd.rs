//! File descriptors: adopting the ones that a parent left open, duplicating, and the close-on-exec flag.

use crate::checked;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// For files that are opened: reading and writing never wait.
pub const NONBLOCKING: i32 = libc::O_NONBLOCK;

/// Takes over a descriptor that this process was started with, and sets close-on-exec.
///
/// Fails when the number is not open. Call it once per number: the result closes it.
pub fn adopt(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD reads a flag; an unopened number gives EBADF.
    checked(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    // SAFETY: the number is open, and the caller says that nobody else in this process owns it.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    set_cloexec(&owned, true)?;
    Ok(owned)
}

/// Sets or clears close-on-exec.
pub fn set_cloexec(fd: &impl AsRawFd, on: bool) -> io::Result<()> {
    let flags = if on { libc::FD_CLOEXEC } else { 0 };
    // SAFETY: plain flag change on an open descriptor.
    checked(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, flags) }).map(drop)
}

/// Is close-on-exec set?
pub fn is_cloexec(fd: &impl AsRawFd) -> io::Result<bool> {
    // SAFETY: F_GETFD reads a flag of an open descriptor.
    Ok(checked(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) })? & libc::FD_CLOEXEC != 0)
}

/// Sets or clears non-blocking mode.
pub fn set_nonblocking(fd: &impl AsRawFd, on: bool) -> io::Result<()> {
    // SAFETY: plain flag reads and changes on an open descriptor.
    unsafe {
        let flags = checked(libc::fcntl(fd.as_raw_fd(), libc::F_GETFL))?;
        let wanted = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        checked(libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, wanted)).map(drop)
    }
}

/// A second descriptor for the same thing, close-on-exec.
pub fn duplicate(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    fd.try_clone_to_owned()
}

/// Makes `target` a second name of `source`, close-on-exec; what `target` was is closed.
pub fn replace(target: RawFd, source: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: dup3 on an open source; the caller chose the target number.
    checked(unsafe { libc::dup3(source.as_raw_fd(), target, libc::O_CLOEXEC) }).map(drop)
}

/// A pipe with much room, close-on-exec: the end that is read, without waiting, and the end that is written.
pub fn large_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    set_nonblocking(&read, true)?;
    // The machine may allow less; then it stays as it is.
    let _ = nix::fcntl::fcntl(&write, nix::fcntl::FcntlArg::F_SETPIPE_SZ(1 << 20));
    Ok((read, write))
}

/// Makes standard output or standard error (1, 2) a name of `source`, which programs that are started inherit.
pub fn become_standard(target: RawFd, source: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: dup2 on an open source; the numbers are the standard ones, which nobody owns.
    checked(unsafe { libc::dup2(source.as_raw_fd(), target) }).map(drop)
}

/// Writes all of `bytes` to a blocking descriptor such as a log; an error is returned, a short write is continued.
pub fn write_all(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(fd, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Do both descriptors stand for the same file, pipe or terminal?
pub fn same_file(first: BorrowedFd<'_>, second: BorrowedFd<'_>) -> io::Result<bool> {
    let (first, second) = (nix::sys::stat::fstat(first)?, nix::sys::stat::fstat(second)?);
    Ok((first.st_dev, first.st_ino) == (second.st_dev, second.st_ino))
}
