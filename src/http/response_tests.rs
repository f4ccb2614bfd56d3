//! Heads of responses: what is let through, what is ours to say, and how the body is framed.

use super::*;

const COMMON: &[u8] = b"\r\nServer: test\r\n";
const GET: Asked = Asked { version: Version::Http11, is_head: false, keep_alive: true };

/// The head that comes of a status and fields, and how its body is framed.
fn head(status: &str, fields: &[(&str, &str)], asked: Asked, whole: Option<u64>) -> (String, Framing) {
    let mut out = Vec::new();
    let mut head = ResponseHead::begin(status.as_bytes(), COMMON, &mut out).unwrap();
    for (name, value) in fields {
        head.field(name.as_bytes(), value.as_bytes(), &mut out).unwrap();
    }
    let framing = head.seal(&asked, whole, &mut out);
    (String::from_utf8(out).unwrap(), framing)
}

#[test]
fn a_whole_body_gets_its_length() {
    let (text, framing) = head("200 OK", &[("A", "b")], GET, Some(3));
    assert_eq!(text, "HTTP/1.1 200 OK\r\nServer: test\r\nA: b\r\nContent-Length: 3\r\n\r\n");
    assert_eq!(framing, Framing::Length(3));
}

#[test]
fn an_unknown_length_is_chunked_or_ends_with_the_connection() {
    let (text, framing) = head("200 OK", &[], GET, None);
    assert!(text.ends_with("\r\nTransfer-Encoding: chunked\r\n\r\n") && framing == Framing::Chunked);
    let (text, framing) = head("200 OK", &[], Asked { version: Version::Http10, ..GET }, None);
    assert!(text.ends_with("\r\nConnection: close\r\n\r\n") && framing == Framing::ToTheEnd);
}

#[test]
fn the_connection_is_ours_to_speak_of() {
    let (text, _) = head("200 OK", &[], Asked { keep_alive: false, ..GET }, Some(0));
    assert!(text.contains("\r\nConnection: close\r\n"));
    let (text, _) = head("200 OK", &[], Asked { version: Version::Http10, ..GET }, Some(0));
    assert!(text.contains("\r\nConnection: keep-alive\r\n"));
    let (text, _) = head("200 OK", &[("Connection", "foo, close")], GET, Some(0));
    assert!(text.contains("\r\nConnection: close\r\n") && !text.contains("foo"));
    for ours in
        ["Keep-Alive", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Server", "Date", "Proxy-Connection"]
    {
        assert!(!head("200 OK", &[(ours, "x-y-z")], GET, Some(0)).0.contains("x-y-z"), "{ours}");
    }
    for theirs in ["Servers", "Dates", "X-Upgrade", "Set-Cookie", "Via"] {
        assert!(head("200 OK", &[(theirs, "x-y-z")], GET, Some(0)).0.contains("x-y-z"), "{theirs}");
    }
}

#[test]
fn what_has_no_body_has_none() {
    let head_request = Asked { is_head: true, ..GET };
    for (status, asked, fields, length) in [
        ("204 No Content", GET, vec![("Content-Length", "3")], None),
        ("304 Not Modified", GET, vec![("Content-Length", "3")], Some("3")),
        ("304 Not Modified", GET, vec![], None),
        ("200 OK", head_request, vec![("Content-Length", "3")], Some("3")),
        ("200 OK", head_request, vec![], None),
    ] {
        let (text, framing) = head(status, &fields, asked, Some(0));
        let found = text.split("Content-Length: ").nth(1).map(|rest| rest.split('\r').next().unwrap());
        assert_eq!((framing, found), (Framing::Nothing, length), "{status}");
    }
}

#[test]
fn what_would_break_the_message_is_refused() {
    let mut out = Vec::new();
    for status in
        ["", "20", "2000 OK", "abc OK", "100 Continue", "199 x", "200\tOK", "200 O\rK", "200 O\nK", "+20 OK"]
    {
        assert!(ResponseHead::begin(status.as_bytes(), COMMON, &mut out).is_err(), "{status:?}");
    }
    let mut head = ResponseHead::begin(b"200 OK", COMMON, &mut out).unwrap();
    for (name, value) in [
        ("", "x"),
        ("A B", "x"),
        ("A:", "x"),
        ("A\r\nB", "x"),
        ("A", "x\r\nB: y"),
        ("A", "x\ny"),
        ("A", "x\ry"),
        ("A", "x\0"),
        ("Content-Length", "x"),
        ("Content-Length", "-1"),
        ("Content-Length", "+1"),
        ("Content-Length", ""),
    ] {
        assert!(head.field(name.as_bytes(), value.as_bytes(), &mut out).is_err(), "{name:?}: {value:?}");
    }
    assert!(head.field(b"Content-Length", b"5", &mut out).is_ok());
    assert!(head.field(b"Content-Length", b"5", &mut out).is_ok());
    assert!(head.field(b"Content-Length", b"6", &mut out).is_err());
}

#[test]
fn a_status_may_lack_its_reason() {
    assert!(head("404", &[], GET, Some(0)).0.starts_with("HTTP/1.1 404 \r\n"));
    assert!(head("999 Teapot \u{e9}", &[], GET, Some(0)).0.starts_with("HTTP/1.1 999 Teapot"));
}
