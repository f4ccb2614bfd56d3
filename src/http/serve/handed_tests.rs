//! What passes through: PROXY headers before the first request, early hints before the answer, files as its body.

use super::test_world::*;
use super::*;
use crate::app::Outcome;
use crate::leniency::Permits;
use crate::proxy::{Networks, Trust};
use std::io::{Seek, SeekFrom, Write};

/// PROXY headers of both versions are read, from this machine.
fn behind_a_proxy() -> Config {
    let senders = Networks::new([("127.0.0.1".parse().unwrap(), 32)]);
    let trust = Trust { preamble_v1: true, preamble_v2: true, preamble_senders: senders, ..Trust::default() };
    Config { trust, ..Config::default() }
}

/// Answers with the peer's address, and the one that a PROXY header says was asked for.
fn tell_peers(world: &mut World) {
    world.answer_by(|request, reply| {
        let destination = request.proxied().map(|proxied| proxied.destination.to_string());
        let text = format!("<{} {}>", request.peer(), destination.unwrap_or_default());
        reply.begin(b"200 OK").unwrap();
        let _ = reply.write(text.as_bytes(), true);
        let _ = reply.finish();
    });
}

#[test]
fn a_proxy_header_counts_for_all_requests_of_its_connection() {
    let mut world = World::new(behind_a_proxy());
    tell_peers(&mut world);
    let client = world.connect();
    let header = "PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n";
    for byte in header.bytes() {
        send(&client, [byte]);
        world.turn();
    }
    for _ in 0..2 {
        send(&client, get("/"));
        read_until(&mut world, &client, |text| text.ends_with("<192.0.2.1:1234 192.0.2.2:80>"));
    }
    // A second one is no request.
    send(&client, format!("{header}\r\n"));
    read_until(&mut world, &client, |text| text.starts_with("HTTP/1.1 400 "));
    assert_eq!(world.app.targets.len(), 2);
}

#[test]
fn without_a_proxy_header_the_peer_is_the_client() {
    let mut world = World::new(behind_a_proxy());
    tell_peers(&mut world);
    for header in ["", "PROXY UNKNOWN\r\n", "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "\r\n"] {
        let client = world.connect();
        send(&client, header);
        send(&client, get("/"));
        let expected = format!("<{} >", client.local_addr().unwrap());
        read_until(&mut world, &client, |text| text.ends_with(&expected));
    }
}

#[test]
fn a_proxy_header_of_a_stranger_or_a_broken_one_is_refused() {
    let mut strangers = behind_a_proxy();
    strangers.trust.preamble_senders = Networks::default();
    for (config, header, status) in [
        (strangers, "PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n", 403),
        (behind_a_proxy(), "PROXY TCP5 192.0.2.1 192.0.2.2 1234 80\r\n", 400),
        (Config::default(), "PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n", 400),
    ] {
        let mut world = World::new(config);
        let mut client = world.connect();
        send(&client, format!("{header}{}", get("/")));
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let text = world.read_to_end(&mut client);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        assert!(world.app.targets.is_empty());
        assert_eq!(world.books.ended.len(), 1);
    }
}

#[test]
fn what_is_permitted_arrives_in_today_s_style() {
    let permits = Permits { obsolete_folding: true, casefold_method: true, ..Permits::default() };
    let mut world = World::new(Config { permits, ..Config::default() });
    world.answer_by(|request, reply| {
        let fields: Vec<String> =
            request.headers().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect();
        reply.begin(b"200 OK").unwrap();
        let _ = reply.write(format!("{} {}", request.method(), fields.join("|")).as_bytes(), true);
        let _ = reply.finish();
    });
    let client = world.connect();
    send(&client, "post / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\nContent-Length: 1\r\n\r\nx");
    read_until(&mut world, &client, |text| text.ends_with("POST a|1 2|1"));
    send(&client, format!("get / HTTP/1.1\r\nHost: b\r\nX: 1\r\n\t2\r\n\r\n{}", get("/")));
    read_until(&mut world, &client, |text| text.contains("GET b|1 2") && text.ends_with("GET a"));
}

#[test]
fn early_hints_come_before_the_answer() {
    let mut world = World::new(Config::default());
    world.answer_by(|_, reply| {
        reply.hint([(&b"Link"[..], &b"</a>; rel=preload"[..]), (b"Content-Length", b"5")]).unwrap();
        assert!(reply.hint([(&b"A"[..], &b"b\r\nC: d"[..])]).is_err());
        reply.begin(b"200 OK").unwrap();
        let _ = reply.write(b"x", true);
        let _ = reply.finish();
        reply.hint([(&b"Too"[..], &b"late"[..])]).unwrap();
    });
    let mut client = world.connect();
    send(&client, get("/"));
    let text = read_until(&mut world, &client, |text| text.ends_with("\r\n\r\nx"));
    assert!(
        text.starts_with("HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n")
    );
    assert!(!text.contains("Too"));
    send(&client, "GET / HTTP/1.0\r\n\r\n");
    assert!(world.read_to_end(&mut client).starts_with("HTTP/1.1 200 OK\r\n"));
}

/// A file of so many bytes, each of which tells where it is.
fn file_of(length: u32) -> std::fs::File {
    let mut file = sys::spool::unnamed_file(&std::env::temp_dir()).unwrap();
    let bytes: Vec<u8> = (0..length).map(|at| b'a' + (at % 23) as u8).collect();
    file.write_all(&bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

/// Answers with what lies from `offset` on in a file of so many bytes, with these fields.
fn answer_with_file(world: &mut World, length: u32, offset: u64, fields: &'static [(&str, &str)]) {
    world.answer_by(move |_, reply| {
        // Closed before the client has all of it.
        let file = file_of(length);
        reply.begin(b"200 OK").unwrap();
        for (name, value) in fields {
            reply.header(name.as_bytes(), value.as_bytes()).unwrap();
        }
        assert!(reply.takes_file());
        let _ = reply.write_file(file.as_fd(), offset, u64::from(length) - offset);
        let _ = reply.finish();
    });
}

#[test]
fn a_large_file_is_sent_while_others_are_served() {
    let mut world = World::new(Config::default());
    answer_with_file(&mut world, 9_000_000, 1, &[]);
    let slow = world.connect();
    send(&slow, format!("{}{}", get("/slow"), get("/behind")));
    world.turn_until("the first is in the application", |world| world.app.targets.len() == 1);
    world.app.call = None;
    let other = world.connect();
    send(&other, get("/other"));
    read_until(&mut world, &other, |text| text.ends_with("/other"));
    let text = read_until(&mut world, &slow, |text| text.ends_with("/behind"));
    let (head, rest) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nContent-Length: 8999999"), "{head}");
    let expected = (1..9_000_000u32).map(|at| b'a' + (at % 23) as u8);
    assert!(rest.bytes().take(8_999_999).eq(expected), "the file's bytes in their order");
    assert!(rest[8_999_999..].starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_file_keeps_to_the_length_that_was_promised() {
    for (length, fields, body, outcome) in [
        (10, &[("Content-Length", "4")][..], "abcd", Outcome::Answered),
        (10, &[], "abcdefghij", Outcome::Answered),
        (4, &[("Content-Length", "10")], "abcd", Outcome::Aborted),
        (0, &[], "", Outcome::Answered),
    ] {
        let mut world = World::new(Config::default());
        answer_with_file(&mut world, length, 0, fields);
        let mut client = world.connect();
        send(&client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let text = world.read_to_end(&mut client);
        assert!(text.ends_with(&format!("\r\n\r\n{body}")), "{text}");
        assert_eq!(world.books.ended[0].2, outcome);
    }
}

#[test]
fn head_has_the_length_of_the_file_and_nothing_of_it() {
    let mut world = World::new(Config::default());
    answer_with_file(&mut world, 10, 3, &[]);
    let mut client = world.connect();
    send(&client, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let text = world.read_to_end(&mut client);
    assert!(text.contains("\r\nContent-Length: 7\r\n") && text.ends_with("\r\n\r\n"), "{text}");
}
