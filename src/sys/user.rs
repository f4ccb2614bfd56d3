//! Users and groups: looking them up, and becoming one for good.

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use std::ffi::CString;
use std::io;

/// Who a process is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl Credentials {
    /// The credentials of `user` with its own primary group, or `group` where one is given.
    ///
    /// Both are names or numbers. `None` when there is no such user or group.
    pub fn look_up(user: Option<&str>, group: Option<&str>) -> io::Result<Option<Self>> {
        let account = match user {
            None => None,
            Some(name) => match find_user(name)? {
                None => return Ok(None),
                found => found,
            },
        };
        let gid = match (group, &account) {
            (Some(name), _) => match find_group(name)? {
                None => return Ok(None),
                Some(gid) => gid,
            },
            (None, Some((_, gid, _))) => *gid,
            (None, None) => nix::unistd::getegid(),
        };
        let uid = account.as_ref().map_or_else(nix::unistd::geteuid, |(uid, _, _)| *uid);
        let groups = match account {
            Some((_, _, Some(name))) => getgrouplist(&name, gid)?,
            _ => vec![gid],
        };
        let groups = groups.into_iter().map(Gid::as_raw).collect();
        Ok(Some(Self { uid: uid.as_raw(), gid: gid.as_raw(), groups }))
    }

    /// Becomes this user for good. Makes system calls only, so it may run between fork and exec.
    pub fn assume(&self) -> io::Result<()> {
        // SAFETY: the pointer and length describe a live slice of gid_t; the raw system calls are used on purpose:
        // glibc's wrappers would signal other threads, and after a fork there are none.
        unsafe {
            raw(libc::syscall(libc::SYS_setgroups, self.groups.len(), self.groups.as_ptr()))?;
            raw(libc::syscall(libc::SYS_setresgid, self.gid, self.gid, self.gid))?;
            raw(libc::syscall(libc::SYS_setresuid, self.uid, self.uid, self.uid))
        }
    }

    /// True when a process of ours has these ids already and there is nothing to change.
    pub fn is_own(&self) -> bool {
        nix::unistd::geteuid().as_raw() == self.uid && nix::unistd::getegid().as_raw() == self.gid
    }
}

fn raw(result: libc::c_long) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

type Account = (Uid, Gid, Option<CString>);

fn find_user(name: &str) -> io::Result<Option<Account>> {
    let by_number = name.parse().ok().map(Uid::from_raw);
    let account = match by_number {
        Some(uid) => User::from_uid(uid)?,
        None => User::from_name(name)?,
    };
    Ok(match (account, by_number) {
        (Some(account), _) => Some((account.uid, account.gid, CString::new(account.name).ok())),
        // A number needs no entry in the user database.
        (None, Some(uid)) => Some((uid, nix::unistd::getegid(), None)),
        (None, None) => None,
    })
}

fn find_group(name: &str) -> io::Result<Option<Gid>> {
    if let Ok(number) = name.parse() {
        return Ok(Some(Gid::from_raw(number)));
    }
    Ok(Group::from_name(name)?.map(|group| group.gid))
}

/// True when this process runs as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Sets the file mode mask and gives the one before.
pub fn set_umask(mask: u32) -> u32 {
    // SAFETY: cannot fail, touches one attribute of this process.
    unsafe { libc::umask(mask) }
}

/// Gives a path to a user and group (`None` leaves it).
pub fn change_owner(path: &std::path::Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    std::os::unix::fs::chown(path, uid, gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_found_by_name_and_by_number() {
        let by_name = Credentials::look_up(Some("root"), None).unwrap().unwrap();
        let by_number = Credentials::look_up(Some("0"), None).unwrap().unwrap();
        assert_eq!((by_name.uid, by_name.gid), (0, 0));
        assert_eq!(by_name, by_number);
    }

    #[test]
    fn unknown_names_are_none() {
        assert_eq!(Credentials::look_up(Some("no-such-user"), None).unwrap(), None);
        assert_eq!(Credentials::look_up(None, Some("no-such-group")).unwrap(), None);
    }

    #[test]
    fn a_number_needs_no_entry() {
        let credentials = Credentials::look_up(Some("54321"), Some("54322")).unwrap().unwrap();
        assert_eq!((credentials.uid, credentials.gid, credentials.groups), (54321, 54322, vec![54322]));
    }
}
