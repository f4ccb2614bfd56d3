//! The way that a request came, as proxies wrote it down: `X-Forwarded-For`, and `Forwarded` (RFC 7239).
//!
//! Each proxy adds at the right whom it spoke to. So the way is walked from the right, for as long as those who wrote
//! it are trusted; what lies further to the left may be anybody's invention.

use super::Client;
use super::networks::Networks;
use crate::refusal::Refusal;
use crate::token::{is_token, is_value_byte, list, trim};
use std::net::IpAddr;

/// One step of the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    /// Who sent; `None` where that is hidden or no address.
    pub(super) client: Option<Client>,
    /// Did it come by https? `None` where nothing is said.
    pub(super) https: Option<bool>,
}

/// The step that counts: the first from the right that a proxy of ours does not account for.
pub(super) fn nearest_stranger(hops: &[Hop], proxies: &Networks) -> Option<Hop> {
    let mut nearest = None;
    for hop in hops.iter().rev() {
        let Some(client) = hop.client else { break };
        nearest = Some(*hop);
        if !proxies.contains(client.ip) {
            break;
        }
    }
    nearest
}

/// The members of one `X-Forwarded-For` field.
pub(super) fn x_forwarded_for(value: &[u8]) -> impl Iterator<Item = Hop> {
    list(value).map(|member| Hop { client: client(member), https: None })
}

/// The elements of one `Forwarded` field (RFC 7239, 4). What breaks the grammar is refused rather than guessed at: an
/// open quote of the client's would swallow what a proxy wrote behind it.
pub(super) fn forwarded(value: &[u8]) -> Result<Vec<Hop>, Refusal> {
    let malformed = Refusal::bad("the Forwarded field is malformed");
    let mut hops = Vec::new();
    for element in split_outside_quotes(value, b',').ok_or(malformed)? {
        if !trim(element).is_empty() {
            hops.push(element_of(element).ok_or(malformed)?);
        }
    }
    Ok(hops)
}

fn element_of(element: &[u8]) -> Option<Hop> {
    let mut hop = Hop::default();
    for pair in split_outside_quotes(element, b';')? {
        let pair = trim(pair);
        if pair.is_empty() {
            continue;
        }
        let equals = memchr::memchr(b'=', pair)?;
        let (name, value) = (&pair[..equals], unquote(&pair[equals + 1..])?);
        if !is_token(name) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"for") {
            hop.client = client(&value);
        } else if name.eq_ignore_ascii_case(b"proto") {
            hop.https = Some(value.eq_ignore_ascii_case(b"https"));
        }
    }
    Some(hop)
}

/// The parts between `mark`s that are in no quoted string; `None` when a quote stays open.
fn split_outside_quotes(text: &[u8], mark: u8) -> Option<Vec<&[u8]>> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (index, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if *byte == mark && !quoted => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

/// A token, or what a quoted string means (RFC 9110, 5.6.4). Addresses are taken without quotes as well: many write so.
fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let Some(inner) = text.strip_prefix(b"\"") else {
        let plain = |byte: &u8| is_value_byte(*byte) && !matches!(byte, b'"' | b' ' | b'\t');
        return (!text.is_empty() && text.iter().all(plain)).then(|| text.to_vec());
    };
    let (mut value, mut bytes) = (Vec::new(), inner.iter());
    loop {
        match bytes.next()? {
            b'"' => return bytes.as_slice().is_empty().then_some(value),
            b'\\' => value.push(*bytes.next()?),
            byte => value.push(*byte),
        }
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; nothing for `unknown` and names.
fn client(text: &[u8]) -> Option<Client> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(literal) = text.strip_prefix('[') {
        let (address, rest) = literal.split_once(']')?;
        return Some(Client { ip: IpAddr::V6(address.parse().ok()?), port: port(rest)? });
    }
    if let Ok(ip) = text.parse() {
        return Some(Client { ip, port: None });
    }
    let colon = text.find(':')?;
    Some(Client { ip: IpAddr::V4(text[..colon].parse().ok()?), port: port(&text[colon..])? })
}

/// Nothing, or a colon and a port; a hidden port (`_x`) is none. `None` for anything else.
fn port(text: &str) -> Option<Option<u16>> {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty().then_some(None) };
    if let Some(name) = port.strip_prefix('_') {
        let hidden = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        return (!name.is_empty() && name.bytes().all(hidden)).then_some(None);
    }
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|_| digits).map(Some)
}
