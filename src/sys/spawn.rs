//! Starting another program with exactly the descriptors, user, environment and signals that it should have.

use crate::checked;
use crate::user::Credentials;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The descriptors that the child gets lie below this number, those of this process at or above it
/// (see `reserve_low_numbers`), so that laying out the child's never overwrites one that is still needed.
pub const FIRST_FREE: RawFd = 68;

/// A program to be started.
#[derive(Debug)]
pub struct Program<'a> {
    /// Its path, or its name to be looked up in PATH.
    pub program: PathBuf,
    /// Its arguments, without its own name.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// What it finds at descriptor 3, 4, …
    pub descriptors: Vec<BorrowedFd<'a>>,
    /// Its standard error; `None` is ours. Takes its place before `descriptors` are laid out.
    pub stderr: Option<BorrowedFd<'a>>,
    /// Who it runs as; `None` is who we are.
    pub credentials: Option<Credentials>,
    /// Signals that it starts out ignoring.
    pub ignored: Vec<i32>,
    /// Its file mode mask; `None` is ours.
    pub umask: Option<u32>,
}

impl Program<'_> {
    /// Starts it and gives its process id. An error of `exec` itself (no such file, not executable) is returned.
    pub fn start(&self) -> io::Result<i32> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(stderr) = self.stderr {
            command.stderr(stderr.try_clone_to_owned()?);
        }
        let sources: Vec<RawFd> = self.descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let mut moved = vec![0; sources.len()];
        let (credentials, ignored, umask) = (self.credentials.clone(), self.ignored.clone(), self.umask);
        let prepare = move || {
            lay_out(&sources, &mut moved)?;
            for signal in &ignored {
                crate::signal::ignore(*signal)?;
            }
            if let Some(mask) = umask {
                // SAFETY: cannot fail, touches one attribute of the child.
                unsafe { libc::umask(mask) };
            }
            credentials.as_ref().map_or(Ok(()), Credentials::assume)
        };
        // SAFETY: between fork and exec `prepare` makes system calls only; all memory it uses was allocated before.
        unsafe { command.pre_exec(prepare) };
        let child = command.spawn()?;
        i32::try_from(child.id()).map_err(io::Error::other)
    }
}

/// Is the file what the kernel starts by itself, a binary or a script that names its interpreter? `start` would have the
/// shell read any other text.
pub fn is_program(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    std::fs::File::open(path)?.take(4).read_to_end(&mut beginning)?;
    Ok(beginning == b"\x7fELF" || beginning.starts_with(b"#!"))
}

fn lay_out(sources: &[RawFd], moved: &mut [RawFd]) -> io::Result<()> {
    for (source, moved) in sources.iter().zip(moved.iter_mut()) {
        // SAFETY: duplicates an open descriptor to a number that is free.
        *moved = checked(unsafe { libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, FIRST_FREE) })?;
    }
    for (target, moved) in (3..).zip(moved.iter()) {
        // SAFETY: `target` is below FIRST_FREE, where nothing lives that the child still needs.
        checked(unsafe { libc::dup2(*moved, target) })?;
    }
    Ok(())
}

/// Opens placeholders at every free number below `FIRST_FREE`. To be called first thing, before anything else opens
/// descriptors.
pub fn reserve_low_numbers() -> io::Result<()> {
    let null = std::fs::File::open("/dev/null")?;
    loop {
        let placeholder = null.try_clone()?;
        if placeholder.as_raw_fd() >= FIRST_FREE {
            break;
        }
        std::mem::forget(placeholder);
    }
    if null.as_raw_fd() < FIRST_FREE {
        std::mem::forget(null);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn program(name: &str, arguments: &[&str]) -> Program<'static> {
        Program {
            program: name.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
            descriptors: Vec::new(),
            stderr: None,
            credentials: None,
            ignored: Vec::new(),
            umask: None,
        }
    }

    #[test]
    fn a_missing_program_is_an_error_of_start() {
        assert_eq!(program("/nowhere/python", &[]).start().unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn text_is_no_program() {
        let directory = std::env::temp_dir().join(format!("rcorn-spawn-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let is = |content: &[u8]| {
            std::fs::write(directory.join("file"), content).unwrap();
            is_program(&directory.join("file")).unwrap()
        };
        assert!(is(b"\x7fELF and more") && is(b"#!/bin/sh\n"));
        assert!(!is(b"") && !is(b"<html>") && !is(b"rm -r x\n"));
        assert!(is_program(&directory.join("nowhere")).is_err());
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn standard_error_can_be_elsewhere() {
        let scratch = crate::memory::scratch("said").unwrap();
        let mut shell = program("sh", &["-c", "echo said >&2"]);
        shell.stderr = Some(scratch.as_fd());
        let pid = shell.start().unwrap();
        crate::process::wait_for(pid).unwrap();
        drop(shell);
        assert_eq!(crate::memory::read(scratch).unwrap(), b"said\n");
    }

    #[test]
    fn descriptors_arrive_in_order() {
        reserve_low_numbers().unwrap();
        let first = crate::memory::sealed("first", b"exit 5").unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        let mut shell = program("sh", &["/dev/fd/4"]);
        shell.descriptors = vec![null.as_fd(), first.as_fd()];
        let pid = shell.start().unwrap();
        assert_eq!(crate::process::wait_for(pid).unwrap(), Some(crate::process::Ended::Exited(5)));
    }
}
