//! The file of a unix socket that we made. It goes with the one who listens there, unless something else took its place.

use std::cell::Cell;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::user::{Credentials, change_owner};

/// The file. Removed with this value.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
    stays: Cell<bool>,
}

impl SocketFile {
    /// The file was made a moment ago; `owner` gets it.
    pub(crate) fn made(path: &Path, owner: Option<&Credentials>) -> io::Result<Self> {
        let file = Self { path: path.to_path_buf(), identity: identity(path)?, stays: Cell::new(false) };
        if let Some(owner) = owner {
            change_owner(path, Some(owner.uid), Some(owner.gid))?;
        }
        Ok(file)
    }

    /// As it crosses to a successor: its path, device and number.
    pub(crate) fn pack(&self) -> (PathBuf, u64, u64) {
        (self.path.clone(), self.identity.0, self.identity.1)
    }

    /// It stays when we go.
    pub(crate) fn leave(&self) {
        self.stays.set(true);
    }

    /// As it was before it crossed.
    pub(crate) fn unpack((path, device, number): (PathBuf, u64, u64)) -> Self {
        Self { path, identity: (device, number), stays: Cell::new(false) }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if !self.stays.get() && identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let data = std::fs::symlink_metadata(path)?;
    Ok((data.dev(), data.ino()))
}
