//! Processes: identity, forking, signalling, and how one ended.

use crate::checked;
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// The process id of this process.
pub fn own_pid() -> i32 {
    nix::unistd::getpid().as_raw()
}

/// This thread, as the kernel numbers them: the first of a process has the process's number.
pub fn own_thread() -> i32 {
    nix::unistd::gettid().as_raw()
}

/// The process id of the parent, as it is now.
pub fn parent_pid() -> i32 {
    nix::unistd::getppid().as_raw()
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Exited(i32),
    /// This signal killed it.
    Killed(i32),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Killed(signal) => match nix::sys::signal::Signal::try_from(*signal) {
                Ok(name) => write!(f, "was killed by {name}"),
                Err(_) => write!(f, "was killed by signal {signal}"),
            },
        }
    }
}

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    /// The process that forked, with the child's id.
    Parent(i32),
    /// The new process.
    Child,
}

/// Forks. The child has the calling thread only; what other threads had locked stays locked in it for ever.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: forking breaks no memory rule of this process. That a child of several threads may find a lock taken
    // is the caller's matter, who keeps to one thread or ends the child at once.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => Ok(Fork::Parent(child.as_raw())),
        nix::unistd::ForkResult::Child => Ok(Fork::Child),
    }
}

/// Ends this process at once: no destructors, no exit handlers.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions and does not return.
    unsafe { libc::_exit(code) }
}

/// Makes this process the parent of all descendants whose own parent dies.
pub fn become_subreaper() -> io::Result<()> {
    // SAFETY: sets one attribute of this process.
    checked(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }).map(drop)
}

/// Asks for `signal` when the parent dies. Lost at a change of user, so set it after.
pub fn signal_when_parent_dies(signal: i32) -> io::Result<()> {
    // SAFETY: sets one attribute of this process.
    checked(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal, 0, 0, 0) }).map(drop)
}

/// Sends a signal to a process.
pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    checked(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Does this process have more than one thread?
pub fn has_threads(pid: i32) -> bool {
    std::fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|threads| threads.count() > 1)
}

/// Sends a signal to one thread of a process.
pub fn kill_thread(pid: i32, thread: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved. (Older libraries have no function for it.)
    let result = unsafe { libc::syscall(libc::SYS_tgkill, pid, thread, signal) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// True while a process with this id exists (whoever's it is).
pub fn exists(pid: i32) -> bool {
    pid > 0 && !matches!(kill(pid, 0), Err(error) if error.raw_os_error() == Some(libc::ESRCH))
}

/// A child that has ended and waits to be reaped; it stays so.
pub fn next_ended() -> io::Result<Option<i32>> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::All, flags) {
        Ok(status) => Ok(status.pid().map(nix::unistd::Pid::as_raw)),
        Err(Errno::ECHILD) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reaps one child that has ended; `None` when it still runs or is no child of ours.
pub fn reap(pid: i32) -> io::Result<Option<Ended>> {
    reap_with(pid, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG)
}

/// Waits for one child and reaps it.
pub fn wait_for(pid: i32) -> io::Result<Option<Ended>> {
    loop {
        match reap_with(pid, WaitPidFlag::WEXITED) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Waits for one child for so long, and then kills it: `None` where that had to be. It is reaped in either case.
pub fn wait_or_kill(pid: i32, limit: Duration) -> io::Result<Option<Ended>> {
    let handle = PidFd::open(pid)?;
    let begin = Instant::now();
    loop {
        let rest = limit.saturating_sub(begin.elapsed()).as_millis();
        // A signal may cut a wait short.
        if handle.wait(u16::try_from(rest).unwrap_or(u16::MAX)) {
            return wait_for(pid);
        }
        if rest == 0 {
            let _ = handle.signal(libc::SIGKILL);
            return wait_for(pid).map(|_| None);
        }
    }
}

fn reap_with(pid: i32, flags: WaitPidFlag) -> io::Result<Option<Ended>> {
    match waitid(Id::Pid(nix::unistd::Pid::from_raw(pid)), flags) {
        Ok(WaitStatus::Exited(_, code)) => Ok(Some(Ended::Exited(code))),
        Ok(WaitStatus::Signaled(_, signal, _)) => Ok(Some(Ended::Killed(signal as i32))),
        Ok(_) | Err(Errno::ECHILD) => Ok(None),
        // nix refuses real-time signals as a cause of death; the child is reaped all the same.
        Err(Errno::EINVAL) => Ok(Some(Ended::Killed(libc::SIGRTMIN()))),
        Err(error) => Err(error.into()),
    }
}

/// A handle of one process that can never come to mean another; readable once the process has ended.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

impl PidFd {
    /// Opens the handle of a process that exists (a zombie does).
    pub fn open(pid: i32) -> io::Result<Self> {
        // SAFETY: no memory is involved; the result is checked.
        let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let number = checked(i32::try_from(number).map_err(io::Error::other)?)?;
        // SAFETY: the kernel just made this descriptor for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(number) }))
    }

    /// Sends a signal; a process that has ended gives an error.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        let null = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: a null siginfo asks for the ordinary `kill` semantics.
        let result =
            unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal, null, 0) };
        checked(i32::try_from(result).map_err(io::Error::other)?).map(drop)
    }

    /// Waits up to `milliseconds` for the end of the process.
    pub fn wait(&self, milliseconds: u16) -> bool {
        let mut fds = [nix::poll::PollFd::new(self.0.as_fd(), nix::poll::PollFlags::POLLIN)];
        matches!(nix::poll::poll(&mut fds, milliseconds), Ok(ready) if ready > 0)
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for PidFd {
    fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_too_long_is_killed() {
        let child = |script| std::process::Command::new("sh").args(["-c", script]).spawn().unwrap();
        let wait = |child: std::process::Child, limit| {
            wait_or_kill(child.id().cast_signed(), Duration::from_millis(limit)).unwrap()
        };
        assert_eq!(wait(child("exit 7"), 10_000), Some(Ended::Exited(7)));
        assert_eq!(wait(child("exec sleep 60"), 20), None);
    }

    #[test]
    fn a_child_is_seen_and_reaped_once() {
        let mut child = std::process::Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert!(PidFd::open(pid).unwrap().wait(10_000));
        assert_eq!(reap(pid).unwrap(), Some(Ended::Exited(7)));
        assert_eq!(reap(pid).unwrap(), None);
        assert!(child.try_wait().is_err());
    }

    #[test]
    fn endings_read_well() {
        assert_eq!(Ended::Killed(libc::SIGKILL).to_string(), "was killed by SIGKILL");
        assert_eq!(Ended::Exited(3).to_string(), "exited with code 3");
    }
}
