//! Becoming another program in place: same process id, same children, the descriptors that are to cross, and no
//! signal lost on the way. What fails is undone, and the caller goes on as it was.

use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// Holds back all signals that can be held back, until `release_signals` here or in the program that follows: those
/// that arrive meanwhile wait.
pub fn hold_signals() -> io::Result<()> {
    Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)?)
}

/// Lets through what waits, and what is to come.
pub fn release_signals() -> io::Result<()> {
    Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?)
}

/// Another program, and what it gets.
#[derive(Debug)]
pub struct Successor<'a> {
    /// Its path.
    pub program: &'a Path,
    /// Its arguments, its own name first.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The descriptors that it finds open, under the same numbers.
    pub descriptors: &'a [RawFd],
}

impl Successor<'_> {
    /// Becomes it. To be called on the main thread with signals held. It comes back with an error or not at all.
    pub fn take_over(self) -> io::Error {
        match self.try_to() {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    fn try_to(self) -> io::Result<std::convert::Infallible> {
        let text = |text: OsString| CString::new(text.into_vec()).map_err(io::Error::from);
        let program = text(self.program.as_os_str().to_owned())?;
        let arguments: Vec<CString> = self.arguments.into_iter().map(text).collect::<io::Result<_>>()?;
        let pair = |(mut name, value): (OsString, OsString)| {
            name.push("=");
            name.push(value);
            text(name)
        };
        let environment: Vec<CString> = self.environment.into_iter().map(pair).collect::<io::Result<_>>()?;
        for number in self.descriptors {
            crate::fd::set_cloexec(number, false)?;
        }
        let failed = nix::unistd::execve(&program, &arguments, &environment);
        for number in self.descriptors {
            let _ = crate::fd::set_cloexec(number, true);
        }
        Ok(failed?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_changes_nothing() {
        let file = crate::memory::scratch("crossing").unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&file);
        let error = Successor {
            program: Path::new("/nowhere/rcorn"),
            arguments: vec!["rcorn".into()],
            environment: Vec::new(),
            descriptors: &[number],
        }
        .take_over();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(crate::fd::is_cloexec(&file).unwrap());
    }
}
