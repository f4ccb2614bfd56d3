//! Changes in directories, as the kernel tells them (inotify): which name in which directory, not what was changed.

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use nix::sys::statfs::statfs;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;

/// Directories that are watched.
#[derive(Debug)]
pub struct Directories(Inotify);

/// A directory that is watched; the same for all its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Directory(WatchDescriptor);

/// What was noticed.
#[derive(Debug, PartialEq, Eq)]
pub enum Noticed {
    /// A file with this name was written, or came, or went.
    File(Directory, OsString),
    /// A directory came or went there.
    Directory(Directory),
    /// This directory is not there any more, and not watched.
    Gone(Directory),
    /// Something was missed.
    Missed,
}

impl Directories {
    /// None yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?))
    }

    /// Watches one. Not what is below it.
    pub fn watch(&self, directory: &Path) -> io::Result<Directory> {
        let flags = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_ONLYDIR;
        Ok(Directory(self.0.add_watch(directory, flags)?))
    }

    /// What was noticed since, nothing when that is nothing.
    pub fn noticed(&self) -> Vec<Noticed> {
        let mut all = Vec::new();
        loop {
            match self.0.read_events() {
                Ok(events) => all.extend(events.into_iter().filter_map(|event| {
                    let directory = Directory(event.wd);
                    match (event.mask, event.name) {
                        (mask, _) if mask.contains(AddWatchFlags::IN_Q_OVERFLOW) => Some(Noticed::Missed),
                        (mask, _) if mask.contains(AddWatchFlags::IN_IGNORED) => {
                            Some(Noticed::Gone(directory))
                        }
                        (mask, _)
                            if mask.intersects(AddWatchFlags::IN_ISDIR | AddWatchFlags::IN_MOVE_SELF) =>
                        {
                            Some(Noticed::Directory(directory))
                        }
                        (_, name) => name.map(|name| Noticed::File(directory, name)),
                    }
                })),
                Err(Errno::EINTR) => {}
                Err(_) => return all,
            }
        }
    }
}

impl AsRawFd for Directories {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl AsFd for Directories {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// File systems whose changes the kernel does not tell, when they come from elsewhere: NFS, SMB, CIFS, SMB2, 9P, FUSE,
/// VirtualBox, Ceph.
const DEAF: [i64; 8] =
    [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x6573_5546, 0x786f_4256, 0x00c3_6400];

/// Does the kernel tell of all changes there?
pub fn hears_of_changes_in(directory: &Path) -> bool {
    #[allow(clippy::useless_conversion, reason = "it is another type on other systems")]
    let kind = statfs(directory).map(|found| i64::try_from(found.filesystem_type().0));
    kind.is_ok_and(|kind| kind.is_ok_and(|kind| !DEAF.contains(&kind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_happens_in_a_directory_is_noticed_by_name() {
        let place = std::env::temp_dir().join(format!("rcorn-inotify-{}", crate::process::own_pid()));
        fs::create_dir_all(&place).unwrap();
        let directories = Directories::new().unwrap();
        let watched = directories.watch(&place).unwrap();
        assert_eq!(directories.watch(&place).unwrap(), watched, "once is enough");
        assert_eq!(directories.noticed(), []);
        fs::write(place.join("a.py"), "x").unwrap();
        let all = directories.noticed();
        assert!(all.contains(&Noticed::File(watched, "a.py".into())), "{all:?}");
        fs::rename(place.join("a.py"), place.join("b.py")).unwrap();
        assert_eq!(directories.noticed().len(), 2);
        fs::create_dir(place.join("below")).unwrap();
        assert_eq!(directories.noticed(), [Noticed::Directory(watched)]);
        fs::remove_dir_all(&place).unwrap();
        let all = directories.noticed();
        assert!(all.contains(&Noticed::Gone(watched)), "{all:?}");
        assert!(directories.watch(&place).is_err());
    }
}
