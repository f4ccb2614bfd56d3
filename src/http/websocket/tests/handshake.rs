//! Openings: what is one, what is refused with which status, what is answered, and what is agreed on.

use super::*;
use crate::head::Version;
use crate::output::Output;
use crate::reply::{Reply, Said};
use crate::response::Asked;
use crate::websocket::echo::with_request;
use crate::websocket::{Answer, Handshake, Offer};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

const KEY_FIELD: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const USUAL: [&str; 5] =
    ["Host: a", "Upgrade: websocket", "Connection: Upgrade", KEY_FIELD, "Sec-WebSocket-Version: 13"];

fn read(line: &str, fields: &[&str]) -> Handshake {
    let head = format!("{line}\r\n{}\r\n\r\n", fields.join("\r\n"));
    with_request(head.as_bytes(), |request| Ok(Handshake::read(request))).unwrap()
}

/// The usual fields, but one of them is replaced (or left out), and some are added.
fn with(index: usize, field: &str, more: &[&str]) -> Handshake {
    let mut fields = USUAL.to_vec();
    fields[index] = field;
    fields.retain(|field| !field.is_empty());
    fields.extend(more);
    read("GET /chat HTTP/1.1", &fields)
}

fn offered(more: &[&str]) -> Offer {
    match with(0, USUAL[0], more) {
        Handshake::Offered(offer) => offer,
        other => panic!("{other:?}"),
    }
}

fn status(handshake: &Handshake) -> u16 {
    match handshake {
        Handshake::No => 0,
        Handshake::Offered(_) => 101,
        Handshake::Refused(refusal) => refusal.status,
    }
}

/// The response to an offer, or why the application may not say so.
fn answer(offer: &Offer, subprotocol: Option<&str>, fields: &[(&str, &str)]) -> Result<String, String> {
    let mut out = b"before".to_vec();
    let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let answer = Answer { subprotocol, common: b"\r\nServer: rcorn\r\n", fields };
    let outcome =
        offer.accept(answer, &Config::default(), 0, &mut out).map(drop).map_err(|bad| bad.to_string());
    let response = String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned();
    match outcome {
        Ok(()) => Ok(response),
        Err(why) => {
            assert_eq!(response, "", "an error leaves nothing behind");
            Err(why)
        }
    }
}

#[test]
fn the_example_of_rfc_6455_section_1_3() {
    let offer = offered(&["Origin: http://example.com", "Sec-WebSocket-Protocol: chat, superchat"]);
    assert_eq!(offer.subprotocols().collect::<Vec<_>>(), ["chat", "superchat"]);
    let response = answer(&offer, Some("chat"), &[("X-A", "b")]).unwrap();
    assert_eq!(
        response,
        "HTTP/1.1 101 Switching Protocols\r\nServer: rcorn\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\nX-A: b\r\n\r\n"
    );
}

#[test]
fn what_is_a_handshake() {
    assert_eq!(status(&with(0, USUAL[0], &[])), 101);
    assert_eq!(status(&with(1, "upgrade: h2c, WebSocket", &[])), 101);
    assert_eq!(status(&with(2, "Connection: keep-alive, upgrade", &[])), 101);
    assert_eq!(status(&with(2, "Connection: keep-alive", &["Connection: Upgrade"])), 101);
    assert_eq!(status(&with(0, USUAL[0], &["Content-Length: 0"])), 101);
    // Ordinary requests.
    assert_eq!(status(&with(1, "", &[])), 0);
    assert_eq!(status(&with(1, "Upgrade: h2c", &[])), 0);
    assert_eq!(status(&with(1, "Upgrade: websockets", &[])), 0);
    assert_eq!(status(&read("GET / HTTP/1.0", &USUAL)), 0, "RFC 9110, 7.8");
    assert_eq!(status(&read("GET / HTTP/1.1", &USUAL[..2])), 0, "Upgrade alone is nobody's wish");
}

#[test]
fn what_is_refused() {
    assert_eq!(status(&read("POST / HTTP/1.1", &USUAL)), 400);
    assert_eq!(status(&with(2, "Connection: keep-alive", &[])), 400, "the key says that it was meant");
    assert_eq!(status(&with(3, "", &[])), 400);
    for key in [
        "",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZTEy",
        "@@hlIHNhbXBsZSBub25jZQ==",
    ] {
        assert_eq!(status(&with(3, &format!("Sec-WebSocket-Key: {key}"), &[])), 400, "{key}");
    }
    assert_eq!(status(&with(0, USUAL[0], &[KEY_FIELD])), 400, "two keys");
    assert_eq!(status(&with(4, "", &[])), 400);
    for version in ["8", "0", "14", "013", "13, 8"] {
        assert_eq!(status(&with(4, &format!("Sec-WebSocket-Version: {version}"), &[])), 426, "{version}");
    }
    assert_eq!(status(&with(0, USUAL[0], &["Content-Length: 1"])), 400);
    assert_eq!(status(&with(0, USUAL[0], &["Transfer-Encoding: chunked"])), 400);
    assert_eq!(status(&with(0, USUAL[0], &["Sec-WebSocket-Protocol: a b"])), 400);
    for extensions in ["a b", "a;", "a=b", "a;b=", "a;b=\"c", "a;b=\"c d\"", "a;b;;c", "é", "a;b=\"\""] {
        let field = format!("Sec-WebSocket-Extensions: {extensions}");
        assert_eq!(status(&with(0, USUAL[0], &[&field])), 400, "{extensions}");
    }
}

/// RFC 6455, 4.4 and RFC 9110, 15.5.22: what would have to be asked for.
#[test]
fn another_version_hears_which_one() {
    let Handshake::Refused(refusal) = with(4, "Sec-WebSocket-Version: 8", &[]) else { panic!("taken") };
    let (ours, mut client) = UnixStream::pair().unwrap();
    let (mut output, mut buffer) = (Output::default(), Vec::new());
    let asked = Asked { version: Version::Http11, is_head: false, keep_alive: true };
    let mut said = Said::nothing(asked, 1000);
    let mut reply = Reply::new((ours.as_fd(), &mut output), &mut buffer, b"\r\n", &mut said);
    reply.explain(refusal.status, refusal.why);
    drop(ours);
    let mut response = String::new();
    client.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{response}");
    for field in
        ["Upgrade: websocket", "Connection: upgrade", "Connection: close", "Sec-WebSocket-Version: 13"]
    {
        assert!(response.contains(&format!("\r\n{field}\r\n")), "{response}");
    }
    assert!(response.ends_with("\r\n\r\nthe websocket version of this server is 13\n"), "{response}");
}

/// Nothing was lost when the bits of a key that are left over are not nought.
#[test]
fn keys_with_odd_bits() {
    assert_eq!(status(&with(3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==", &[])), 101);
}

#[test]
fn what_the_application_may_not_say() {
    let offer = offered(&["Sec-WebSocket-Protocol: chat"]);
    let why = answer(&offer, Some("Chat"), &[]).unwrap_err();
    assert_eq!(why, "the client did not offer the subprotocol \"Chat\"");
    for name in ["Sec-WebSocket-Accept", "sec-websocket-protocol", "Sec-WebSocket-Extensions"] {
        let why = answer(&offer, None, &[(name, "x")]).unwrap_err();
        assert_eq!(why, format!("the header {name:?} is the server's to send"));
    }
    assert!(answer(&offer, None, &[("A", "b\r\nC: d")]).unwrap_err().contains("control character"));
    assert!(answer(&offer, None, &[("A b", "c")]).unwrap_err().contains("not a token"));
    let quiet =
        answer(&offer, None, &[("Connection", "close"), ("Upgrade", "x"), ("Content-Length", "3")]).unwrap();
    assert!(
        !quiet.contains("close") && !quiet.contains("Upgrade: x") && !quiet.contains("Length"),
        "{quiet}"
    );
    let chunked = answer(&offer, None, &[("Transfer-Encoding", "chunked"), ("Date", "x")]).unwrap();
    assert!(!chunked.contains("chunked") && !chunked.contains("Date"), "{chunked}");
}

/// An offer, and what is answered; RFC 7692, 7.1.
#[test]
fn compression() {
    for (offer, agreed) in [
        ("permessage-deflate", "permessage-deflate"),
        ("PerMessage-Deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=12"),
        ("permessage-deflate; client_max_window_bits=15", "permessage-deflate; client_max_window_bits=12"),
        ("permessage-deflate; client_max_window_bits=8", "permessage-deflate; client_max_window_bits=8"),
        (
            "permessage-deflate; client_max_window_bits=\"10\"",
            "permessage-deflate; client_max_window_bits=10",
        ),
        ("permessage-deflate;server_max_window_bits=15", "permessage-deflate; server_max_window_bits=12"),
        ("permessage-deflate ; server_max_window_bits = 9", "permessage-deflate; server_max_window_bits=9"),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ),
        ("x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"),
        ("foo; bar=\"baz\", permessage-deflate; wat, permessage-deflate", "permessage-deflate"),
        // The first one that can be taken.
        (
            "permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=10",
        ),
        ("permessage-deflate; server_max_window_bits=8", ""),
        ("permessage-deflate; server_max_window_bits", ""),
        ("permessage-deflate; server_max_window_bits=16", ""),
        ("permessage-deflate; server_max_window_bits=09", ""),
        ("permessage-deflate; client_max_window_bits=7", ""),
        ("permessage-deflate; server_no_context_takeover=1", ""),
        ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", ""),
        ("permessage-deflate; unknown", ""),
        ("permessage-bzip2", ""),
        (", ,", ""),
    ] {
        let field = format!("Sec-WebSocket-Extensions: {offer}");
        let response = answer(&offered(&[&field]), None, &[]).unwrap();
        let found = response.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
        assert_eq!(found.unwrap_or(""), agreed, "{offer}");
    }
}

#[test]
fn compression_is_switched_off() {
    let offer = offered(&["Sec-WebSocket-Extensions: permessage-deflate"]);
    let answer = Answer { subprotocol: None, common: b"\r\n", fields: [] };
    let (mut out, config) = (Vec::new(), Config { compression: false, ..Config::default() });
    let mut session = offer.accept(answer, &config, 0, &mut out).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains("Extensions"));
    assert_eq!(hear(&mut session, &frame(0xc1, b"\xf2H\xcd\xc9\xc9\x07\x00").masked(KEY)), "close:1002 ");
}
