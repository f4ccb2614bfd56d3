//! Syslog as Gunicorn speaks it, which is Python's `SysLogHandler`: `<PRIORITY>gunicorn.NAME.error: [PID] text`. Such lines
//! have neither time nor host; rsyslog, syslog-ng and journald add theirs.

use crate::logline::Level;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use sys::syslog::{Place, Sender, Transport};

/// What there is to be said, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyslogSettings {
    /// Where it is.
    pub address: SyslogAddress,
    /// The number of the facility.
    pub facility: u8,
    /// What lines begin with, before `.error` or `.access`.
    pub name: String,
    /// Does it get the access log, too?
    pub access: bool,
}

/// Where a syslog is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyslogAddress {
    /// A unix socket; a stream where that is true, datagrams where it is false, what is there where nothing was said.
    Unix(PathBuf, Option<bool>),
    /// UDP.
    Udp(SocketAddr),
    /// TCP.
    Tcp(SocketAddr),
}

/// Which log a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What rcorn has to say.
    Error,
    /// Requests.
    Access,
}

/// A syslog that lines are sent to.
#[derive(Debug)]
pub struct Syslog {
    settings: SyslogSettings,
    sender: Mutex<Sender>,
}

impl Syslog {
    /// To be connected when there is something to say.
    pub fn new(settings: SyslogSettings) -> Self {
        let place = match settings.address.clone() {
            SyslogAddress::Unix(path, stream) => {
                let kind = |stream| if stream { Transport::Stream } else { Transport::Datagrams };
                Place::Unix(path, stream.map(kind))
            }
            SyslogAddress::Udp(address) => Place::Udp(address),
            SyslogAddress::Tcp(address) => Place::Tcp(address),
        };
        Self { settings, sender: Mutex::new(Sender::new(place)) }
    }

    /// What it was made of.
    pub fn settings(&self) -> &SyslogSettings {
        &self.settings
    }

    /// Can it be reached?
    pub fn reach(&self) -> io::Result<()> {
        self.sender().transport().map(drop)
    }

    /// Sends a line. One that it does not take is counted, and the count is told when it takes one again.
    pub fn send(&self, part: Part, level: Level, text: &[u8]) {
        let mut sender = self.sender();
        let Ok(transport) = sender.transport() else { return sender.miss() };
        match sender.take_dropped() {
            0 => {}
            count => {
                let missing = format!("{count} lines were dropped: syslog did not keep up");
                sender.send(&self.framed(Part::Error, Level::Warning, missing.as_bytes(), transport));
            }
        }
        sender.send(&self.framed(part, level, text, transport));
    }

    /// Sends what waits.
    pub fn flush(&self) {
        self.sender().flush();
    }

    /// This process was forked: the connection is its parent's.
    pub fn is_inherited(&self) {
        self.sender().is_inherited();
    }

    fn sender(&self) -> MutexGuard<'_, Sender> {
        // Whoever panicked with it left it whole.
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn framed(&self, part: Part, level: Level, text: &[u8], transport: Transport) -> Vec<u8> {
        let priority = self.settings.facility * 8 + severity(level);
        let part = if part == Part::Error { "error" } else { "access" };
        let (name, pid) = (&self.settings.name, sys::process::own_pid());
        let mut message = format!("<{priority}>{name}.{part}: [{pid}] ").into_bytes();
        let text = text.trim_ascii_end();
        match transport {
            Transport::Datagrams => {
                message.extend_from_slice(text);
                message.push(0);
            }
            // RFC 6587, 3.4.2: a line break ends a message, so those within it are written as rsyslog writes them.
            Transport::Stream => {
                for line in text.split_inclusive(|byte| *byte == b'\n') {
                    message.extend_from_slice(line.trim_ascii_end());
                    message.extend_from_slice(if line.ends_with(b"\n") { b"#012" } else { b"" });
                }
                message.push(b'\n');
            }
        }
        message
    }
}

/// RFC 5424, 6.2.1.
fn severity(level: Level) -> u8 {
    match level {
        Level::Critical => 2,
        Level::Error => 3,
        Level::Warning => 4,
        Level::Info => 6,
        Level::Debug => 7,
    }
}

/// The facilities that Gunicorn knows, with their numbers.
pub const FACILITIES: [(&str, u8); 21] = [
    ("auth", 4),
    ("authpriv", 10),
    ("cron", 9),
    ("daemon", 3),
    ("ftp", 11),
    ("kern", 0),
    ("lpr", 6),
    ("mail", 2),
    ("news", 7),
    ("security", 4),
    ("syslog", 5),
    ("user", 1),
    ("uucp", 8),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_framed_as_its_transport_wants_it() {
        let address = SyslogAddress::Unix("/dev/log".into(), None);
        let settings = SyslogSettings { address, facility: 16, name: "gunicorn.shop".into(), access: true };
        let syslog = Syslog::new(settings);
        let made = |transport| {
            let message = syslog.framed(Part::Access, Level::Info, b"one\n two\n", transport);
            String::from_utf8(message).unwrap()
        };
        let pid = sys::process::own_pid();
        assert_eq!(made(Transport::Datagrams), format!("<134>gunicorn.shop.access: [{pid}] one\n two\0"));
        assert_eq!(made(Transport::Stream), format!("<134>gunicorn.shop.access: [{pid}] one#012 two\n"));
    }
}
