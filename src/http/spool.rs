//! Where a body waits until it is complete: in memory while it is small, then in an unlinked temporary file, which is one
//! of memory where there is no directory for it.

use crate::refusal::Refusal;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// A body larger than this goes to a file. (In tests that is less than one read.)
pub(crate) const IN_MEMORY: usize = if cfg!(test) { 32 * 1024 } else { 1024 * 1024 };

/// Collects a body.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
}

impl Spool {
    /// The length so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Takes the next bytes.
    pub(crate) fn write(&mut self, bytes: &[u8], directories: &[PathBuf]) -> Result<(), Refusal> {
        self.length += bytes.len() as u64;
        if self.file.is_none() && self.memory.len() + bytes.len() > IN_MEMORY {
            let mut file = open(directories)?;
            write_all(&mut file, &std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => write_all(file, bytes),
            None => {
                self.memory.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Puts a file back to its beginning, for the application to read.
    pub(crate) fn rewind(&mut self) -> Result<(), Refusal> {
        match &mut self.file {
            Some(file) => file.seek(SeekFrom::Start(0)).map(drop).map_err(|error| refusal_of(&error)),
            None => Ok(()),
        }
    }

    /// What was collected so far, wherever it lies: the rest goes another way.
    pub(crate) fn recall(mut self) -> Result<Vec<u8>, Refusal> {
        self.rewind()?;
        if let Some(file) = &mut self.file {
            file.read_to_end(&mut self.memory).map_err(|error| refusal_of(&error))?;
        }
        Ok(self.memory)
    }

    /// The complete body.
    pub(crate) fn body(&self) -> Body<'_> {
        match &self.file {
            Some(file) => Body::Spooled { file, length: self.length },
            None if self.length == 0 => Body::Empty,
            None => Body::Memory(&self.memory),
        }
    }
}

/// A body, as far as the request knows it.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// There is none, or it has no bytes.
    Empty,
    /// It lies in memory.
    Memory(&'a [u8]),
    /// It lies in a file without a name, positioned at its beginning.
    Spooled {
        /// The file.
        file: &'a File,
        /// Its length.
        length: u64,
    },
    /// It is still arriving: `Exchange::inflow` has it.
    Arriving,
}

/// The first directory that works; the refusal is about the last one.
fn open(directories: &[PathBuf]) -> Result<File, Refusal> {
    if directories.is_empty() {
        return sys::memory::scratch("rcorn-body").map(File::from).map_err(|error| refusal_of(&error));
    }
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for directory in directories {
        match sys::spool::unnamed_file(directory) {
            Ok(file) => return Ok(file),
            Err(error) => failed = error,
        }
    }
    Err(refusal_of(&failed))
}

fn write_all(file: &mut File, bytes: &[u8]) -> Result<(), Refusal> {
    file.write_all(bytes).map_err(|error| refusal_of(&error))
}

fn refusal_of(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Refusal::new(507, "there is no room left to store the body")
        }
        io::ErrorKind::FileTooLarge => Refusal::new(507, "the body is larger than a file may be"),
        _ => Refusal::new(500, "the body cannot be stored: check tmp_upload_dir"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_bodies_stay_in_memory() {
        let mut spool = Spool::default();
        spool.write(b"abc", &[]).unwrap();
        assert!(matches!(spool.body(), Body::Memory(b"abc")));
    }

    #[test]
    fn large_bodies_go_to_a_file_whole() {
        let mut spool = Spool::default();
        for _ in 0..3 {
            spool.write(&[b'x'; IN_MEMORY / 2], &[std::env::temp_dir()]).unwrap();
        }
        spool.rewind().unwrap();
        let Body::Spooled { mut file, length } = spool.body() else { panic!("not spooled") };
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content.len() as u64, length);
        assert!(content.iter().all(|byte| *byte == b'x') && spool.memory.capacity() == 0);
    }

    #[test]
    fn without_a_directory_they_go_to_a_memory_file() {
        let mut spool = Spool::default();
        spool.write(&vec![7; IN_MEMORY + 1], &[]).unwrap();
        spool.rewind().unwrap();
        let Body::Spooled { mut file, length } = spool.body() else { panic!("not spooled") };
        assert_eq!(
            (file.read_to_end(&mut Vec::new()).unwrap() as u64, length),
            (length, IN_MEMORY as u64 + 1)
        );
    }

    #[test]
    fn a_directory_that_does_not_work_is_passed_over() {
        let mut spool = Spool::default();
        let directories = [PathBuf::from("/nowhere"), std::env::temp_dir()];
        spool.write(&vec![0; IN_MEMORY + 1], &directories).unwrap();
        assert_eq!(
            Spool::default().write(&vec![0; IN_MEMORY + 1], &directories[..1]).unwrap_err().status,
            500
        );
    }

    #[test]
    fn a_full_disk_is_told_from_a_wrong_directory() {
        for (number, status) in [
            (28, 507),  // ENOSPC
            (122, 507), // EDQUOT
            (27, 507),  // EFBIG
            (5, 500),   // EIO
            (2, 500),   // ENOENT
        ] {
            assert_eq!(refusal_of(&io::Error::from_raw_os_error(number)).status, status, "error {number}");
        }
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut spool = Spool { file: Some(full), ..Spool::default() };
        assert_eq!(spool.write(b"x", &[]).unwrap_err().status, 507);
    }
}
