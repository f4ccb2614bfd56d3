//! The forms of an address: `HOST`, `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH`, `unix:@NAME`, `fd://N`.

use super::Bind;
use std::net::{SocketAddr, ToSocketAddrs};
use sys::socket::Address;

/// The port where none is given.
const PORT: u16 = 8000;

/// The address that `text` names. A host name stands for the first address that it has.
pub(super) fn parse(text: &str) -> Result<Bind, String> {
    if let Some(number) = text.strip_prefix("fd://") {
        let number = number.parse().ok().filter(|number: &i32| *number >= 0);
        return number
            .map(Bind::Fd)
            .ok_or(format!("{text:?} names no descriptor: expected fd:// and a number"));
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path.strip_prefix("//").unwrap_or(path)).map(Bind::Address);
    }
    let place = text.strip_prefix("tcp://").unwrap_or(text);
    tcp(place).map(|address| Bind::Address(Address::Tcp(address)))
}

fn unix(path: &str) -> Result<Address, String> {
    match path.strip_prefix('@') {
        Some(name) if !name.is_empty() => Ok(Address::Abstract(name.as_bytes().to_vec())),
        None if !path.is_empty() && path.len() < 108 => Ok(Address::Unix(path.into())),
        None if !path.is_empty() => {
            Err(format!("the path {path:?} is longer than the 107 bytes of a unix socket's"))
        }
        _ => Err("expected unix: and a path, or unix:@ and a name".to_owned()),
    }
}

fn tcp(text: &str) -> Result<SocketAddr, String> {
    let expected = || format!("expected HOST:PORT, [IPV6]:PORT, unix:PATH or fd://N, found {text:?}");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or_else(expected)?,
        None => text.split_at(text.rfind(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => PORT,
        Some(port) => port
            .parse()
            .map_err(|_| format!("{port:?} is no port: expected a number from 0 to 65535, in {text:?}"))?,
        None => return Err(expected()),
    };
    if host.contains(':') && !text.starts_with('[') {
        return Err(format!("an IPv6 address stands in brackets: [{text}]:{PORT}"));
    }
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let found = (host, port).to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or(format!("{host:?} is no address of this machine, nor the name of one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(Bind::Address(address)) => address.to_string(),
            Ok(Bind::Fd(number)) => format!("fd://{number}"),
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
        ] {
            assert_eq!(shown(text), address);
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in
            ["127.0.0.1:99999", "::1", "unix:", "unix:@", "fd://x", "fd://-1", "[::1", "127.0.0.1:x", "a b:1"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
