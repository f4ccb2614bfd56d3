//! Sealed memory files: how settings and state are handed to another process without a path on disk.

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;

/// A memory file that holds `content` and can never change again.
pub fn sealed(name: &str, content: &[u8]) -> io::Result<OwnedFd> {
    let name = std::ffi::CString::new(name)?;
    let fd = memfd_create(name.as_c_str(), MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let mut file = File::from(fd);
    file.write_all(content)?;
    file.seek(SeekFrom::Start(0))?;
    let seals =
        SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

/// A memory file that is empty and can be written by whoever gets it.
pub fn scratch(name: &str) -> io::Result<OwnedFd> {
    let name = std::ffi::CString::new(name)?;
    Ok(memfd_create(name.as_c_str(), MFdFlags::MFD_CLOEXEC)?)
}

/// A memory file that is empty and always written at its end, whoever writes.
pub fn log(name: &str) -> io::Result<OwnedFd> {
    let fd = scratch(name)?;
    fcntl(&fd, FcntlArg::F_SETFL(nix::fcntl::OFlag::O_APPEND))?;
    Ok(fd)
}

/// Empties a memory file.
pub fn clear(fd: &impl std::os::fd::AsFd) -> io::Result<()> {
    Ok(nix::unistd::ftruncate(fd, 0)?)
}

/// Everything in a memory file, from its start.
pub fn read(fd: OwnedFd) -> io::Result<Vec<u8>> {
    let mut file = File::from(fd);
    file.seek(SeekFrom::Start(0))?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_can_be_read_and_not_written() {
        let fd = sealed("test", b"settings").unwrap();
        let mut file = File::from(fd.try_clone().unwrap());
        assert!(file.write_all(b"x").is_err());
        assert_eq!(read(fd).unwrap(), b"settings");
    }
}
