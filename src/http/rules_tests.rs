//! The rules, one raw message each, through head, framing and body at once: what is taken, as what, and what is
//! refused with which status. Every case is fed whole, byte by byte, and in random pieces: how bytes are cut into
//! packets must not matter.

use crate::config::Config;
use crate::framing::BodyLength;
use crate::head::{Head, Version};
use crate::intake::{Event, Intake};
use crate::spool::Body;
use crate::token::trim;
use std::fmt::Write;

/// What is to become of the bytes.
#[derive(Clone, Copy)]
enum Expect<'a> {
    /// These requests, one a line: `METHOD path query version keep|close name=value… [body]`.
    Taken(&'a str),
    /// Nothing but a refusal with this status.
    Refused(u16),
    /// More is needed.
    Waits,
}
use Expect::{Refused, Taken, Waits};

/// What became of the bytes: requests, then how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    requests: String,
    refused: Option<u16>,
    rest: bool,
}

fn describe(head: &Head, bytes: &[u8], body: Body<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let version = if head.version == Version::Http11 { "1.1" } else { "1.0" };
    let keep = if head.framing.keep_alive { "keep" } else { "close" };
    let (path, query) = (text(head.parts.path.get(bytes)), text(head.parts.query.get(bytes)));
    let mut line = format!("{} {path} {query} {version} {keep}", text(head.method.get(bytes)));
    for field in &head.fields {
        let _ = write!(line, " {}={}", text(field.name.get(bytes)), text(trim(field.value.get(bytes))));
    }
    if head.framing.body != BodyLength::None {
        let Body::Memory(body) = body else { return line + " []" };
        let _ = write!(line, " [{}]", text(body));
    }
    line
}

/// Feeds the pieces as a connection does.
fn feed<'a>(pieces: impl Iterator<Item = &'a [u8]>, config: &Config) -> Seen {
    let (mut intake, mut head, mut buffer) = (Intake::new(), Head::default(), Vec::new());
    let mut requests: Vec<String> = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while !buffer.is_empty() || intake.body_received().is_some() {
            let used = match intake.next(&buffer, &mut head, config, false) {
                Ok(Event::Starved(used)) => {
                    buffer.drain(..used);
                    break;
                }
                Ok(Event::Request(used)) => {
                    requests.push(describe(&head, &buffer[..used], Body::Empty));
                    used
                }
                Ok(Event::BodyBegins { used, .. } | Event::Preamble(used, _)) => used,
                Ok(Event::Complete(used, incoming)) => {
                    requests.push(describe(&incoming.head, &incoming.bytes, incoming.spool.body()));
                    used
                }
                Err(refusal) => {
                    let after = intake.next(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &mut head, config, false);
                    assert!(matches!(after, Ok(Event::Starved(_))), "interpreted after an error: {after:?}");
                    return Seen {
                        requests: requests.join("\n"),
                        refused: Some(refusal.status),
                        rest: false,
                    };
                }
            };
            buffer.drain(..used);
        }
    }
    let rest = !buffer.is_empty() || intake.body_received().is_some();
    Seen { requests: requests.join("\n"), refused: None, rest }
}

/// Cuts at places that look random and are the same each time.
fn cut(mut bytes: &[u8], mut seed: u64) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (piece, rest) = bytes.split_at((seed >> 33) as usize % bytes.len().min(23) + 1);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

#[track_caller]
fn try_one(rule: &str, bytes: &[u8], expect: Expect<'_>, config: &Config) {
    let (requests, refused, rest) = match expect {
        Taken(requests) => (requests, None, false),
        Refused(status) => ("", Some(status), false),
        Waits => ("", None, true),
    };
    let expected = Seen { requests: requests.to_owned(), refused, rest };
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
    assert_eq!(feed([bytes].into_iter(), config), expected, "{rule}: {shown:?}");
    assert_eq!(feed(bytes.chunks(1), config), expected, "{rule}, byte by byte: {shown:?}");
    for seed in 1..8 {
        assert_eq!(feed(cut(bytes, seed).into_iter(), config), expected, "{rule}, cut by {seed}: {shown:?}");
    }
}

#[track_caller]
fn try_all(cases: &[(&str, &str, Expect<'_>)]) {
    for (rule, bytes, expect) in cases {
        try_one(rule, bytes.as_bytes(), *expect, &Config::default());
    }
}

/// A request with these lines behind its Host; each has to end in CRLF.
fn with(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

/// Tries heads that differ from a good one in these lines.
#[track_caller]
fn try_lines(cases: &[(&str, &str, Expect<'_>)]) {
    for (rule, lines, expect) in cases {
        try_one(rule, with(lines).as_bytes(), *expect, &Config::default());
    }
}

#[test]
fn request_lines() {
    try_all(&[
        ("9112 3 origin-form", "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", Taken("GET /a b=c 1.1 keep Host=a")),
        ("9112 3 method is case-sensitive", "get / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9110 9.1 method is a token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        (
            "9110 9.1 extension methods",
            "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("M-SEARCH /  1.1 keep Host=a"),
        ),
        ("method length as Gunicorn", "GE / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("method length as Gunicorn", "ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        (
            "method length as Gunicorn",
            "ABCDEFGHIJKLMNOPQRST / HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("ABCDEFGHIJKLMNOPQRST /  1.1 keep Host=a"),
        ),
        ("9112 3 no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 single SP", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 single SP", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 SP and not HTAB", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 SP and not HTAB", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 nothing behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no blank in a target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 three parts", "GET / \r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 HTTP/0.9 is not spoken", "GET /\r\n\r\n", Refused(400)),
        ("9112 2.3 HTTP in capitals", "GET / http/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 version digits", "GET / HTTP/1.x\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 version digits", "GET / HTTP/11\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 version digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 version digits", "GET / HTTP/+1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 no version", "GET / FTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9110 15.6.6 another version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Refused(505)),
        ("9110 15.6.6 another version", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", Refused(505)),
        ("9110 15.6.6 another version", "GET / HTTP/3.1\r\nHost: a\r\n\r\n", Refused(505)),
        (
            "9110 2.5 a later minor version is read as 1.1",
            "GET /a?b HTTP/1.2\r\nHost: a\r\nX: y\r\n\r\n",
            Taken("GET /a b 1.1 keep Host=a X=y"),
        ),
        (
            "9110 2.5 with a body, and another request behind it",
            "POST http://b/c HTTP/1.9\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.0\r\n\r\n",
            Taken("POST /c  1.1 keep Host=b Content-Length=1 [x]\nGET /  1.0 close"),
        ),
        ("9110 2.5 by the rules of 1.1", "GET / HTTP/1.2\r\n\r\n", Refused(400)),
        ("9112 2.2 an empty line before it", "\r\nGET  HTTP/1.2\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 a CR is no empty line", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9113 3.4 preface without support", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refused(505)),
        (
            "9112 2.2 one empty line before",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /  1.1 keep Host=a"),
        ),
        ("9112 2.2 not two", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 nor a bare LF", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 nor a bare LF", "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("8446 5.1 a TLS hello is no request", "\u{16}\u{3}\u{1}\u{0}\r\n\r\n", Refused(400)),
        ("PROXY without support", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n\r\n", Refused(400)),
        ("more is to come", "GET / HTTP/1.1\r\nHost: a\r\n", Waits),
    ]);
}

#[test]
fn targets() {
    try_all(&[
        ("9112 3.2.1 empty query", "GET /? HTTP/1.1\r\nHost: a\r\n\r\n", Taken("GET /  1.1 keep Host=a")),
        (
            "9112 3.2.1 two question marks",
            "GET /a?b?c HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /a b?c 1.1 keep Host=a"),
        ),
        ("9112 3.2.1 two slashes", "GET //a HTTP/1.1\r\nHost: a\r\n\r\n", Taken("GET //a  1.1 keep Host=a")),
        (
            "9112 3.2.1 a URL as query",
            "GET /?u=http://b HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET / u=http://b 1.1 keep Host=a"),
        ),
        (
            "9112 3.2 encoded stays encoded",
            "GET /%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /%C3%A9  1.1 keep Host=a"),
        ),
        ("9112 3.2 no fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no raw UTF-8", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no control character", "GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no NUL", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no DEL", "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no relative path", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn targets_with_a_host() {
    try_all(&[
        (
            "9112 3.2.2 absolute-form, its host counts",
            "GET http://b:8/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /x y 1.1 keep Host=b:8"),
        ),
        (
            "9112 3.2.2 without a path",
            "GET http://b HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET   1.1 keep Host=b"),
        ),
        (
            "9112 3.2.2 query without a path",
            "GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET  y 1.1 keep Host=b"),
        ),
        (
            "3986 3.1 schemes in any case",
            "GET HTTPS://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /  1.1 keep Host=b"),
        ),
        ("9112 3.2.2 Host is due all the same", "GET http://b/ HTTP/1.1\r\n\r\n", Refused(400)),
        ("9110 4.2.4 no user in the target", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9110 4.2.1 no empty host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9110 4.2.1 nor a port alone", "GET http://:80/x HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("3986 3.2.2 host in the target", "GET http://b%2/x HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        (
            "9112 3.2.2 an invalid Host counts all the same",
            "GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n",
            Refused(400),
        ),
        ("9112 3.2.2 in 1.0 without Host", "GET http://b/x HTTP/1.0\r\n\r\n", Taken("GET /x  1.0 close")),
        (
            "9112 3.2.2 OPTIONS of a host",
            "OPTIONS http://b HTTP/1.1\r\nHost: b\r\n\r\n",
            Taken("OPTIONS   1.1 keep Host=b"),
        ),
        ("9112 3.2.2 other schemes", "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2.3 CONNECT without support", "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", Refused(501)),
        ("9112 3.2.3 authority-form is CONNECT's", "GET b:443 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        (
            "9112 3.2.4 asterisk-form",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("OPTIONS *  1.1 keep Host=a"),
        ),
        ("9112 3.2.4 only OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2.4 nothing behind it", "OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn hosts() {
    try_all(&[
        ("9112 3.2 missing in 1.1", "GET / HTTP/1.1\r\n\r\n", Refused(400)),
        ("9112 3.2 missing in 1.0", "GET / HTTP/1.0\r\n\r\n", Taken("GET /  1.0 close")),
        ("9112 3.2 repeated", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 repeated in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", Refused(400)),
        ("9112 3.2 a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Refused(400)),
        ("9112 3.2 blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Refused(400)),
        ("9112 3.2 path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Refused(400)),
        ("9112 3.2 user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", Refused(400)),
        ("9112 3.2 scheme", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", Refused(400)),
        ("9112 3.2 port", "GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n", Refused(400)),
        ("9112 3.2 port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", Refused(400)),
        ("3986 2.1 percent without digits", "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", Refused(400)),
        (
            "3986 2.1 percent with digits",
            "GET / HTTP/1.1\r\nHost: a%2d\r\n\r\n",
            Taken("GET /  1.1 keep Host=a%2d"),
        ),
        (
            "9112 5.1 blanks around it",
            "GET / HTTP/1.1\r\nHost: \ta:8 \r\n\r\n",
            Taken("GET /  1.1 keep Host=a:8"),
        ),
        ("9112 3.2 a NUL", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", Refused(400)),
        ("9112 3.2 beyond ASCII", "GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", Refused(400)),
        ("9112 3.2 missing, with Host as a value", "GET / HTTP/1.1\r\nX: Host: a\r\n\r\n", Refused(400)),
        ("9112 3.2 invalid in 1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", Refused(400)),
        ("9110 7.2 may be empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", Taken("GET /  1.1 keep Host=")),
        (
            "3986 3.2.2 IPv6",
            "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
            Taken("GET /  1.1 keep Host=[::1]:8000"),
        ),
        ("3986 3.2.2 IPv6", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn fields() {
    try_lines(&[
        ("9112 5.1 OWS around a value", "X:a\r\nY: \t b \t\r\n", Taken("POST /  1.1 keep Host=a X=a Y=b")),
        ("9110 5.5 empty value", "X:\r\nY: \r\n", Taken("POST /  1.1 keep Host=a X= Y=")),
        (
            "9110 5.6.2 odd tokens",
            "!#$%&'*+-.^`|~1: a\r\n",
            Taken("POST /  1.1 keep Host=a !#$%&'*+-.^`|~1=a"),
        ),
        ("a name that could pass for another", "X_Y: a\r\n", Taken("POST /  1.1 keep Host=a")),
        ("9110 5.5 bytes beyond ASCII", "X: \u{e9}\r\n", Taken("POST /  1.1 keep Host=a X=\u{e9}")),
        ("9110 5.5 blanks and tabs within", "X: a\tb  c\r\n", Taken("POST /  1.1 keep Host=a X=a\tb  c")),
        (
            "9110 5.2 order and repetition stay",
            "X: 1\r\nY: 2\r\nx: 3\r\n",
            Taken("POST /  1.1 keep Host=a X=1 Y=2 x=3"),
        ),
        ("9112 5.1 blank before the colon", "X : a\r\n", Refused(400)),
        ("9112 5.1 tab before the colon", "X\t: a\r\n", Refused(400)),
        ("9112 5.2 folding", "X: a\r\n b\r\n", Refused(400)),
        ("9112 5.2 folding with a tab", "X: a\r\n\tb\r\n", Refused(400)),
        ("9112 2.2 blank before the first field", " X: a\r\n", Refused(400)),
        ("9112 5 no colon", "X\r\n", Refused(400)),
        ("9112 5 no name", ": a\r\n", Refused(400)),
        ("9110 5.1 name is a token", "X Y: a\r\n", Refused(400)),
        ("9110 5.1 name is a token", "X(Y): a\r\n", Refused(400)),
        ("9110 5.1 name is a token", "X\u{e9}: a\r\n", Refused(400)),
        ("9110 5.1 NUL in a name", "X\0: a\r\n", Refused(400)),
        ("9110 5.1 control character in a name", "X\u{1}: a\r\n", Refused(400)),
        ("9110 5.5 NUL in a value", "X: a\0b\r\n", Refused(400)),
        ("9110 5.5 control character in a value", "X: a\u{1}b\r\n", Refused(400)),
        ("9110 5.5 DEL in a value", "X: a\u{7f}b\r\n", Refused(400)),
        ("9112 2.2 bare CR in a value", "X: a\rb\r\n", Refused(400)),
        ("9112 2.2 bare LF in a value", "X: a\nY: b\r\n", Refused(400)),
        ("9112 2.2 CR CR LF", "X: a\r\r\n", Refused(400)),
        ("9110 5.3 Content-Type is no list", "Content-Type: a/b\r\nContent-Type: c/d\r\n", Refused(400)),
    ]);
    try_all(&[
        ("9112 2.2 bare LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", Refused(400)),
        ("9112 2.2 bare CR ends the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn lengths() {
    try_lines(&[
        ("9112 6.3 (8) no length, no body", "", Taken("POST /  1.1 keep Host=a")),
        ("9110 8.6 nought", "Content-Length: 0\r\n", Taken("POST /  1.1 keep Host=a Content-Length=0 []")),
        (
            "9110 8.6 more digits than needed",
            "Content-Length: 000\r\n",
            Taken("POST /  1.1 keep Host=a Content-Length=000 []"),
        ),
        ("9112 6.3 (5) repeated", "Content-Length: 1\r\nContent-Length: 1\r\n", Refused(400)),
        ("9112 6.3 (5) differing", "Content-Length: 1\r\nContent-Length: 2\r\n", Refused(400)),
        ("9112 6.3 (5) a list", "Content-Length: 1, 1\r\n", Refused(400)),
        ("9110 8.6 signed", "Content-Length: +1\r\n", Refused(400)),
        ("9110 8.6 signed", "Content-Length: -1\r\n", Refused(400)),
        ("9110 8.6 hex", "Content-Length: 0x1\r\n", Refused(400)),
        ("9110 8.6 fraction", "Content-Length: 1.0\r\n", Refused(400)),
        ("9110 8.6 underscore", "Content-Length: 1_0\r\n", Refused(400)),
        ("9110 8.6 blank within", "Content-Length: 1 0\r\n", Refused(400)),
        ("9110 8.6 empty", "Content-Length:\r\n", Refused(400)),
        ("9110 8.6 other digits", "Content-Length: \u{661}\r\n", Refused(400)),
        ("9110 8.6 overflow", "Content-Length: 18446744073709551616\r\n", Refused(400)),
        ("9110 8.6 the largest", "Content-Length: 9223372036854775807\r\n", Waits),
        ("9112 6.3 (5) repeated in another case", "Content-Length: 1\r\nCONTENT-LENGTH: 1\r\n", Refused(400)),
        ("9110 8.6 a list of one", "Content-Length: 1,\r\n", Refused(400)),
        ("9110 8.6 an exponent", "Content-Length: 1e1\r\n", Refused(400)),
        ("9110 8.6 quoted", "Content-Length: \"1\"\r\n", Refused(400)),
        ("9110 8.6 overflow", "Content-Length: 9223372036854775808\r\n", Refused(400)),
        (
            "9112 6.3 (3) beside Transfer-Encoding",
            "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
            Refused(400),
        ),
        (
            "9112 6.3 (3) the other way round",
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
            Refused(400),
        ),
        (
            "9112 6.3 (3) even an odd coding",
            "Content-Length: 0\r\nTransfer-Encoding: identity\r\n",
            Refused(400),
        ),
    ]);
}

#[test]
fn bodies_by_length() {
    let post = |body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{body}");
    let whole = "POST /  1.1 keep Host=a Content-Length=3 [abc]";
    try_all(&[
        ("9112 6.2 exactly so long", &post("abc"), Taken(whole)),
        ("9112 8 shorter", &post("ab"), Waits),
        (
            "9112 9.3.2 the next one follows",
            &(post("abc") + &post("abc")),
            Taken(&format!("{whole}\n{whole}")),
        ),
        (
            "9110 8.6 a body of GET",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
            Taken("GET /  1.1 keep Host=a Content-Length=1 [x]"),
        ),
        (
            "9112 5.1 blanks around a length",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \t1 \t\r\n\r\nx",
            Taken("POST /  1.1 keep Host=a Content-Length=1 [x]"),
        ),
        (
            "9112 6.3 a body in 1.0",
            "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
            Taken("POST /  1.0 close Content-Length=1 [x]"),
        ),
        (
            "9112 6.3 bytes are not text",
            &post("\0\r\n"),
            Taken("POST /  1.1 keep Host=a Content-Length=3 [\0\r\n]"),
        ),
    ]);
}

#[test]
fn transfer_codings() {
    try_lines(&[
        ("9112 6.1 unknown", "Transfer-Encoding: foo\r\n", Refused(501)),
        ("9112 6.1 another before chunked", "Transfer-Encoding: gzip, chunked\r\n", Refused(501)),
        ("9112 6.1 unknown before chunked", "Transfer-Encoding: foo, chunked\r\n", Refused(501)),
        ("9112 7 with a parameter", "Transfer-Encoding: chunked;q=1\r\n", Refused(501)),
        ("9112 6.3 (4) chunked is not last", "Transfer-Encoding: chunked, gzip\r\n", Refused(400)),
        ("9112 6.3 (4) without chunked", "Transfer-Encoding: gzip\r\n", Refused(400)),
        ("9112 6.3 (4) identity is gone", "Transfer-Encoding: identity\r\n", Refused(400)),
        ("9112 6.1 chunked twice", "Transfer-Encoding: chunked, chunked\r\n", Refused(400)),
        (
            "9112 6.1 in two fields",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Refused(400),
        ),
        ("9112 6.1 in two fields", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Refused(400)),
        ("9112 6.1 empty", "Transfer-Encoding:\r\n", Refused(400)),
        ("9112 6.1 glued", "Transfer-Encoding: xchunked\r\n", Refused(501)),
        ("9110 5.6.1 an empty member", "Transfer-Encoding: chunked,\r\n", Refused(501)),
        ("9112 6.1 several codings in 1.1", "Transfer-Encoding: gzip, deflate, chunked\r\n", Refused(501)),
        ("9112 5.1 blank before its colon", "Transfer-Encoding : chunked\r\n", Refused(400)),
        ("9112 5.2 folded", "Transfer-Encoding:\r\n chunked\r\n", Refused(400)),
        ("9110 5.5 NUL behind it", "Transfer-Encoding: chunked\0\r\n", Refused(400)),
        ("9110 5.5 vertical tab", "Transfer-Encoding: \u{b}chunked\r\n", Refused(400)),
        ("9112 6.1 quoted", "Transfer-Encoding: \"chunked\"\r\n", Refused(501)),
    ]);
    try_all(&[
        (
            "9112 6.1 never in 1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Refused(400),
        ),
        (
            "9112 7 in any case",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
            Taken("POST /  1.1 keep Host=a Transfer-Encoding=Chunked []"),
        ),
    ]);
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

fn took_chunked(body: &str) -> String {
    format!("POST /  1.1 keep Host=a Transfer-Encoding=chunked [{body}]")
}

#[test]
fn chunks() {
    let good = [
        ("9112 7.1 two chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
        ("9112 7.1 none", "0\r\n\r\n", ""),
        (
            "9112 7.1 hex in both cases",
            "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
            "01234567890123456789",
        ),
        ("9112 7.1 sixteen digits", "0000000000000003\r\nabc\r\n0\r\n\r\n", "abc"),
        ("9112 7.1.2 a trailer that is no framing", "0\r\nContent-MD5: a\r\nhosts: b\r\n\r\n", ""),
        ("9112 7.1 noughts in front", "0003\r\nabc\r\n000\r\n\r\n", "abc"),
        ("9112 7.1 data may look like framing", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        ("9112 7.1.1 extensions are dropped", "3;a;b=c;d=\"e\\\"f\"\r\nabc\r\n0;z\r\n\r\n", "abc"),
        ("9112 7.1.1 blanks around them", "3; a = b ;c\r\nabc\r\n0\r\n\r\n", "abc"),
        ("9112 7.1.2 trailers are dropped", "3\r\nabc\r\n0\r\nX: a\r\nY:\r\n\r\n", "abc"),
    ];
    for (rule, body, content) in good {
        let expect = took_chunked(content);
        try_one(rule, format!("{CHUNKED}{body}").as_bytes(), Taken(&expect), &Config::default());
    }
    let next = format!("{CHUNKED}1\r\na\r\n0\r\n\r\nGET /n HTTP/1.1\r\nHost: a\r\n\r\n");
    let both = format!("{}\nGET /n  1.1 keep Host=a", took_chunked("a"));
    try_one("9112 9.3.2 the next one follows", next.as_bytes(), Taken(&both), &Config::default());
}

#[test]
fn chunks_that_are_malformed() {
    let bad = [
        ("9112 7.1 empty size", "\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 sign", "+3\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 sign", "-3\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 prefix", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 underscore", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
        ("9112 7.1 no hex digit", "g\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 blank before", " 3\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 blank behind", "3 \r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 blank before an extension, as Gunicorn", "3 ;a\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 bare LF behind the size", "3\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 bare CR behind the size", "3\rabc\r\n0\r\n\r\n"),
        ("9112 7.1 overflow", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 overflow", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 noughts without end", "00000000000000003\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 data longer than said", "2\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 data shorter than said", "4\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 LF behind the data", "3\r\nabc\n0\r\n\r\n"),
        ("9112 7.1 CR behind the data", "3\r\nabc\r0\r\n\r\n"),
        ("9112 7.1.1 extension without a name", "3;\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 extension without a value", "3;a=\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 something behind the CR behind the data", "3\r\nabc\rx0\r\n\r\n"),
        ("9112 7.1 something before the LF behind the data", "3\r\nabcx\n0\r\n\r\n"),
        ("9110 5.6.4 an escaped quote ends nothing", "3;d=\"e\\\"\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 quote without end", "3;a=\"b\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 bare LF in an extension", "3;a\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 bare CR in an extension", "3;a\rb\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 NUL in an extension", "3;a\0\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.2 trailer without a colon", "0\r\nX\r\n\r\n"),
        ("9112 7.1.2 trailer with a blank before its colon", "0\r\nX : a\r\n\r\n"),
        ("9112 5.2 folded trailer", "0\r\nX: a\r\n b\r\n\r\n"),
        ("9112 7.1.2 control character in a trailer", "0\r\nX: \u{1}\r\n\r\n"),
        ("9112 2.2 bare CR in a trailer", "0\r\nX: a\rb\r\n\r\n"),
        ("9112 2.2 bare LF behind a trailer", "0\r\nX: a\n\r\n"),
        ("9112 2.2 bare LF as the end", "0\r\n\n"),
        ("9110 6.5.1 framing as a trailer", "0\r\nContent-Length: 5\r\n\r\n"),
        ("9110 6.5.1 framing as a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("9110 6.5.1 in any case", "0\r\nCONTENT-length: 5\r\n\r\n"),
        ("9112 7.1.2 trailer without a name", "0\r\n: a\r\n\r\n"),
        ("9112 7.1.2 trailer with a NUL in its name", "0\r\nX\0: a\r\n\r\n"),
        ("9112 7.1 no CRLF behind the data", "3\r\nabc0\r\n\r\n"),
        ("9110 6.5.1 routing as a trailer", "0\r\nHost: b\r\n\r\n"),
        ("9110 6.5.1 authentication as a trailer", "0\r\nAuthorization: x\r\n\r\n"),
    ];
    for (rule, body) in bad {
        try_one(rule, format!("{CHUNKED}{body}").as_bytes(), Refused(400), &Config::default());
    }
}

#[test]
fn chunks_that_end_early() {
    for (rule, body) in [
        ("9112 8 within the data", "3\r\nab"),
        ("9112 8 without the last chunk", "3\r\nabc\r\n"),
        ("9112 8 without the last line", "3\r\nabc\r\n0\r\n"),
        ("9112 8 within the last line", "3\r\nabc\r\n0\r\n\r"),
        ("9112 8 within the trailers", "0\r\nX: a\r\n"),
    ] {
        try_one(rule, format!("{CHUNKED}{body}").as_bytes(), Waits, &Config::default());
    }
}

#[test]
fn connections() {
    try_lines(&[
        ("9112 9.3 1.1 stays", "", Taken("POST /  1.1 keep Host=a")),
        ("9112 9.6 close", "Connection: close\r\n", Taken("POST /  1.1 close Host=a Connection=close")),
        (
            "9110 7.6.1 in any case",
            "connection: CLOSE\r\n",
            Taken("POST /  1.1 close Host=a connection=CLOSE"),
        ),
        (
            "9110 7.6.1 a list",
            "Connection: x , Close\r\n",
            Taken("POST /  1.1 close Host=a Connection=x , Close"),
        ),
        (
            "9110 5.3 two fields",
            "Connection: x\r\nConnection: close\r\n",
            Taken("POST /  1.1 close Host=a Connection=x Connection=close"),
        ),
        (
            "9112 9.3 close wins",
            "Connection: keep-alive, close\r\n",
            Taken("POST /  1.1 close Host=a Connection=keep-alive, close"),
        ),
        (
            "9110 7.6.1 not part of a word",
            "Connection: closed\r\n",
            Taken("POST /  1.1 keep Host=a Connection=closed"),
        ),
        (
            "9110 7.8 Upgrade without support is ignored",
            "Connection: Upgrade\r\nUpgrade: h2c\r\n",
            Taken("POST /  1.1 keep Host=a Connection=Upgrade Upgrade=h2c"),
        ),
    ]);
    try_all(&[
        ("9112 9.3 1.0 ends", "GET / HTTP/1.0\r\n\r\n", Taken("GET /  1.0 close")),
        (
            "9112 9.3 1.0 keep-alive",
            "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            Taken("GET /  1.0 keep Connection=Keep-Alive"),
        ),
        (
            "9112 9.3 1.0 close wins",
            "GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n",
            Taken("GET /  1.0 close Connection=close, keep-alive"),
        ),
        (
            "9112 9.3.2 pipelined",
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /1  1.1 keep Host=a\nGET /2  1.1 keep Host=a"),
        ),
        (
            "9112 2.2 an empty line between",
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /1  1.1 keep Host=a\nGET /2  1.1 keep Host=a"),
        ),
    ]);
}

#[test]
fn expectations() {
    try_lines(&[
        (
            "9110 10.1.1 in any case",
            "Expect: 100-Continue\r\n",
            Taken("POST /  1.1 keep Host=a Expect=100-Continue"),
        ),
        ("9110 10.1.1 another", "Expect: 200-ok\r\n", Refused(417)),
        ("9110 10.1.1 a list with another", "Expect: 100-continue, x\r\n", Refused(417)),
        ("9110 10.1.1 empty", "Expect:\r\n", Refused(417)),
        (
            "9112 5.1 blanks around it",
            "Expect:  100-continue \r\n",
            Taken("POST /  1.1 keep Host=a Expect=100-continue"),
        ),
        ("9110 10.1.1 another behind the one", "Expect: 100-continue\r\nExpect: x\r\n", Refused(417)),
    ]);
    let begins = |bytes: &str, config: &Config| {
        let mut head = Head::default();
        match Intake::new().next(bytes.as_bytes(), &mut head, config, false) {
            Ok(Event::BodyBegins { expects_continue, .. }) => Ok(expects_continue),
            Ok(event) => panic!("{event:?}"),
            Err(refusal) => Err(refusal.status),
        }
    };
    let lines = "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    let unlimited = Config::default();
    assert_eq!(begins(&format!("PUT / HTTP/1.1\r\nHost: a\r\n{lines}"), &unlimited), Ok(true));
    assert_eq!(
        begins(&format!("PUT / HTTP/1.0\r\n{lines}"), &unlimited),
        Ok(false),
        "9110 10.1.1: never in 1.0"
    );
    let limited = Config { body: 8, ..Config::default() };
    assert_eq!(
        begins(&format!("PUT / HTTP/1.1\r\nHost: a\r\n{lines}"), &limited),
        Err(413),
        "before it is sent"
    );
}

/// Each limit at its edge, and one above.
#[test]
fn limits() {
    let config =
        Config { request_line: 40, request_fields: 3, request_field_size: 20, body: 4, ..Config::default() };
    let line = |length: usize| format!("GET /{} HTTP/1.1", "x".repeat(length - "GET / HTTP/1.1".len()));
    let path = "x".repeat(40 - "GET / HTTP/1.1".len());
    let taken = format!("GET /{path}  1.1 keep Host=a");
    let field = |length: usize| format!("X: {}\r\n", "y".repeat(length - "X: \r\n".len()));
    let get = |lines: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let post = |coding: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{coding}\r\n\r\n{body}");
    let longest = format!("GET /  1.1 keep Host=a X={}", "y".repeat(15));
    let cases: Vec<(&str, String, Expect<'_>)> = vec![
        ("request line", format!("{}\r\nHost: a\r\n\r\n", line(40)), Taken(&taken)),
        ("request line", format!("{}\r\nHost: a\r\n\r\n", line(41)), Refused(414)),
        ("request line without end, its CR may be the last", "G".repeat(41), Waits),
        ("request line without end", "G".repeat(42), Refused(414)),
        ("fields", get("X: 1\r\nY: 2\r\n"), Taken("GET /  1.1 keep Host=a X=1 Y=2")),
        ("fields", get("X: 1\r\nY: 2\r\nZ: 3\r\n"), Refused(431)),
        ("field", get(&field(20)), Taken(&longest)),
        ("field", get(&field(21)), Refused(431)),
        (
            "a field's blanks",
            get(&format!("X: 1{}\r\n", " ".repeat(14))),
            Taken("GET /  1.1 keep Host=a X=1"),
        ),
        ("a field's blanks", get(&format!("X: 1{}\r\n", " ".repeat(15))), Refused(431)),
        ("blanks before a value", get(&format!("X:{}1\r\nY: 2\r\n", " ".repeat(16))), Refused(431)),
        ("field without end", format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(16)), Waits),
        ("field without end", format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(17)), Refused(431)),
        (
            "body by length",
            post("Content-Length: 4", "abcd"),
            Taken("POST /  1.1 keep Host=a Content-Length=4 [abcd]"),
        ),
        ("body by length", post("Content-Length: 5", ""), Refused(413)),
    ];
    for (rule, bytes, expect) in &cases {
        try_one(rule, bytes.as_bytes(), *expect, &config);
    }
    // The field that says `chunked` is longer than 20 bytes.
    let config = Config { body: 4, ..Config::default() };
    let chunked = |body: &str| post("Transfer-Encoding: chunked", body);
    let took = "POST /  1.1 keep Host=a Transfer-Encoding=chunked [abcd]";
    try_one("body in chunks", chunked("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n").as_bytes(), Taken(took), &config);
    try_one("body in chunks", chunked("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n").as_bytes(), Refused(413), &config);
    let mut sections = Vec::new();
    for (status, length) in [(None, 8 * 1024), (Some(400), 8 * 1024 + 1)] {
        // Behind the semicolons stand names, and the CRs count as well.
        let name = |length: usize| "e".repeat(length - 1);
        let halves = format!("2;{}\r\nab\r\n2;{}\r\ncd\r\n0\r\n\r\n", name(4000), name(length - 4000));
        sections.push(("chunk extensions", status, halves));
    }
    for (status, length) in [(None, 16 * 1024), (Some(431), 16 * 1024 + 1)] {
        let line = |length: usize| format!("X:{}\r\n", "y".repeat(length - "X:\r\n".len()));
        let lines = line(9000) + &line(length - 9000 - 2);
        sections.push(("trailers", status, format!("4\r\nabcd\r\n0\r\n{lines}\r\n")));
    }
    for (rule, status, body) in sections {
        let expect = status.map_or(Taken(took), Refused);
        try_one(rule, chunked(&body).as_bytes(), expect, &Config::default());
    }
    let trailer = chunked(&format!("0\r\nX: {}", "y".repeat(40_000)));
    try_one("a trailer without end", trailer.as_bytes(), Refused(431), &Config::default());
}

/// Whatever has arrived behind it.
#[test]
fn a_limit_that_was_passed_before_the_last_line() {
    let config = Config { request_line: 40, request_field_size: 20, ..Config::default() };
    for (bytes, status) in [
        (format!("GET /{} HTTP/1.1\r\nX", "x".repeat(27)), 414),
        (format!("GET / HTTP/1.1\r\nX: {}\r\nY", "y".repeat(16)), 431),
    ] {
        try_one("unfinished", bytes.as_bytes(), Refused(status), &config);
    }
}

/// As Gunicorn has them.
#[test]
fn limits_without_settings() {
    let get = |target: usize, fields: usize, value: usize| {
        let (target, value) = ("x".repeat(target), "y".repeat(value));
        let fields = "X: 1\r\n".repeat(fields - 2);
        format!("GET /{target} HTTP/1.1\r\nHost: a\r\nY: {value}\r\n{fields}\r\n")
    };
    let (target, value) = (4094 - "GET / HTTP/1.1".len(), 8190 - "Y: \r\n".len());
    let seen = |bytes: &str, config: &Config| feed([bytes.as_bytes()].into_iter(), config).refused;
    let config = Config::default();
    for (bytes, refused) in [
        (get(target, 100, value), None),
        (get(target + 1, 100, value), Some(414)),
        (get(target, 101, value), Some(431)),
        (get(target, 100, value + 1), Some(431)),
    ] {
        assert_eq!(seen(&bytes, &config), refused);
    }
    let more = Config { request_fields: 300, ..config };
    assert_eq!(seen(&get(1, 300, 1), &more), None, "more than fit on the stack");
    assert_eq!(seen(&get(1, 301, 1), &more), Some(431));
}

#[test]
fn what_came_before_an_error_stands() {
    let good = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    let seen = "GET /1  1.1 keep Host=a\nPOST /2  1.1 keep Host=a Content-Length=1 [x]";
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for bad in ["G@T / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\nHost: a\r\n\r\n", "xyz\r\n\r\n"] {
        let bytes = format!("{good}{bad}{smuggled}");
        let expected = Seen { requests: seen.to_owned(), refused: Some(400), rest: false };
        assert_eq!(feed([bytes.as_bytes()].into_iter(), &Config::default()), expected, "{bad:?}");
        assert_eq!(feed(bytes.as_bytes().chunks(1), &Config::default()), expected, "{bad:?}");
    }
}

/// Messages with a few bytes put in, left out or changed where it looks random: whatever becomes of them, it is the
/// same in one piece and in many. (Of two faults either may be named.)
#[test]
fn pieces_do_not_matter_for_what_nobody_thought_of() {
    let seeds = [
        with("X: a\r\nConnection: close\r\nContent-Length: 3\r\n") + "abcGET http://b:8/?c HTTP/1.0\r\n\r\n",
        format!("\r\n{CHUNKED}3;a=\"b\"\r\nabc\r\n0\r\nX: y\r\n\r\nOPTIONS * HTTP/1.2\r\nHost: a\r\n\r\n"),
        with("Expect: 100-continue\r\n").replace("POST", "GET").repeat(2),
    ];
    let odd = b"\r\n\r\n :;,0a\0\t\"\\\x7f\xff-+%";
    let config =
        Config { request_line: 40, request_fields: 4, request_field_size: 40, body: 9, ..Config::default() };
    let mut random = 1_u64;
    let mut below = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % end
    };
    let (mut refused, mut taken) = (0, 0);
    for round in 0..20_000 {
        let mut bytes = seeds[below(seeds.len())].clone().into_bytes();
        for _ in 0..=below(2) {
            let (at, byte) = (below(bytes.len()), odd[below(odd.len())]);
            match below(3) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        let whole = feed([bytes.as_slice()].into_iter(), &config);
        for pieces in [cut(&bytes, round), bytes.chunks(1).collect()] {
            let seen = feed(pieces.into_iter(), &config);
            let shown = String::from_utf8_lossy(&bytes);
            assert_eq!((&seen.requests, seen.rest), (&whole.requests, whole.rest), "{shown:?}");
            assert_eq!(seen.refused.is_some(), whole.refused.is_some(), "{shown:?}");
        }
        (refused, taken) = if whole.refused.is_some() { (refused + 1, taken) } else { (refused, taken + 1) };
    }
    assert!(
        refused > 1000 && taken > 1000,
        "{refused} refused, {taken} taken: the mixture is not what it was"
    );
}
