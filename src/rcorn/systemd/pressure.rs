//! Memory pressure, as systemd has us watch it (`MEMORY_PRESSURE_WATCH`): a file of the kernel that is told what we want
//! to hear of, or a pipe that somebody writes to.

use crate::settings::Invocation;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use sys::poll::Interest;

/// What is watched.
#[derive(Debug)]
pub(crate) struct Pressure {
    file: File,
    is_pipe: bool,
}

impl Pressure {
    /// The one that the environment names; a sentence, when that cannot be watched.
    pub(crate) fn of(invocation: &Invocation) -> Result<Option<Self>, String> {
        let path = invocation.variable("MEMORY_PRESSURE_WATCH");
        let Some(path) = path.filter(|path| !matches!(*path, "" | "/dev/null")) else { return Ok(None) };
        let wish = invocation.variable("MEMORY_PRESSURE_WRITE").unwrap_or_default();
        let wish = contract::base64::decode(wish.as_bytes()).unwrap_or_default();
        Self::open(path, &wish)
            .map(Some)
            .map_err(|error| format!("cannot watch memory pressure at {path}: {error}"))
    }

    fn open(path: &str, wish: &[u8]) -> io::Result<Self> {
        // Written as well, a pipe has no end.
        let mut file =
            OpenOptions::new().read(true).write(true).custom_flags(sys::fd::NONBLOCKING).open(path)?;
        let is_pipe = file.metadata()?.file_type().is_fifo();
        if !is_pipe && !wish.is_empty() {
            file.write_all(wish)?;
        }
        Ok(Self { file, is_pipe })
    }

    /// How it is waited for.
    pub(crate) fn interest(&self) -> Interest {
        if self.is_pipe { Interest::Read } else { Interest::Urgent }
    }

    /// It was heard.
    pub(crate) fn acknowledge(&mut self) {
        if self.is_pipe {
            let mut buffer = [0; 256];
            while matches!(self.file.read(&mut buffer), Ok(1..)) {}
        }
    }
}

impl AsFd for Pressure {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
