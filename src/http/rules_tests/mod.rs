//! The rules, one raw message each, through head, framing and body at once: what is taken, as what, and what is
//! refused with which status. Every case is fed whole, byte by byte, and in random pieces: how bytes are cut into
//! packets must not matter. `line`, `fields` and `bodies` have the cases; here is what tries one, and what is about whole
//! messages.

mod bodies;
mod fields;
mod line;

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

/// The head of a request whose body comes in chunks.
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

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
