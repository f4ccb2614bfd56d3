//! Who is believed, and what: PROXY headers byte by byte, the way of a request through trusted hops, its fields.

use super::hops::{Hop, forwarded, nearest_stranger, x_forwarded_for};
use super::*;
use crate::config::Config;
use crate::head::{Head, Progress};
use crate::refusal::Refusal;

fn networks(texts: &[(&str, u8)]) -> Networks {
    Networks::new(texts.iter().map(|(address, bits)| (address.parse().unwrap(), *bits)))
}

#[test]
fn networks_contain_what_begins_alike() {
    let all = networks(&[("0.0.0.0", 0), ("::", 0)]);
    let some = networks(&[("10.1.0.0", 16), ("192.0.2.7", 32), ("2001:db8::", 32), ("::1", 128)]);
    for (address, within) in [
        ("10.1.255.0", true),
        ("10.2.0.0", false),
        ("192.0.2.7", true),
        ("192.0.2.6", false),
        ("2001:db8:1::", true),
        ("2001:db9::", false),
        ("::1", true),
        ("::2", false),
        ("::ffff:10.1.0.1", true),
        ("::ffff:10.9.0.1", false),
    ] {
        assert_eq!(some.contains(address.parse().unwrap()), within, "{address}");
        assert!(all.contains(address.parse().unwrap()), "{address}");
        assert!(!Networks::default().contains(address.parse().unwrap()), "{address}");
    }
}

fn trust() -> Trust {
    let fields = [("X-FORWARDED-PROTO", "https"), ("X-FORWARDED-SSL", "on")];
    Trust {
        proxies: networks(&[("10.0.0.0", 8)]),
        scheme_fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        forwarder_fields: vec!["SCRIPT_NAME".to_owned(), "REMOTE_USER".to_owned()],
        ..Trust::default()
    }
}

/// The head of a request for `target` with these fields, from a peer that is trusted or not.
fn read(trust: &Trust, target: &str, fields: &str, trusted: bool) -> Result<(Via, Vec<String>), Refusal> {
    let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes();
    let config = Config { trust: trust.clone(), ..Config::default() };
    let mut head = Head::default();
    assert_eq!(head.parse(&bytes, 0, &config, trusted)?, Progress::Whole(bytes.len()));
    let names = head.fields.iter().map(|field| String::from_utf8_lossy(field.name.get(&bytes)).into_owned());
    Ok((head.via, names.skip(1).collect()))
}

#[test]
fn the_scheme_is_a_trusted_proxys_to_tell() {
    let https = |fields: &str, trusted| read(&trust(), "/", fields, trusted).map(|(via, _)| via.https);
    assert_eq!(https("X-Forwarded-Proto: https\r\n", true), Ok(true));
    assert_eq!(https("X-Forwarded-Proto: https\r\n", false), Ok(false));
    for other in ["http", "HTTPS", "https, http", ""] {
        assert_eq!(https(&format!("X-Forwarded-Proto: {other}\r\n"), true), Ok(false), "{other}");
    }
    assert_eq!(https("X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\n", true), Ok(true));
    let torn = "X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n";
    assert_eq!(https(torn, true).map_err(|refusal| refusal.status), Err(400));
    assert_eq!(https(torn, false), Ok(false));
}

#[test]
fn names_with_an_underscore() {
    let fields = "A_B: 1\r\nRemote_User: me\r\nC: 2\r\n";
    let names = |underscores, trusted| {
        let trust = Trust { underscores, ..trust() };
        read(&trust, "/", fields, trusted).map(|(_, names)| names.join(" ")).map_err(|refusal| refusal.status)
    };
    assert_eq!(names(Underscores::Drop, false).as_deref(), Ok("C"));
    assert_eq!(names(Underscores::Drop, true).as_deref(), Ok("Remote_User C"));
    assert_eq!(names(Underscores::Keep, false).as_deref(), Ok("A_B Remote_User C"));
    assert_eq!(names(Underscores::Refuse, true), Err(400));
    let any = Trust { forwarder_fields: vec!["*".to_owned()], underscores: Underscores::Refuse, ..trust() };
    assert_eq!(read(&any, "/", fields, true).unwrap().1.join(" "), "A_B Remote_User C");
    assert!(read(&any, "/", fields, false).is_err());
}

#[test]
fn the_mount_point_is_whole_segments_of_the_path() {
    let mount = |trust: &Trust, target: &str, fields: &str, trusted| {
        read(trust, target, fields, trusted).map(|(via, _)| via.mount).map_err(|refusal| refusal.status)
    };
    let set = Trust { script_name: "/app/".to_owned(), ..trust() };
    for (target, expected) in [
        ("/app", Ok(4)),
        ("/app/", Ok(4)),
        ("/app/x?y", Ok(4)),
        ("/application", Err(500)),
        ("/", Err(500)),
        ("http://h/app/x", Ok(4)),
        ("http://h", Err(500)),
    ] {
        assert_eq!(mount(&set, target, "", false), expected, "{target}");
    }
    assert_eq!(mount(&set, "/two/x", "SCRIPT_NAME: /two\r\n", true), Ok(4));
    assert_eq!(mount(&set, "/two/x", "SCRIPT_NAME: /two\r\n", false), Err(500));
    assert_eq!(mount(&trust(), "/two/x", "SCRIPT_NAME: /two\r\n", false), Ok(0));
    let strict = Trust { forwarder_fields: Vec::new(), ..trust() };
    assert_eq!(mount(&strict, "/two/x", "SCRIPT_NAME: /two\r\n", true), Ok(0));
}

/// The client that a trusted proxy's fields name, and the scheme.
fn client(field: ClientField, fields: &str) -> Result<String, u16> {
    let trust = Trust { client_field: field, ..trust() };
    let via = read(&trust, "/", fields, true).map_err(|refusal| refusal.status)?.0;
    let scheme = if via.https { " https" } else { "" };
    Ok(match via.client {
        Some(Client { ip, port: Some(port) }) => format!("{ip} {port}{scheme}"),
        Some(Client { ip, port: None }) => format!("{ip}{scheme}"),
        None => format!("peer{scheme}"),
    })
}

#[test]
fn x_forwarded_for_is_walked_from_the_right() {
    for (value, expected) in [
        ("1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"),
        ("10.0.0.8,10.0.0.9", "10.0.0.8"),
        ("1.2.3.4:5678", "1.2.3.4 5678"),
        ("[2001:db8::1]:99", "2001:db8::1 99"),
        ("2001:db8::1", "2001:db8::1"),
        ("1.2.3.4, unknown", "peer"),
        ("1.2.3.4, unknown, 10.0.0.9", "10.0.0.9"),
        ("nonsense", "peer"),
        ("1.2.3.4:x", "peer"),
        ("1.2.3.4:99999", "peer"),
        ("", "peer"),
        (" , ,1.2.3.4, ", "1.2.3.4"),
    ] {
        let fields = format!("X-Forwarded-For: {value}\r\n");
        assert_eq!(client(ClientField::XForwardedFor, &fields).as_deref(), Ok(expected), "{value:?}");
        assert_eq!(client(ClientField::None, &fields).as_deref(), Ok("peer"), "{value:?}");
    }
    let two = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4, 10.0.0.9\r\n";
    assert_eq!(client(ClientField::XForwardedFor, two).as_deref(), Ok("1.2.3.4"));
}

#[test]
fn forwarded_is_walked_from_the_right() {
    for (value, expected) in [
        ("for=1.2.3.4", Ok("1.2.3.4")),
        ("For=\"[2001:db8::1]:4711\"", Ok("2001:db8::1 4711")),
        ("for=6.6.6.6, for=1.2.3.4;proto=https;by=10.0.0.1", Ok("1.2.3.4 https")),
        ("for=1.2.3.4;proto=https, for=10.0.0.9;proto=http", Ok("1.2.3.4 https")),
        ("for=1.2.3.4, for=_hidden", Ok("peer")),
        ("for=\"_gazonk\"", Ok("peer")),
        ("for=\"1.2.3.4:_x\"", Ok("1.2.3.4")),
        ("for=unknown", Ok("peer")),
        ("proto=https", Ok("peer")),
        ("host=\"a,b\";for=1.2.3.4", Ok("1.2.3.4")),
        ("for=\"\\1.2.3.4\"", Ok("1.2.3.4")),
        (";;for=1.2.3.4;", Ok("1.2.3.4")),
        ("for=\"6.6.6.6, for=1.2.3.4", Err(400)),
        ("for=\"6.6.6.6, for=\"[::1]\"", Err(400)),
        ("for=1.2.3.4\"", Err(400)),
        ("for", Err(400)),
        ("fo r=1.2.3.4", Err(400)),
        ("for=", Err(400)),
    ] {
        let found = client(ClientField::Forwarded, &format!("Forwarded: {value}\r\n"));
        assert_eq!(found.as_deref().map_err(|status| *status), expected, "{value:?}");
    }
    let torn = "Forwarded: for=1.2.3.4;proto=https\r\nX-Forwarded-Proto: http\r\n";
    assert_eq!(client(ClientField::Forwarded, torn), Err(400));
}

#[test]
fn where_all_are_trusted_the_first_is_the_client() {
    let everybody = networks(&[("0.0.0.0", 0), ("::", 0)]);
    let hops: Vec<Hop> = x_forwarded_for(b"6.6.6.6, 1.2.3.4").collect();
    assert_eq!(nearest_stranger(&hops, &everybody).unwrap(), hops[0]);
    assert_eq!(nearest_stranger(&forwarded(b"").unwrap(), &everybody), None);
}

const BOTH: Preamble = Preamble { allowed: true };

fn look(bytes: &[u8], v1: bool, v2: bool) -> Result<Seen, u16> {
    let trust = Trust { preamble_v1: v1, preamble_v2: v2, ..Trust::default() };
    // How the bytes are cut must not matter.
    for length in 1..bytes.len() {
        match BOTH.look(&bytes[..length], &trust) {
            Ok(Seen::Unclear) => {}
            early => return early.map_err(|refusal| refusal.status),
        }
    }
    BOTH.look(bytes, &trust).map_err(|refusal| refusal.status)
}

fn proxied(source: &str, destination: &str) -> Option<Proxied> {
    Some(Proxied { source: source.parse().unwrap(), destination: destination.parse().unwrap() })
}

#[test]
fn version_1_is_one_line() {
    let whole = |text: &str| look(text.as_bytes(), true, false);
    let header =
        |text: &str, proxied| assert_eq!(whole(text), Ok(Seen::Header(text.len(), proxied)), "{text:?}");
    header("PROXY TCP4 1.2.3.4 5.6.7.8 65535 0\r\n", proxied("1.2.3.4:65535", "5.6.7.8:0"));
    header("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", proxied("[2001:db8::1]:1", "[::1]:2"));
    header("PROXY UNKNOWN\r\n", None);
    header("PROXY UNKNOWN ffff::1 whatever 1 2\r\n", None);
    for bad in [
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
        "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY \r\n",
        "PROXY UNKNOWN\u{e9}\r\n",
    ] {
        assert_eq!(whole(bad), Err(400), "{bad:?}");
    }
    assert_eq!(whole(&format!("PROXY UNKNOWN {}\r\n", "x".repeat(91))), Ok(Seen::Header(107, None)));
    assert_eq!(whole(&format!("PROXY UNKNOWN {}\r\n", "x".repeat(92))), Err(400));
    for plain in ["GET / HTTP/1.1\r\n", "PROXYING / HTTP/1.1\r\n", "P"] {
        let expected = if plain == "P" { Seen::Unclear } else { Seen::Nothing };
        assert_eq!(whole(plain), Ok(expected), "{plain:?}");
    }
}

fn v2(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..], &length, block].concat()
}

#[test]
fn version_2_is_a_block() {
    let ends = [1, 2, 3, 4, 5, 6, 7, 8, 0, 80, 1, 0];
    let whole = |bytes: &[u8]| look(bytes, false, true);
    let tcp4 = v2(0x21, 0x11, &ends);
    assert_eq!(whole(&tcp4), Ok(Seen::Header(28, proxied("1.2.3.4:80", "5.6.7.8:256"))));
    let with_more = v2(0x21, 0x11, &[&ends[..], &[4, 0, 1, 9]].concat());
    assert_eq!(whole(&with_more), Ok(Seen::Header(32, proxied("1.2.3.4:80", "5.6.7.8:256"))));
    let mut six = [0; 36];
    (six[15], six[31], six[33]) = (1, 2, 7);
    assert_eq!(whole(&v2(0x21, 0x21, &six)), Ok(Seen::Header(52, proxied("[::1]:7", "[::2]:0"))));
    for (command, family, block) in
        [(0x20, 0x11, &ends[..]), (0x20, 0xff, b""), (0x21, 0x00, b"xyz"), (0x21, 0x31, &[0; 216])]
    {
        assert_eq!(whole(&v2(command, family, block)), Ok(Seen::Header(16 + block.len(), None)));
    }
    for (command, family, block) in
        [(0x11, 0x11, &ends[..]), (0x22, 0x11, &ends[..]), (0x21, 0x11, &ends[..11]), (0x21, 0x41, b"")]
    {
        assert_eq!(whole(&v2(command, family, block)), Err(400), "{command:x} {family:x}");
    }
    assert_eq!(whole(&v2(0x21, 0x00, &[0; 4097])), Err(400));
}

#[test]
fn only_the_versions_that_were_asked_for_and_from_whom() {
    let (one, two) = (b"PROXY UNKNOWN\r\n", v2(0x20, 0, b""));
    assert_eq!(look(one, false, true), Ok(Seen::Nothing));
    assert_eq!(look(&two, true, false), Ok(Seen::Nothing));
    assert_eq!(look(one, true, true), Ok(Seen::Header(15, None)));
    assert_eq!(look(&two, true, true), Ok(Seen::Header(16, None)));
    let trust = Trust { preamble_v1: true, preamble_v2: true, ..Trust::default() };
    let stranger = Preamble { allowed: false };
    for bytes in [&one[..], &two] {
        assert_eq!(stranger.look(bytes, &trust).map_err(|refusal| refusal.status), Err(403));
    }
    assert_eq!(stranger.look(b"GET / HTTP/1.1\r\n", &trust), Ok(Seen::Nothing));
}

#[test]
fn an_underscore_is_found_in_each_name_and_nowhere_else() {
    let plain = "GET /p_q HTTP/1.1\r\nHost: a_b\r\nA-Name: c_d_e\r\nB: f\r\nC-Name: _g\r\n\r\n";
    let has_one = |text: &str| {
        let mut head = Head::default();
        let config =
            Config { trust: Trust { underscores: Underscores::Keep, ..trust() }, ..Config::default() };
        assert_eq!(head.parse(text.as_bytes(), 0, &config, false), Ok(Progress::Whole(text.len())));
        head.has_name_with_underscore(text.as_bytes())
    };
    assert!(!has_one(plain));
    for name in ["A-Name", "B:", "C-Name"] {
        let with = plain.replace(name, &name.replace('-', "_").replace(':', "_:"));
        assert!(has_one(&with), "{with}");
    }
}
