//! A file or a stream that lines are written to, and where the file is by now.

use crate::settings::LogTarget;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use sys::fd::replace;
use sys::user::Credentials;

/// Where a file is that was opened by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whereabouts {
    /// There, or it was never a file.
    There,
    /// Nothing has its name.
    Missing,
    /// Another one has its name.
    Elsewhere,
}

/// Something that lines are written to.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) target: Option<LogTarget>,
    /// Whoever else holds it writes to the new file as well when it is reopened.
    pub(super) fd: Arc<OwnedFd>,
}

impl Sink {
    /// Is it the stream that systemd connected with its journal?
    pub(super) fn is_journal(&self) -> bool {
        let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
        self.target == Some(LogTarget::Stream) && sys::journal::is_stream(self.fd.as_fd(), &stream)
    }

    pub(super) fn share(&self) -> io::Result<Self> {
        Ok(Self { target: self.target.clone(), fd: Arc::new(self.fd.try_clone()?) })
    }

    pub(super) fn whereabouts(&self) -> Whereabouts {
        let Some(LogTarget::File(path)) = &self.target else { return Whereabouts::There };
        let ours = self.fd.try_clone().and_then(|fd| File::from(fd).metadata());
        match (std::fs::metadata(path), ours) {
            (Ok(named), Ok(ours)) if (named.dev(), named.ino()) != (ours.dev(), ours.ino()) => {
                Whereabouts::Elsewhere
            }
            (Err(error), Ok(_)) if error.kind() == io::ErrorKind::NotFound => Whereabouts::Missing,
            _ => Whereabouts::There,
        }
    }

    pub(super) fn reopen(&mut self, owner: Option<&Credentials>) -> Result<(), String> {
        if let Some(LogTarget::File(path)) = &self.target {
            let reopened = open_file(path, owner).and_then(|file| replace(self.fd.as_raw_fd(), file.as_fd()));
            reopened.map_err(|error| format!("cannot reopen {}: {error}", path.display()))?;
        }
        Ok(())
    }
}

/// Opens what a setting names; `stream` stands for itself, /dev/null for nothing.
pub(super) fn open(
    target: Option<&LogTarget>,
    stream: BorrowedFd<'_>,
    owner: Option<&Credentials>,
) -> io::Result<OwnedFd> {
    match target {
        None => Ok(OpenOptions::new().write(true).open("/dev/null")?.into()),
        Some(LogTarget::Stream) => stream.try_clone_to_owned(),
        Some(LogTarget::File(path)) => Ok(open_file(path, owner)?.into()),
    }
}

fn open_file(path: &std::path::Path, owner: Option<&Credentials>) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    if let Some(owner) = owner {
        std::os::unix::fs::fchown(&file, Some(owner.uid), Some(owner.gid))?;
    }
    Ok(file)
}
