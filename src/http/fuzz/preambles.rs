//! Target `preambles`: PROXY headers, versions 1 and 2, before the first request.
//!
//! - Pieces do not matter: a beginning either leaves it open, or says what the whole says.
//! - What is taken, written anew from the addresses that came out, is what came in; no more is used than its length.
//! - What is passed over does not begin as a header that is expected; what a stranger sends is refused.
//! - Any two addresses, written down in either version, come out again, and the request behind them is served.

use super::feed::feed;
use super::{requests, shown, split};
use crate::config::Config;
use crate::proxy::{Preamble, Proxied, Seen, Trust};
use crate::refusal::Refusal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const PLAIN: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

/// Tries `data`.
pub fn preambles(data: &[u8]) {
    let Some((choice, seed, message)) = split(data) else { return };
    let trust = Trust { preamble_v1: choice & 1 == 0, preamble_v2: choice & 2 == 0, ..Trust::default() };
    let allowed = choice & 4 == 0;
    let seen = check_beginnings(message, allowed, &trust);
    check_one(message, &seen, allowed, &trust);
    if allowed {
        let config = Config { trust, ..Config::default() };
        check_connection(message, &seen, seed, &config);
        check_addresses(message, &config);
    }
}

fn look(input: &[u8], allowed: bool, trust: &Trust) -> Result<Seen, Refusal> {
    Preamble { allowed }.look(input, trust)
}

/// What the whole message gives; each beginning of it gives the same, or leaves it open.
fn check_beginnings(message: &[u8], allowed: bool, trust: &Trust) -> Result<Seen, Refusal> {
    let whole = look(message, allowed, trust);
    for length in 0..message.len() {
        let early = look(&message[..length], allowed, trust);
        assert!(
            early == Ok(Seen::Unclear) || early == whole,
            "{early:?}, then {whole:?}: {}",
            shown(message)
        );
    }
    whole
}

fn check_one(message: &[u8], seen: &Result<Seen, Refusal>, allowed: bool, trust: &Trust) {
    let begins = |mark: &[u8]| message.starts_with(mark) || mark.starts_with(message);
    let (one, two) = (trust.preamble_v1 && begins(b"PROXY "), trust.preamble_v2 && begins(SIGNATURE));
    let shown = shown(message);
    match seen {
        Ok(Seen::Nothing) => assert!(!one && !two, "passed over: {shown}"),
        Ok(Seen::Unclear) => {
            assert!(one && message.len() < 107 || two && message.len() < 16 + 4096, "waits: {shown}");
        }
        Ok(Seen::Header(used, proxied)) => {
            assert!(allowed && (one || two) && *used <= message.len(), "taken: {shown}");
            let header = &message[..*used];
            let is = if one { is_v1(header, *proxied) } else { is_v2(header, *proxied) };
            assert!(is, "{proxied:?} came of {shown}");
        }
        Err(refusal) => {
            assert!(one || two, "refused, but no header: {shown}");
            assert_eq!(refusal.status, if allowed { 400 } else { 403 }, "{shown}");
        }
    }
}

/// Is this the line for these addresses? Addresses of version 6 can be written in several ways.
fn is_v1(header: &[u8], proxied: Option<Proxied>) -> bool {
    let Some(line) = header.strip_suffix(b"\r\n") else { return false };
    let one_line = header.len() <= 107 && !line.contains(&b'\n');
    let Some(proxied) = proxied else {
        return one_line && (line == b"PROXY UNKNOWN" || line.starts_with(b"PROXY UNKNOWN "));
    };
    let line = String::from_utf8_lossy(line);
    let canonical = |part: &str| part.parse().map_or(part.to_owned(), |ip: Ipv6Addr| ip.to_string());
    let line = line.split(' ').map(canonical).collect::<Vec<_>>().join(" ");
    one_line && format!("{line}\r\n").as_bytes() == write_v1(&proxied)
}

fn write_v1(Proxied { source, destination }: &Proxied) -> Vec<u8> {
    let family = if source.is_ipv4() { 4 } else { 6 };
    let (from, to) = (source.ip(), destination.ip());
    format!("PROXY TCP{family} {from} {to} {} {}\r\n", source.port(), destination.port()).into_bytes()
}

/// Is this the block for these addresses, whatever follows them?
fn is_v2(header: &[u8], proxied: Option<Proxied>) -> bool {
    let Some(([command, family, high, low], block)) =
        header.strip_prefix(SIGNATURE).and_then(|rest| rest.split_first_chunk())
    else {
        return false;
    };
    let whole = block.len() == usize::from(*high) * 256 + usize::from(*low) && block.len() <= 4096;
    let Some(proxied) = proxied else {
        return whole && (*command == 0x20 || *command == 0x21 && !matches!(family, 0x11 | 0x21));
    };
    let written = write_v2(&proxied);
    whole && header[..14] == written[..14] && header[16..].starts_with(&written[16..])
}

fn write_v2(Proxied { source, destination }: &Proxied) -> Vec<u8> {
    let octets = |ip| match ip {
        IpAddr::V4(ip) => Ipv4Addr::octets(&ip).to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let ports = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
    let block = [octets(source.ip()), octets(destination.ip()), ports].concat();
    let family = if source.is_ipv4() { 0x11 } else { 0x21 };
    [SIGNATURE, &[0x21, family, 0, block.len() as u8], &block].concat()
}

/// The same over a connection, with the requests behind it.
fn check_connection(message: &[u8], seen: &Result<Seen, Refusal>, seed: u8, config: &Config) {
    let story = feed(message, seed, config, false);
    let (used, proxied) = match seen {
        Ok(Seen::Header(used, proxied)) => (*used, *proxied),
        _ => (0, None),
    };
    assert_eq!(story.proxied, proxied, "{}", shown(message));
    requests::check(message, &story, used, config);
}

/// The addresses and ports that the first bytes of `message` are.
fn check_addresses(message: &[u8], config: &Config) {
    let Some((bytes, _)) = message.split_first_chunk::<36>() else { return };
    let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let end = |at: usize, v4: bool| -> IpAddr {
        let octets: [u8; 16] = std::array::from_fn(|index| bytes[at + index]);
        if v4 {
            Ipv4Addr::from_octets([octets[0], octets[1], octets[2], octets[3]]).into()
        } else {
            octets.into()
        }
    };
    for v4 in [true, false] {
        let source = SocketAddr::new(end(0, v4), port(32));
        let proxied = Proxied { source, destination: SocketAddr::new(end(16, v4), port(34)) };
        let mut headers = Vec::new();
        headers.extend(config.trust.preamble_v1.then(|| write_v1(&proxied)));
        headers.extend(config.trust.preamble_v2.then(|| write_v2(&proxied)));
        for header in headers {
            let story = feed(&[&header, PLAIN].concat(), 0, config, false);
            assert_eq!((story.proxied, story.taken.len()), (Some(proxied), 1), "{}", shown(&header));
        }
    }
}
