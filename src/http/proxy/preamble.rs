//! The PROXY protocol, versions 1 and 2: what a proxy that does not speak HTTP says before the first request.
//!
//! | rule (HAProxy, proxy-protocol.txt)                              | where             |
//! |-----------------------------------------------------------------|-------------------|
//! | v1 is one line of at most 107 bytes with CRLF, single spaces    | `v1`              |
//! | UNKNOWN: the peer itself counts, what follows is passed over    | `v1`              |
//! | v2 begins with a signature; version 2, command LOCAL or PROXY   | `v2`              |
//! | LOCAL, and families without addresses: the peer itself counts   | `v2`              |
//! | what follows the addresses (TLVs) is passed over, up to a limit | `LONGEST_V2`      |
//!
//! As in Gunicorn a connection without one is served as well; from a peer that may not send one it is refused.

use super::Trust;
use crate::refusal::Refusal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Both ends of the connection that the proxy accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxied {
    /// The client.
    pub source: SocketAddr,
    /// Where the client connected to.
    pub destination: SocketAddr,
}

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Not enough to tell.
    Unclear,
    /// No PROXY header.
    Nothing,
    /// A PROXY header of so many bytes, and what it says of the client.
    Header(usize, Option<Proxied>),
}

/// A connection that may begin with a PROXY header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preamble {
    /// May this peer send one?
    pub(crate) allowed: bool,
}

const V1: &[u8] = b"PROXY ";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// With its CRLF.
const LONGEST_V1: usize = 107;
/// Addresses and TLVs.
const LONGEST_V2: usize = 4096;

const BAD_V1: Refusal = Refusal::bad("the PROXY line is malformed");
const BAD_V2: Refusal = Refusal::bad("the PROXY header is malformed");

impl Preamble {
    /// Looks at the first bytes of a connection.
    pub(crate) fn look(self, input: &[u8], trust: &Trust) -> Result<Seen, Refusal> {
        let begins = |mark: &[u8]| input.starts_with(mark) || mark.starts_with(input);
        let (may_be_v1, may_be_v2) = (trust.preamble_v1 && begins(V1), trust.preamble_v2 && begins(V2));
        let whole = may_be_v1 && input.len() >= V1.len() || may_be_v2 && input.len() >= V2.len();
        match (may_be_v1 || may_be_v2, whole) {
            (false, _) => Ok(Seen::Nothing),
            (true, false) => Ok(Seen::Unclear),
            (true, true) if !self.allowed => {
                Err(Refusal::new(403, "this peer may not send a PROXY header: see proxy_allow_ips"))
            }
            (true, true) if may_be_v1 => v1(input),
            (true, true) => v2(input),
        }
    }
}

fn v1(input: &[u8]) -> Result<Seen, Refusal> {
    let window = &input[..input.len().min(LONGEST_V1)];
    let Some(end) = memchr::memchr(b'\n', window) else {
        return if input.len() >= LONGEST_V1 { Err(BAD_V1) } else { Ok(Seen::Unclear) };
    };
    let line = window[..end].strip_suffix(b"\r").ok_or(BAD_V1)?;
    let line = std::str::from_utf8(line).ok().filter(|line| line.is_ascii()).ok_or(BAD_V1)?;
    let parts: Vec<&str> = line.split(' ').collect();
    let proxied = match parts.as_slice() {
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", "TCP4", ends @ ..] => Some(ends_of::<Ipv4Addr>(ends)?),
        ["PROXY", "TCP6", ends @ ..] => Some(ends_of::<Ipv6Addr>(ends)?),
        _ => return Err(BAD_V1),
    };
    Ok(Seen::Header(end + 1, proxied))
}

/// `SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT`.
fn ends_of<A: std::str::FromStr + Into<IpAddr>>(parts: &[&str]) -> Result<Proxied, Refusal> {
    let [source, destination, source_port, destination_port] = parts else { return Err(BAD_V1) };
    let end = |address: &str, port: &str| {
        let address: A = address.parse().ok()?;
        Some(SocketAddr::new(address.into(), decimal_port(port)?))
    };
    Ok(Proxied {
        source: end(source, source_port).ok_or(BAD_V1)?,
        destination: end(destination, destination_port).ok_or(BAD_V1)?,
    })
}

/// Digits without a nought in front.
fn decimal_port(text: &str) -> Option<u16> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

fn v2(input: &[u8]) -> Result<Seen, Refusal> {
    let Some(([command, family, high, low], rest)) = input[V2.len()..].split_first_chunk::<4>() else {
        return Ok(Seen::Unclear);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > LONGEST_V2 || !matches!(command, 0x20 | 0x21) {
        return Err(BAD_V2);
    }
    let Some(block) = rest.get(..length) else { return Ok(Seen::Unclear) };
    let proxied = match (command, family) {
        // LOCAL: the proxy speaks for itself, and the family is to be ignored. Unspecified, datagrams, unix sockets:
        // no address of a client that anybody could use.
        (0x20, _) | (_, 0x00 | 0x12 | 0x22 | 0x31 | 0x32) => None,
        (_, 0x11) => Some(ends_in::<4>(block)?),
        (_, 0x21) => Some(ends_in::<16>(block)?),
        _ => return Err(BAD_V2),
    };
    Ok(Seen::Header(V2.len() + 4 + length, proxied))
}

/// Two addresses of `N` bytes, then two ports.
fn ends_in<const N: usize>(block: &[u8]) -> Result<Proxied, Refusal>
where
    IpAddr: From<[u8; N]>,
{
    let (source, rest) = block.split_first_chunk::<N>().ok_or(BAD_V2)?;
    let (destination, rest) = rest.split_first_chunk::<N>().ok_or(BAD_V2)?;
    let ([a, b, c, d], _) = rest.split_first_chunk::<4>().ok_or(BAD_V2)?;
    Ok(Proxied {
        source: SocketAddr::new((*source).into(), u16::from_be_bytes([*a, *b])),
        destination: SocketAddr::new((*destination).into(), u16::from_be_bytes([*c, *d])),
    })
}
