//! What systemd, or another manager that speaks its language, is told. Without `NOTIFY_SOCKET` nobody is.
//!
//! A message waits for room in the manager's queue for a moment when it matters, and not at all when the next one says
//! the same: a manager that does not read holds up nobody.

mod pressure;
pub(crate) mod status;

pub(crate) use pressure::Pressure;

use crate::settings::Invocation;
use sd_notify::NotifyState;
use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// What systemd can be told, beside the status line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The service is up.
    Ready,
    /// It is about to be another program, or to have other settings.
    Reloading,
    /// It is going down.
    Stopping,
    /// It could not come up.
    Failed,
}

/// How long a message that matters waits for room.
const PATIENCE: Duration = Duration::from_secs(1);
/// For how long systemd is asked to wait from now on, while something takes its time.
const MORE_TIME: u32 = 10_000_000;
/// The same for the moment in which the arbiter becomes its successor.
const SLEEP: u32 = 30_000_000;

/// Whoever started us.
#[derive(Debug)]
pub(crate) struct Manager {
    address: Option<OsString>,
    /// How often it wants to hear that we live.
    watchdog: Option<Duration>,
    /// It keeps sockets.
    has_store: bool,
    /// The status line that it knows.
    said: String,
}

impl Manager {
    /// The one that the environment names.
    pub(crate) fn of(invocation: &Invocation) -> Self {
        let text = |name| invocation.variable(name).filter(|text| !text.is_empty());
        let address = text("NOTIFY_SOCKET").map(Into::into);
        let own = sys::process::own_pid().to_string();
        let is_ours = address.is_some() && text("WATCHDOG_PID").is_none_or(|pid| pid == own);
        let limit = text("WATCHDOG_USEC").and_then(|text| text.parse().ok()).filter(|limit| *limit > 0);
        // Three times, so that one that comes late is no harm.
        let watchdog = limit.filter(|_| is_ours).map(|limit: u64| Duration::from_micros(limit) / 3);
        // Before version 254 it does not say so by itself; our unit does.
        let has_store = address.is_some() && text("FDSTORE").is_some_and(|most| most != "0");
        Self { address, watchdog, has_store, said: String::new() }
    }

    /// Is there one?
    pub(crate) fn is_there(&self) -> bool {
        self.address.is_some()
    }

    /// How often it wants to hear that we live.
    pub(crate) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Says what happens, with a line for `systemctl status`.
    pub(crate) fn tell(&mut self, notice: Notice, line: &str) {
        self.said = one_line(line);
        let status = NotifyState::Status(&self.said);
        match notice {
            Notice::Ready => self.send(&[NotifyState::Ready, status], PATIENCE),
            Notice::Stopping => self.send(&[NotifyState::Stopping, status], PATIENCE),
            Notice::Failed => self.send(&[status], PATIENCE),
            Notice::Reloading => {
                let Ok(now) = NotifyState::monotonic_usec_now() else { return };
                self.send(&[NotifyState::Reloading, now, status], PATIENCE);
                // A watchdog sleeps until the next program has come to itself.
                self.send(&[NotifyState::ExtendTimeoutUsec(SLEEP)], PATIENCE);
            }
        }
    }

    /// Says why it ends, with the kernel's number for that.
    pub(crate) fn fail(&mut self, line: &str, errno: Option<u32>) {
        if let Some(errno) = errno {
            self.send(&[NotifyState::Errno(errno)], PATIENCE);
        }
        self.tell(Notice::Failed, line);
    }

    /// Says how it goes, where that is news.
    pub(crate) fn status(&mut self, line: &str) {
        let line = one_line(line);
        if self.said != line {
            self.send(&[NotifyState::Status(&line)], Duration::ZERO);
            self.said = line;
        }
    }

    /// Says that we live.
    pub(crate) fn alive(&self) {
        self.send(&[NotifyState::Watchdog], Duration::ZERO);
    }

    /// Asks for more time for what is under way.
    pub(crate) fn ask_for_time(&self) {
        self.send(&[NotifyState::ExtendTimeoutUsec(MORE_TIME)], Duration::ZERO);
    }

    /// Does it keep sockets for us while we are not there?
    pub(crate) fn has_store(&self) -> bool {
        self.has_store
    }

    /// Has it keep this socket: connections wait in its queue while we are not there.
    pub(crate) fn store(&self, name: &str, socket: BorrowedFd<'_>) {
        if self.has_store {
            self.send_with(&[NotifyState::FdStore, NotifyState::FdName(name)], &[socket], PATIENCE);
        }
    }

    /// Has it let go of that one.
    pub(crate) fn forget(&self, name: &str) {
        if self.has_store {
            self.send(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)], PATIENCE);
        }
    }

    fn send(&self, states: &[NotifyState<'_>], patience: Duration) {
        self.send_with(states, &[], patience);
    }

    fn send_with(&self, states: &[NotifyState<'_>], sockets: &[BorrowedFd<'_>], patience: Duration) {
        let Some(address) = &self.address else { return };
        let text: String = states.iter().map(|state| format!("{state}\n")).collect();
        // There is nobody to tell when that fails.
        let _ = sys::notify::send(address, text.as_bytes(), sockets, patience);
    }
}

/// A line end would begin a message of its own.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(variables: &[(&str, &str)]) -> Manager {
        let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Manager::of(&Invocation { environment, ..Invocation::of_process() })
    }

    #[test]
    fn a_watchdog_is_for_this_process_and_somebody_who_listens() {
        let own = sys::process::own_pid().to_string();
        let socket = ("NOTIFY_SOCKET", "/run/x");
        let third = Some(Duration::from_secs(10));
        for (variables, expected) in [
            (vec![socket, ("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", &own)], third),
            (vec![socket, ("WATCHDOG_USEC", "30000000")], third),
            (vec![socket, ("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", "1")], None),
            (vec![socket, ("WATCHDOG_USEC", "0")], None),
            (vec![socket, ("WATCHDOG_USEC", "soon")], None),
            (vec![("WATCHDOG_USEC", "30000000")], None),
        ] {
            assert_eq!(manager(&variables).watchdog(), expected, "{variables:?}");
        }
        assert!(!manager(&[("NOTIFY_SOCKET", "")]).is_there());
    }

    #[test]
    fn a_line_stays_one() {
        assert_eq!(one_line("a\nREADY=1\r\n"), "a READY=1  ");
    }
}
