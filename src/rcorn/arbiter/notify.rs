//! What systemd is told. Without `NOTIFY_SOCKET` this does nothing.

use super::action::Notice;
use sd_notify::NotifyState;

/// Tells systemd, with a line for `systemctl status`. There is nobody to tell when that fails.
pub(crate) fn tell(notice: Notice, status: &str) {
    // A newline would end the line, and begin a message of its own.
    let status = status.replace('\n', " ");
    let status = NotifyState::Status(&status);
    let _ = match notice {
        Notice::Ready => sd_notify::notify(&[NotifyState::Ready, status]),
        Notice::Reloading => reloading(&status),
        Notice::Stopping => sd_notify::notify(&[NotifyState::Stopping, status]),
    };
}

/// The watchdog, if there is one, sleeps until the next program has come to itself.
fn reloading(status: &NotifyState<'_>) -> std::io::Result<()> {
    let now = NotifyState::monotonic_usec_now()?;
    sd_notify::notify(&[NotifyState::Reloading, now, status.clone()])?;
    sd_notify::notify(&[NotifyState::ExtendTimeoutUsec(SLEEP)])
}

/// Microseconds.
const SLEEP: u32 = 30_000_000;
