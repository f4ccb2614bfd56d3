//! `HOST`, `HOST:PORT` and `[IPV6]:PORT`, wherever a setting has them: listeners, statsd, syslog. What no host at all
//! means, and whether port 0 does, is for those who ask.

use std::net::{SocketAddr, ToSocketAddrs};

/// Host and port that `text` names, `default` being the port where none is given. `forms` says what else may stand there.
pub(super) fn parse<'t>(text: &'t str, default: u16, forms: &str) -> Result<(&'t str, u16), String> {
    let expected = || format!("expected {forms}, found {text:?}");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or_else(expected)?,
        None => text.split_at(text.rfind(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => default,
        Some(port) => port
            .parse()
            .map_err(|_| format!("{port:?} is no port: expected a number from 0 to 65535, in {text:?}"))?,
        None => return Err(expected()),
    };
    if host.contains(':') && !text.starts_with('[') {
        return Err(format!("an IPv6 address stands in brackets: [{text}]:{default}"));
    }
    Ok((host, port))
}

/// The first IPv4 address of a host, else its first address: with many resolvers `localhost` is `::1` first, and who
/// asks or listens at 127.0.0.1 would be missed.
pub(super) fn find(host: &str, port: u16) -> Option<SocketAddr> {
    let found: Vec<_> = (host, port).to_socket_addrs().into_iter().flatten().collect();
    found.iter().find(|address| address.is_ipv4()).or(found.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        for (text, host, port) in [
            ("a.example", "a.example", 7),
            ("a.example:80", "a.example", 80),
            (":80", "", 80),
            ("[::1]", "::1", 7),
            ("[::1]:80", "::1", 80),
        ] {
            assert_eq!(parse(text, 7, "HOST"), Ok((host, port)), "{text}");
        }
        for (text, why) in [
            ("[::1", "expected HOST, found \"[::1\""),
            ("[::1]80", "expected HOST, found \"[::1]80\""),
            ("a:x", "\"x\" is no port: expected a number from 0 to 65535, in \"a:x\""),
            ("::1", "an IPv6 address stands in brackets: [::1]:7"),
        ] {
            assert_eq!(parse(text, 7, "HOST").unwrap_err(), why);
        }
    }
}
