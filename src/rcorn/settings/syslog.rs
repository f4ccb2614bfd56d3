//! What the settings about syslog come to: `unix://PATH#dgram`, `udp://HOST:PORT`, `tcp://HOST:PORT`, names of facilities.

use super::{Settings, host};
use contract::syslog::{FACILITIES, SyslogAddress, SyslogSettings};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

const PORT: u16 = 514;

/// What was said of syslog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Syslog {
    pub(super) wanted: bool,
    pub(super) address: Option<SyslogAddress>,
    pub(super) prefix: String,
    pub(super) facility: u8,
    pub(super) access: bool,
    /// Address and facility as they were written.
    pub(super) said: (String, String),
}

impl Settings {
    /// Looks up where syslog is, if it is wanted.
    pub(super) fn find_syslog(&mut self) -> Result<(), String> {
        if self.logs.syslog.wanted {
            self.logs.syslog.address = Some(address(&self.logs.syslog.said.0)?);
        }
        Ok(())
    }

    /// The syslog that lines are sent to as well.
    pub(crate) fn syslog(&self) -> Option<SyslogSettings> {
        let address = self.logs.syslog.address.clone().filter(|_| self.logs.syslog.wanted)?;
        let shown = self.name.as_ref().unwrap_or(&self.app).replace(':', ".");
        let prefix = if self.logs.syslog.prefix.is_empty() { &shown } else { &self.logs.syslog.prefix };
        let name = format!("gunicorn.{prefix}");
        Some(SyslogSettings {
            address,
            facility: self.logs.syslog.facility,
            name,
            access: self.logs.syslog.access,
        })
    }
}

/// An address as it is written.
enum Written<'t> {
    Unix(SyslogAddress),
    Udp(&'t str, u16),
    Tcp(&'t str, u16),
}

/// Is it well written? Names are looked up where it is wanted: the default need not be there.
pub(super) fn check(text: &str) -> Result<(), String> {
    read(text).map(drop)
}

fn address(text: &str) -> Result<SyslogAddress, String> {
    Ok(match read(text)? {
        Written::Unix(address) => address,
        Written::Udp(host, port) => SyslogAddress::Udp(find(host, port)?),
        Written::Tcp(host, port) => SyslogAddress::Tcp(find(host, port)?),
    })
}

fn read(text: &str) -> Result<Written<'_>, String> {
    if let Some(path) = text.strip_prefix("unix://") {
        return unix(path).map(Written::Unix);
    }
    match (text.strip_prefix("udp://"), text.strip_prefix("tcp://")) {
        (Some(place), _) => host(place).map(|(host, port)| Written::Udp(host, port)),
        (_, Some(place)) => host(place).map(|(host, port)| Written::Tcp(host, port)),
        _ => Err(format!("expected unix://PATH, udp://HOST:PORT or tcp://HOST:PORT, found {text:?}")),
    }
}

fn unix(path: &str) -> Result<SyslogAddress, String> {
    let (path, kind) = match path.rsplit_once('#') {
        Some((path, "dgram")) => (path, Some(false)),
        Some((path, "stream")) => (path, Some(true)),
        Some((_, other)) => return Err(format!("a unix socket is #dgram or #stream, not #{other}")),
        None => (path, None),
    };
    if path.starts_with('/') && path.len() < 108 {
        Ok(SyslogAddress::Unix(path.into(), kind))
    } else {
        Err(format!("expected an absolute path of at most 107 bytes behind unix://, found {path:?}"))
    }
}

fn host(place: &str) -> Result<(&str, u16), String> {
    let (host, port) = host::parse(place, PORT, "HOST, HOST:PORT or [IPV6]:PORT")?;
    Ok((if host.is_empty() { "localhost" } else { host }, port))
}

fn find(host: &str, port: u16) -> Result<SocketAddr, String> {
    host::find(host, port).ok_or(format!("there is no host {host:?}"))
}

pub(super) fn facility(text: &str) -> Result<u8, String> {
    let found = FACILITIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, number)| *number).ok_or_else(|| {
        let names: Vec<_> = FACILITIES.iter().map(|(name, _)| *name).collect();
        format!("there is no facility {text:?}: there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address() {
        let unix = |kind| Ok(SyslogAddress::Unix("/dev/log".into(), kind));
        assert_eq!(address("unix:///dev/log"), unix(None));
        assert_eq!(address("unix:///dev/log#dgram"), unix(Some(false)));
        assert_eq!(address("unix:///dev/log#stream"), unix(Some(true)));
        assert_eq!(address("udp://127.0.0.1"), Ok(SyslogAddress::Udp("127.0.0.1:514".parse().unwrap())));
        assert_eq!(address("tcp://[::1]:6514"), Ok(SyslogAddress::Tcp("[::1]:6514".parse().unwrap())));
        for text in [
            "localhost:514",
            "udp://127.0.0.1:x",
            "unix://log",
            "unix:///a#b",
            "tcp://[::1",
            "tcp://[::1]6514",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_wanted_is_not_looked_up() {
        assert_eq!(check("udp://nowhere.invalid:514"), Ok(()));
        let mut settings = Settings::default();
        settings.logs.syslog.said.0 = "udp://nowhere.invalid".to_owned();
        assert_eq!(settings.find_syslog(), Ok(()));
        settings.logs.syslog.wanted = true;
        assert_eq!(settings.find_syslog(), Err("there is no host \"nowhere.invalid\"".to_owned()));
    }

    #[test]
    fn facilities_have_their_numbers() {
        assert_eq!((facility("local3"), facility("USER")), (Ok(19), Ok(1)));
        assert!(
            facility("local9").unwrap_err().starts_with("there is no facility \"local9\": there are auth,")
        );
    }
}
