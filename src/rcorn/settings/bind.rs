//! The forms of an address: `HOST`, `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH`, `unix:@NAME`, `fd://N`, `fd://NAME`.

use super::host;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use sys::socket::Address;

/// The port where none is given.
const PORT: u16 = 8000;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) enum Bind {
    /// An address that we bind.
    Address(Address),
    /// A descriptor that we were started with.
    Fd(i32),
    /// The sockets that systemd hands over under this name.
    Handed(String),
}

impl Bind {
    /// Does the kernel choose a port?
    pub(super) fn is_any_port(&self) -> bool {
        matches!(self, Self::Address(Address::Tcp(address)) if address.port() == 0)
    }
}

/// As it is written.
impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Fd(number) => write!(f, "fd://{number}"),
            Self::Handed(name) => write!(f, "fd://{name}"),
        }
    }
}

impl From<Bind> for String {
    fn from(bind: Bind) -> Self {
        bind.to_string()
    }
}

impl TryFrom<String> for Bind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse(&text)
    }
}

/// The address that `text` names.
pub(super) fn parse(text: &str) -> Result<Bind, String> {
    parse_or(text, PORT)
}

/// The same with another port where none is given.
pub(super) fn parse_or(text: &str, port: u16) -> Result<Bind, String> {
    if let Some(number) = text.strip_prefix("fd://") {
        return descriptor(number).ok_or(format!(
            "{text:?} names no descriptor: expected fd:// and a number, or a socket's FileDescriptorName="
        ));
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path.strip_prefix("//").unwrap_or(path)).map(Bind::Address);
    }
    let place = text.strip_prefix("tcp://").unwrap_or(text);
    tcp(place, port).map(|address| Bind::Address(Address::Tcp(address)))
}

/// A number, or the name that systemd gives to a socket.
fn descriptor(text: &str) -> Option<Bind> {
    match text.parse::<i32>() {
        Ok(number) => (number >= 0).then_some(Bind::Fd(number)),
        Err(_) => {
            let is_name = !text.is_empty() && !text.contains([':', '/']) && !text.contains(char::is_control);
            is_name.then(|| Bind::Handed(text.to_owned()))
        }
    }
}

fn unix(path: &str) -> Result<Address, String> {
    match path.strip_prefix('@') {
        Some(name) if !name.is_empty() && name.len() < 108 => Ok(Address::Abstract(name.as_bytes().to_vec())),
        None if !path.is_empty() && path.len() < 108 => Ok(Address::Unix(path.into())),
        _ if path.len() >= 108 => {
            Err(format!("{path:?} is longer than the 107 bytes of a unix socket's name"))
        }
        _ => Err("expected unix: and a path, or unix:@ and a name".to_owned()),
    }
}

fn tcp(text: &str, default: u16) -> Result<SocketAddr, String> {
    let (host, port) = host::parse(text, default, "HOST:PORT, [IPV6]:PORT, unix:PATH or fd://N")?;
    if port_alone(text) {
        return Err(format!("{text:?} is no host; a port alone is written as \":{text}\""));
    }
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    host::find(host, port).ok_or(format!("{host:?} is no address of this machine, nor the name of one"))
}

fn port_alone(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(Bind::Address(address)) => address.to_string(),
            Ok(Bind::Fd(number)) => format!("fd://{number}"),
            Ok(Bind::Handed(name)) => format!("named {name}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    #[test]
    fn every_form() {
        for (text, address) in [
            ("127.0.0.1", "127.0.0.1:8000"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            (":81", "0.0.0.0:81"),
            ("[::1]:82", "[::1]:82"),
            ("[::1]", "[::1]:8000"),
            ("tcp://10.0.0.1:83", "10.0.0.1:83"),
            ("unix:/run/app.sock", "unix:/run/app.sock"),
            ("unix:///run/app.sock", "unix:/run/app.sock"),
            ("unix:@app", "unix:@app"),
            ("fd://3", "fd://3"),
            ("fd://web", "named web"),
            ("fd://rcorn@shop.socket", "named rcorn@shop.socket"),
            ("localhost:84", "127.0.0.1:84"),
        ] {
            assert_eq!(shown(text), address);
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "127.0.0.1:99999",
            "::1",
            "unix:",
            "unix:@",
            "fd://",
            "fd://a:b",
            "fd://-1",
            "[::1",
            "127.0.0.1:x",
            "a b:1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("8000").unwrap_err(), "\"8000\" is no host; a port alone is written as \":8000\"");
        for prefix in ["unix:/", "unix:@"] {
            let error = parse(&format!("{prefix}{}", "x".repeat(108))).unwrap_err();
            assert!(error.contains("107 bytes"), "{error}");
        }
    }
}
