//! Starts zygotes: the application's own Python, with the descriptors of `contract::descriptors`.

use super::worker_settings;
use crate::log::Logs;
use crate::settings::{Invocation, Settings};
use contract::channel::Channel;
use contract::id::{Generation, Pid};
use contract::message::{FromZygote, ToZygote};
use contract::scoreboard::Scoreboard;
use contract::settings::{Occasion, Preload};
use contract::statsd::StatsdSettings;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use sys::seqpacket::Seqpacket;
use sys::signal;
use sys::spawn::Program;
use sys::user::Credentials;

/// The program that the interpreter is started with.
pub(crate) const BOOT: &str = include_str!("boot.py");

/// Signals that are the arbiter's to handle, even when a terminal or `systemctl kill` sends them to everyone.
const IGNORED: [i32; 9] = [
    signal::SIGINT,
    signal::SIGTERM,
    signal::SIGQUIT,
    signal::SIGHUP,
    signal::SIGUSR1,
    signal::SIGUSR2,
    signal::SIGWINCH,
    signal::SIGTTIN,
    signal::SIGTTOU,
];

/// What was said to us alone.
const OURS: [&str; 8] = [
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "FDSTORE",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
];

/// Our end of a zygote's channel.
pub(crate) type ZygoteChannel = Channel<ToZygote, FromZygote>;

/// What a zygote is started from.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// How we were called.
    pub(crate) invocation: &'a Invocation,
    /// The interpreter.
    pub(crate) python: &'a Path,
    /// The extension module that it loads.
    pub(crate) extension: &'a Path,
    /// The settings of its generation.
    pub(crate) settings: &'a Settings,
    /// Its generation.
    pub(crate) generation: Generation,
    /// What it is to do.
    pub(crate) errand: Errand,
    /// Who it runs as.
    pub(crate) credentials: Option<&'a Credentials>,
    /// The scoreboard of its generation.
    pub(crate) board: &'a Scoreboard,
    /// Whom workers tell of requests.
    pub(crate) statsd: Option<&'a StatsdSettings>,
    /// The logs of its generation.
    pub(crate) logs: &'a Logs,
    /// The listeners of its generation.
    pub(crate) listeners: Vec<BorrowedFd<'a>>,
}

/// What a zygote is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errand {
    /// About the application.
    pub(crate) preload: Preload,
    /// Why it starts.
    pub(crate) occasion: Occasion,
    /// How many workers are wanted.
    pub(crate) workers: u32,
}

/// A zygote that was started.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its process.
    pub(crate) pid: Pid,
    /// Our end of its channel.
    pub(crate) channel: ZygoteChannel,
    /// What it writes to standard error before the boot program runs.
    pub(crate) said: OwnedFd,
}

/// What a program wrote to its scratch file.
pub(crate) fn text_of(said: OwnedFd) -> String {
    String::from_utf8_lossy(&sys::memory::read(said).unwrap_or_default()).into_owned()
}

impl Plan<'_> {
    /// Starts it; or a sentence says why it could not be.
    pub(crate) fn start(&self) -> Result<Started, String> {
        let sentence = |error| format!("cannot start {}: {error}", self.python.display());
        self.launch().map_err(sentence)
    }

    fn launch(&self) -> io::Result<Started> {
        let settings = worker_settings::of(self);
        let settings = sys::memory::sealed("rcorn-settings", &serde_json::to_vec(&settings)?)?;
        let (near, far) = Seqpacket::pair()?;
        let said = sys::memory::scratch("rcorn-said")?;
        // Under another number: in the child, 2 is the scratch file by the time that descriptors are laid out.
        let stderr = io::stderr().as_fd().try_clone_to_owned()?;
        let mut descriptors = vec![far.as_fd(), settings.as_fd(), self.board.as_fd()];
        descriptors.extend([self.logs.error(), self.logs.access(), stderr.as_fd()]);
        descriptors.extend(&self.listeners);
        let pid = Program {
            program: self.python.to_path_buf(),
            arguments: vec!["-c".into(), BOOT.into(), self.extension.into(), "zygote".into()],
            environment: environment(self.invocation, self.settings),
            descriptors,
            stderr: Some(said.as_fd()),
            credentials: self.credentials.cloned(),
            ignored: IGNORED.to_vec(),
            umask: None,
        }
        .start()?;
        Ok(Started { pid: Pid(pid), channel: Channel::new(near), said })
    }
}

/// What we were given, less what was said to us alone, and what the settings add.
pub(crate) fn environment(invocation: &Invocation, settings: &Settings) -> Vec<(OsString, OsString)> {
    let is_ours = |name: &OsString| OURS.iter().any(|ours| name == ours);
    let is_replaced = |name: &OsString| settings.env.iter().any(|(added, _)| name == added.as_str());
    let given = invocation.environment.iter().filter(|(name, _)| !is_ours(name) && !is_replaced(name));
    let added = settings.env.iter().map(|(name, value)| (name.into(), value.into()));
    given.cloned().chain(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_hear_nothing_that_was_said_to_us() {
        let given = [("NOTIFY_SOCKET", "/run/notify"), ("LISTEN_FDS", "1"), ("HOME", "/root"), ("A", "1")];
        let environment_given = given.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let invocation = Invocation { environment: environment_given, ..Invocation::of_process() };
        let mut settings = crate::arbiter::tests::settings();
        settings.env = vec![("A".into(), "2".into())];
        let expected = [("HOME".into(), "/root".into()), ("A".into(), "2".into())];
        assert_eq!(environment(&invocation, &settings), expected);
    }

    #[test]
    fn the_boot_program_leaves_room_for_a_title() {
        assert!(BOOT.len() >= 300);
    }
}
