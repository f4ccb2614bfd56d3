//! Memory that several processes map: handed out as atomics, so that the rooms above need no `unsafe`.

use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// A shared mapping of a memory file, as a row of 64-bit words that start as zero.
#[derive(Debug)]
pub struct SharedWords {
    fd: OwnedFd,
    start: NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: the mapping is only reachable as atomics, and lives as long as the value.
unsafe impl Send for SharedWords {}
// SAFETY: as above; atomics may be used from any thread.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    /// A new memory file of `words` words. Pages are only taken when they are written.
    pub fn create(name: &str, words: usize) -> io::Result<Self> {
        let name = std::ffi::CString::new(name)?;
        let file = File::from(memfd_create(name.as_c_str(), MFdFlags::MFD_CLOEXEC)?);
        file.set_len((words * size_of::<u64>()) as u64)?;
        Self::map(file.into())
    }

    /// Maps a memory file that another process made.
    pub fn map(fd: OwnedFd) -> io::Result<Self> {
        let file = File::from(fd);
        let words = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)? / size_of::<u64>();
        let length = NonZeroUsize::new(words * size_of::<u64>()).ok_or(io::ErrorKind::InvalidData)?;
        let access = nix::sys::mman::ProtFlags::PROT_READ | nix::sys::mman::ProtFlags::PROT_WRITE;
        let shared = nix::sys::mman::MapFlags::MAP_SHARED;
        // SAFETY: a fresh mapping at an address of the kernel's choice; nothing else refers to it.
        let start = unsafe { nix::sys::mman::mmap(None, length, access, shared, &file, 0) }?.cast();
        Ok(Self { fd: file.into(), start, words })
    }

    /// All words.
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is `words` words long, page-aligned, and unmapped only when `self` is dropped; the
        // file is never shortened by us, and all access is atomic.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }
}

impl AsFd for SharedWords {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for SharedWords {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `map` mapped; `words()` borrows cannot outlive `self`.
        let _ = unsafe { nix::sys::mman::munmap(self.start.cast(), self.words * size_of::<u64>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn two_mappings_of_one_file_see_each_other() {
        let first = SharedWords::create("test", 1024).unwrap();
        let second = SharedWords::map(first.as_fd().try_clone_to_owned().unwrap()).unwrap();
        first.words()[1023].store(7, Ordering::Relaxed);
        assert_eq!(second.words()[1023].load(Ordering::Relaxed), 7);
        assert_eq!(second.words().len(), 1024);
    }
}
