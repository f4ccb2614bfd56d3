//! Signals of a process that has a poller: handlers only note them and wake the poller.
//!
//! The arbiter does not use the handlers here (tokio has its own); the zygote and the workers do.

use crate::checked;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};

pub use libc::{
    SIGABRT, SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGTERM, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2,
    SIGWINCH, SIGXFSZ,
};

/// The signal that asks a worker for the stacks of its threads.
pub fn stacks_signal() -> i32 {
    libc::SIGRTMIN() + 7
}

/// The signal that asks a thread of a worker for its own stack, and behind that for those of all.
pub fn thread_stack_signal() -> i32 {
    libc::SIGRTMIN() + 9
}

/// The signal that asks a worker for its stacks, for somebody who reads them elsewhere than in the log.
pub fn report_signal() -> i32 {
    libc::SIGRTMIN() + 5
}

/// The signal that tells a worker that its arbiter died.
pub fn orphan_signal() -> i32 {
    libc::SIGRTMIN() + 8
}

/// What a handler calls beside noting the signal.
static ALSO: AtomicUsize = AtomicUsize::new(0);
static PENDING: AtomicU64 = AtomicU64::new(0);
static WAKER: AtomicI32 = AtomicI32::new(-1);

extern "C" fn note(signal: libc::c_int) {
    PENDING.fetch_or(1 << (signal & 63), Ordering::Relaxed);
    let one = 1u64.to_ne_bytes();
    // SAFETY: `write` is async-signal-safe; the descriptor is an eventfd that is never closed (or -1). errno is put
    // back, for the code that was interrupted.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(WAKER.load(Ordering::Relaxed), one.as_ptr().cast(), one.len());
        *libc::__errno_location() = errno;
    }
}

/// Signals that arrived and wait to be looked at. Its descriptor is readable while there are any.
#[derive(Debug)]
pub struct Noted(EventFd);

impl Noted {
    /// Starts to note `signals`. One per process: a second one takes over from the first.
    pub fn watch(signals: &[i32]) -> io::Result<Self> {
        let waker = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        WAKER.store(waker.as_fd().as_raw_fd(), Ordering::Relaxed);
        for signal in signals {
            install(*signal, note as *const () as libc::sighandler_t)?;
        }
        Ok(Self(waker))
    }

    /// The signals since the last call, lowest number first.
    pub fn take(&self) -> Vec<i32> {
        let _ = self.0.read();
        let pending = PENDING.swap(0, Ordering::Relaxed);
        (1..64).filter(|signal| pending & (1 << signal) != 0).collect()
    }
}

/// Has a signal looked at that nobody has sent.
pub fn note_as_if_heard(signal: i32) {
    note(signal);
}

impl AsFd for Noted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        WAKER.store(-1, Ordering::Relaxed);
    }
}

extern "C" fn note_and_call(signal: libc::c_int) {
    note(signal);
    let also = ALSO.load(Ordering::Relaxed);
    if also != 0 {
        // SAFETY: the number came from a function of this type, see `Noted::interrupt_on`.
        unsafe { std::mem::transmute::<usize, extern "C" fn()>(also)() }
    }
}

impl Noted {
    /// `signals` call `interrupt` as well, which must be async-signal-safe, and interrupt what blocks.
    pub fn interrupt_on(&self, signals: &[i32], interrupt: extern "C" fn()) -> io::Result<()> {
        ALSO.store(interrupt as usize, Ordering::Relaxed);
        for signal in signals {
            install_with(*signal, note_and_call as *const () as libc::sighandler_t, 0)?;
        }
        Ok(())
    }
}

/// Ignores a signal; children inherit that.
pub fn ignore(signal: i32) -> io::Result<()> {
    install(signal, libc::SIG_IGN)
}

pub(crate) fn install(signal: i32, handler: libc::sighandler_t) -> io::Result<()> {
    install_with(signal, handler, libc::SA_RESTART)
}

fn install_with(signal: i32, handler: libc::sighandler_t, flags: i32) -> io::Result<()> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a zeroed sigaction is valid; the handler is SIG_IGN, SIG_DFL or a function that is async-signal-safe.
    unsafe {
        let action = action.assume_init_mut();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        checked(libc::sigaction(signal, action, std::ptr::null_mut())).map(drop)
    }
}

extern "C" fn leave_with_stacks(_signal: libc::c_int) {
    // SAFETY: `raise` and `_exit` are async-signal-safe. Whoever watches the stacks signal runs within `raise`.
    unsafe {
        libc::raise(stacks_signal());
        libc::_exit(1);
    }
}

extern "C" fn show_all_stacks(_signal: libc::c_int) {
    // SAFETY: `raise` is async-signal-safe.
    unsafe {
        libc::raise(stacks_signal());
    }
}

/// SIGABRT shows the stacks (where someone watches the stacks signal) and ends the process with code 1. Both signals
/// that ask for stacks are noted, for those who have more to show than those who watch them.
pub fn abort_shows_stacks() -> io::Result<()> {
    for signal in [stacks_signal(), report_signal()] {
        install(signal, note as *const () as libc::sighandler_t)?;
    }
    install(thread_stack_signal(), show_all_stacks as *const () as libc::sighandler_t)?;
    install(SIGABRT, leave_with_stacks as *const () as libc::sighandler_t)
}

static ORPHAN_TIMER: AtomicU64 = AtomicU64::new(0);
static ORPHAN_GRACE: AtomicU64 = AtomicU64::new(0);

extern "C" fn arm_orphan_timer(_signal: libc::c_int) {
    let milliseconds = ORPHAN_GRACE.load(Ordering::Relaxed);
    let timer = ORPHAN_TIMER.load(Ordering::Relaxed) as libc::timer_t;
    let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let value = libc::timespec {
        tv_sec: (milliseconds / 1000).cast_signed(),
        tv_nsec: (milliseconds % 1000 * 1_000_000).cast_signed(),
    };
    let when = libc::itimerspec { it_interval: never, it_value: value };
    // SAFETY: timer_settime is async-signal-safe; the timer was made before this handler was installed.
    unsafe {
        let errno = *libc::__errno_location();
        libc::timer_settime(timer, 0, &raw const when, std::ptr::null_mut());
        *libc::__errno_location() = errno;
    }
}

/// From now on the death of the parent gives this process `grace` milliseconds before the kernel kills it,
/// whatever code it is running then. Call it when the parent is the one that counts.
pub fn die_after_parent(grace: u64) -> io::Result<()> {
    let mut event = MaybeUninit::<libc::sigevent>::zeroed();
    let mut timer = MaybeUninit::<libc::timer_t>::zeroed();
    // SAFETY: a zeroed sigevent is valid; the kernel fills `timer` when the call succeeds.
    let timer = unsafe {
        let event = event.assume_init_mut();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = SIGKILL;
        checked(libc::timer_create(libc::CLOCK_MONOTONIC, event, timer.as_mut_ptr()))?;
        timer.assume_init()
    };
    ORPHAN_TIMER.store(timer as u64, Ordering::Relaxed);
    ORPHAN_GRACE.store(grace.max(1), Ordering::Relaxed);
    install(orphan_signal(), arm_orphan_timer as *const () as libc::sighandler_t)?;
    crate::process::signal_when_parent_dies(orphan_signal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noted_signals_wake_and_are_told_once() {
        let noted = Noted::watch(&[SIGWINCH]).unwrap();
        let mut poller = crate::poll::Poller::new(1).unwrap();
        poller.add(noted.as_fd(), 0, crate::poll::Interest::Read).unwrap();
        crate::process::kill(crate::process::own_pid(), SIGWINCH).unwrap();
        while poller.wait(Some(10_000)).is_err() {}
        assert_eq!(noted.take(), [SIGWINCH]);
        assert!(noted.take().is_empty());
    }
}
