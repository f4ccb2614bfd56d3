//! Target `forwarded`: what proxies say in header fields, `X-Forwarded-For` and `Forwarded` above all.
//!
//! - From a peer that is not trusted nothing is believed.
//! - The client is the peer or an address in the field to the right of which all are trusted. Whatever a client
//!   invents, the address that a proxy of ours writes behind it is the one that counts; and one more proxy of ours
//!   behind that changes nothing.
//! - https is what a trusted field says, and no field says otherwise.
//! - No field with an underscore passes that may not; script name and path are the path that was asked for, cut at the
//!   beginning of a segment.

use super::feed::{Taken, feed};
use super::oracle::{all, trim};
use super::{shown, split};
use crate::config::Config;
use crate::proxy::{Client, ClientField, Networks, Trust, Underscores};
use std::net::{IpAddr, Ipv4Addr};

/// Trusted, as everything in 10.0.0.0/8 and fd00::/8 is.
const OURS: &str = "10.1.2.3";
const STRANGER: &str = "203.0.113.7";

/// Tries `data`.
pub fn forwarded(data: &[u8]) {
    let Some((choice, seed, lines)) = split(data) else { return };
    let trusted = choice & 8 == 0;
    let config = Config { trust: trust(choice), ..Config::default() };
    let Some(taken) = ask(lines, seed, &config, trusted) else { return };
    check_names(&taken, &config.trust, trusted, lines);
    check_scheme(&taken, &config.trust, trusted, lines);
    match config.trust.client_field {
        ClientField::XForwardedFor if trusted => check_x_forwarded_for(&taken, lines),
        _ if !trusted => assert_eq!(taken.client, None, "believed: {}", shown(lines)),
        ClientField::None => assert_eq!(taken.client, None, "{}", shown(lines)),
        _ => {}
    }
    if trusted && config.trust.client_field != ClientField::None {
        check_what_we_add(lines, taken.client, &config);
    }
}

fn trust(choice: u8) -> Trust {
    let network = |text: &str| (text.parse().unwrap(), 8);
    let fields = [("X-FORWARDED-PROTO", "https"), ("X-FORWARDED-SSL", "on")];
    Trust {
        proxies: Networks::new([network("10.0.0.0"), network("fd00::")]),
        scheme_fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        forwarder_fields: vec!["SCRIPT_NAME".to_owned(), "Remote_User".to_owned()],
        underscores: [Underscores::Drop, Underscores::Refuse, Underscores::Keep]
            [usize::from(choice >> 4) % 3],
        client_field: [ClientField::XForwardedFor, ClientField::Forwarded, ClientField::None]
            [usize::from(choice & 3) % 3],
        script_name: if choice & 4 == 0 { String::new() } else { "/app".to_owned() },
        ..Trust::default()
    }
}

/// A request with these lines; `None` when it is refused, or lines of its own end it.
fn ask(lines: &[u8], seed: u8, config: &Config, trusted: bool) -> Option<Taken> {
    let ends = lines.windows(4).any(|four| four == b"\r\n\r\n");
    if ends || lines.is_empty() || lines.starts_with(b"\r\n") || lines.ends_with(b"\r\n") {
        return None;
    }
    let message = [b"GET /app/x?y HTTP/1.1\r\nHost: a\r\n", lines, b"\r\n\r\n"].concat();
    let story = feed(&message, seed, config, trusted);
    story.taken.into_iter().next()
}

fn check_names(taken: &Taken, trust: &Trust, trusted: bool, lines: &[u8]) {
    let may = |name: &[u8]| trusted && trust.forwarder_fields.iter().any(|field| is(name, field));
    let strange = taken.fields.iter().any(|(name, _)| name.contains(&b'_') && !may(name));
    assert!(!strange || trust.underscores == Underscores::Keep, "{:?}: {}", taken.fields, shown(lines));
    assert_eq!(
        format!("{}{}?{}", taken.script_name, taken.path, taken.query),
        "/app/x?y",
        "{}",
        shown(lines)
    );
    let mount = all(&taken.fields, "script_name").last().copied().filter(|_| trusted);
    let mount = mount.unwrap_or(trust.script_name.as_bytes());
    assert_eq!(taken.script_name.as_bytes(), mount.strip_suffix(b"/").unwrap_or(mount), "{}", shown(lines));
    assert!(taken.path.starts_with('/') || taken.path.is_empty(), "{}", shown(lines));
}

fn check_scheme(taken: &Taken, trust: &Trust, trusted: bool, lines: &[u8]) {
    let told = trust.scheme_fields.iter().flat_map(|(name, https)| {
        all(&taken.fields, name).into_iter().map(|value| value == https.as_bytes()).collect::<Vec<_>>()
    });
    let told: Vec<bool> = told.filter(|_| trusted).collect();
    if taken.https {
        let forwarded = trusted && trust.client_field == ClientField::Forwarded;
        assert!(
            told.iter().all(|https| *https) && (forwarded || !told.is_empty()),
            "https: {}",
            shown(lines)
        );
    } else {
        assert!(!told.contains(&true), "not https: {}", shown(lines));
    }
}

/// All members of all fields, from the right, for as long as they are ours.
fn check_x_forwarded_for(taken: &Taken, lines: &[u8]) {
    let values = all(&taken.fields, "x-forwarded-for").join(&b',');
    let mut expected = None;
    for member in values.split(|byte| *byte == b',').map(trim).rev().filter(|member| !member.is_empty()) {
        let Some(client) = client(&String::from_utf8_lossy(member)) else { break };
        expected = Some(client);
        if !is_ours(client.ip) {
            break;
        }
    }
    assert_eq!(taken.client, expected, "{}", shown(lines));
}

/// An address, alone or with a port.
fn client(text: &str) -> Option<Client> {
    let text = match text.split_once(":_") {
        Some((rest, name)) if rest.ends_with(']') || rest.parse::<Ipv4Addr>().is_ok() => {
            let plain = name.replace(['.', '_', '-'], "x");
            (!plain.is_empty() && plain.chars().all(|c| c.is_ascii_alphanumeric())).then_some(rest)?
        }
        _ => text,
    };
    if text.contains('%') {
        return None;
    }
    let alone = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(ip) =
        text.parse::<IpAddr>().ok().or(alone.and_then(|text| Some(IpAddr::V6(text.parse().ok()?))))
    {
        return Some(Client { ip, port: None });
    }
    let end: std::net::SocketAddr = text.parse().ok()?;
    Some(Client { ip: end.ip(), port: Some(end.port()) })
}

fn is_ours(ip: IpAddr) -> bool {
    let text = ip.to_canonical().to_string();
    text.starts_with("10.") || text.starts_with("fd") && text.find(':') == Some(4)
}

/// Proxies of ours add what they know, in the same field or in one more.
fn check_what_we_add(lines: &[u8], before: Option<Client>, config: &Config) {
    let (name, of) = match config.trust.client_field {
        ClientField::Forwarded => ("Forwarded", "for="),
        _ => ("X-Forwarded-For", ""),
    };
    let last_line = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let same_field = last_line.len() > name.len() && is(&last_line[..=name.len()], &format!("{name}:"));
    let more = if same_field { ", ".to_owned() } else { format!("\r\n{name}: ") };
    for (address, expected) in [(STRANGER, None), (OURS, before)] {
        let added = [lines, format!("{more}{of}{address}").as_bytes()].concat();
        let Some(taken) = ask(&added, 0, config, true) else { continue };
        let known = Client { ip: address.parse().unwrap(), port: None };
        assert_eq!(taken.client, expected.or(Some(known)), "{}", shown(&added));
    }
}

fn is(text: &[u8], other: &str) -> bool {
    text.eq_ignore_ascii_case(other.as_bytes())
}
