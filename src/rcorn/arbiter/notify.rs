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
        Notice::Stopping => sd_notify::notify(&[NotifyState::Stopping, status]),
        Notice::Status => sd_notify::notify(&[status]),
    };
}
