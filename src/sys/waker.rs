//! Wakes a poller from another thread, or from code that runs outside of its loop.

use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// A descriptor that is readable once somebody has called.
#[derive(Debug)]
pub struct Waker(EventFd);

impl Waker {
    /// Nobody has called yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?))
    }

    /// Calls. However often, it is heard once.
    pub fn wake(&self) {
        // It fails only when 2^64 calls were not heard.
        let _ = self.0.write(1);
    }

    /// The call was heard.
    pub fn heard(&self) {
        let _ = self.0.read();
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
