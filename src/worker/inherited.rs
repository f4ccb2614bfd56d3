//! What the zygote finds at its fixed descriptors, and its workers after it.

use crate::hooks::Hooks;
use contract::channel::Channel;
use contract::descriptors;
use contract::logline::Level;
use contract::message::{FromZygote, ToZygote};
use contract::scoreboard::Scoreboard;
use contract::settings::WorkerSettings;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use sys::waker::Waker;

/// Does what is printed go to the error log?
static CAPTURED: AtomicBool = AtomicBool::new(false);

/// The zygote's end of its channel.
pub(crate) type ZygoteChannel = Channel<FromZygote, ToZygote>;

/// Everything that came through the exec, but for the channel.
pub(crate) struct Inherited {
    pub(crate) settings: WorkerSettings,
    pub(crate) scoreboard: Arc<Scoreboard>,
    pub(crate) listeners: Vec<OwnedFd>,
    /// By which the workers of this zygote call each other.
    pub(crate) bell: Arc<Waker>,
    /// The hooks of the settings, where there are any.
    pub(crate) hooks: Option<Hooks>,
}

impl Inherited {
    /// Takes over the descriptors. Once per process.
    pub(crate) fn adopt() -> io::Result<Self> {
        let settings = sys::memory::read(sys::fd::adopt(descriptors::SETTINGS)?)?;
        let settings: WorkerSettings = serde_json::from_slice(&settings)?;
        if settings.contract != contract::VERSION {
            return Err(io::Error::other("the extension module is of another version than the rcorn binary"));
        }
        let last = descriptors::LISTENERS + settings.listeners.cast_signed();
        let listeners = (descriptors::LISTENERS..last).map(sys::fd::adopt).collect::<io::Result<_>>()?;
        for log in [descriptors::ERROR_LOG, descriptors::ACCESS_LOG] {
            // The logs are for the life of the process, under these numbers.
            let _ = sys::fd::adopt(log)?.into_raw_fd();
        }
        let scoreboard = Arc::new(Scoreboard::map(sys::fd::adopt(descriptors::SCOREBOARD)?)?);
        let bell = Arc::new(Waker::new()?);
        Ok(Self { settings, scoreboard, listeners, bell, hooks: None })
    }
}

/// Where log lines go. Writing fails with EBADF in a process that the arbiter did not start.
pub(crate) fn error_log() -> BorrowedFd<'static> {
    // SAFETY: once adopted it is never closed, only replaced.
    unsafe { BorrowedFd::borrow_raw(descriptors::ERROR_LOG) }
}

/// Where access lines go.
pub(crate) fn access_log() -> BorrowedFd<'static> {
    // SAFETY: as above.
    unsafe { BorrowedFd::borrow_raw(descriptors::ACCESS_LOG) }
}

/// From now on what is printed goes to the error log. Programs that the application starts inherit that.
pub(crate) fn capture_output() -> io::Result<()> {
    CAPTURED.store(true, Relaxed);
    for standard in [1, 2] {
        sys::fd::become_standard(standard, error_log())?;
    }
    Ok(())
}

/// The logs were reopened: the old numbers come to mean the new files.
pub(crate) fn replace_logs(fds: &[OwnedFd]) {
    let [error, access] = fds else { return };
    let replaced = sys::fd::replace(descriptors::ERROR_LOG, error.as_fd())
        .and_then(|()| sys::fd::replace(descriptors::ACCESS_LOG, access.as_fd()))
        .and_then(|()| if CAPTURED.load(Relaxed) { capture_output() } else { Ok(()) });
    crate::delivery::reopened();
    if let Err(error) = replaced {
        crate::log::write(Level::Error, &format!("the logs cannot be replaced: {error}"));
    }
}
