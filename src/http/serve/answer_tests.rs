//! What a client gets for what the application does with its reply, byte for byte where it matters; and who is served
//! when. Each test reads on the same connection as far as that may be used, so what is too much or too little shows.

use super::test_world::{World, get, read_until, reset, send};
use super::*;
use crate::app::Outcome;
use crate::reply::{Flow, Reply};
use std::io::Write;
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};
use sys::socket::{Address, ListenOptions};

/// The head and body of a message; the fields that change with the time are left out.
fn split(answer: &str) -> (Vec<&str>, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let varies = |line: &&str| line.starts_with("Date: ") || line.starts_with("Server: ");
    (head.split("\r\n").filter(|line| !varies(line)).collect(), body)
}

/// What an application does with its reply.
type Answer = Box<dyn FnMut(&mut Reply<'_>)>;

/// One answer to `request` by `call`, and how it was booked. The connection must end.
fn answer(request: &str, call: impl FnMut(&mut Reply<'_>) + 'static) -> (String, (u16, Outcome)) {
    let mut world = World::new(Config::default());
    let mut call = call;
    world.answer_by(move |_, reply| call(reply));
    let mut client = world.connect();
    send(&client, request);
    let text = world.read_to_end(&mut client);
    let [(_, status, outcome)] = world.books.ended[..] else { panic!("{:?}", world.books.ended) };
    (text, (status, outcome))
}

const CLOSES: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[test]
fn no_body_follows_where_none_may_be() {
    let mut world = World::new(Config::default());
    world.answer_by(|request, reply| {
        let status = match request.path() {
            "/204" => "204 No Content",
            "/304" => "304 Not Modified",
            _ => "200 OK",
        };
        reply.begin(status.as_bytes()).unwrap();
        reply.write(b"con", request.query() != "stream").unwrap();
        if request.query() == "stream" {
            reply.write(b"tent", true).unwrap();
        }
        reply.finish().unwrap();
    });
    let client = world.connect();
    let head = |target: &str| format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    for (request, expected) in [
        (get("/204"), vec!["HTTP/1.1 204 No Content"]),
        (get("/304"), vec!["HTTP/1.1 304 Not Modified"]),
        (get("/204?stream"), vec!["HTTP/1.1 204 No Content"]),
        (head("/"), vec!["HTTP/1.1 200 OK", "Content-Length: 3"]),
        (head("/?stream"), vec!["HTTP/1.1 200 OK"]),
    ] {
        // The one behind it would begin with what is too much.
        send(&client, request.clone() + &get("/next"));
        let text = read_until(&mut world, &client, |text| text.ends_with("\r\n\r\ncon"));
        let (head, next) = split(&text);
        assert_eq!(head, expected, "{request}");
        let next = split(next);
        assert_eq!(next, (vec!["HTTP/1.1 200 OK", "Content-Length: 3"], "con"), "{request}");
    }
    assert!(world.books.ended.iter().all(|(_, _, outcome)| *outcome == Outcome::Answered));
}

#[test]
fn the_length_that_was_promised_is_kept_or_seen_to_be_broken() {
    let promise = |body: &'static [u8]| {
        move |reply: &mut Reply<'_>| {
            reply.begin(b"200 OK").unwrap();
            reply.header(b"Content-Length", b"4").unwrap();
            reply.write(&body[..1], false).unwrap();
            reply.write(&body[1..], false).unwrap();
            assert_eq!(reply.missing(), Some(4_u64.saturating_sub(body.len() as u64)));
            assert_eq!(reply.finish().is_ok(), body.len() >= 4);
        }
    };
    let expected = vec!["HTTP/1.1 200 OK", "Content-Length: 4", "Connection: close"];
    for (body, outcome) in
        [(&b"abcd"[..], Outcome::Answered), (b"abcdef", Outcome::Answered), (b"abc", Outcome::Aborted)]
    {
        let (text, booked) = answer(CLOSES, promise(body));
        let sent = std::str::from_utf8(&body[..body.len().min(4)]).unwrap();
        assert_eq!(split(&text), (expected.clone(), sent));
        assert_eq!(booked, (200, outcome));
    }
    // Where the connection could be kept, a body that is too short ends it.
    let (text, booked) = answer(&get("/"), promise(b"abc"));
    assert!(text.ends_with("\r\n\r\nabc"));
    assert_eq!(booked, (200, Outcome::Aborted));
}

#[test]
fn http_1_0_is_answered_as_it_can_read() {
    let stream = |reply: &mut Reply<'_>| {
        reply.begin(b"200 OK").unwrap();
        reply.write(b"a", false).unwrap();
        reply.write(b"b", false).unwrap();
        reply.finish().unwrap();
    };
    let kept = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    for request in ["GET / HTTP/1.0\r\n\r\n", kept] {
        let (text, booked) = answer(request, stream);
        assert_eq!(split(&text), (vec!["HTTP/1.1 200 OK", "Connection: close"], "ab"));
        assert_eq!(booked, (200, Outcome::Answered));
    }
    let mut world = World::new(Config::default());
    let client = world.connect();
    for _ in 0..2 {
        send(&client, kept);
        let text = read_until(&mut world, &client, |text| text.ends_with("\r\n\r\n/"));
        let expected = vec!["HTTP/1.1 200 OK", "Content-Length: 1", "Connection: keep-alive"];
        assert_eq!(split(&text), (expected, "/"));
    }
}

#[test]
fn who_says_nothing_or_fails_before_anything_was_sent_is_answered_for() {
    let whole = vec![
        "HTTP/1.1 500 Internal Server Error",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Length: 22",
        "Connection: close",
    ];
    let injection = |reply: &mut Reply<'_>| {
        reply.begin(b"200 OK").unwrap();
        reply.header(b"Set-Cookie", b"secret").unwrap();
        assert!(reply.header(b"X", b"a\r\nY: b").is_err());
        assert!(reply.write(b"body", true).is_err(), "a head that was refused is not sent");
    };
    let calls: [Answer; 4] = [
        Box::new(|_| {}),
        Box::new(injection),
        Box::new(|reply| {
            reply.begin(b"200 OK").unwrap();
            reply.header(b"Content-Length", b"3").unwrap();
            reply.fail(500);
        }),
        Box::new(|reply| {
            assert!(reply.begin(b"200 OK\r\nX: y").is_err());
            reply.fail(500);
        }),
    ];
    for call in calls {
        let (text, booked) = answer(&get("/"), call);
        assert_eq!(split(&text), (whole.clone(), "Internal Server Error\n"));
        assert_eq!(booked, (500, Outcome::Answered));
    }
}

#[test]
fn who_fails_in_the_middle_leaves_chunks_without_an_end() {
    let (text, booked) = answer(&get("/"), |reply| {
        reply.begin(b"200 OK").unwrap();
        reply.write(b"piece", false).unwrap();
        assert!(reply.begin(b"500 Oops").is_err() && reply.header(b"A", b"b").is_err());
        reply.fail(500);
    });
    assert_eq!(split(&text), (vec!["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], "5\r\npiece\r\n"));
    assert_eq!(booked, (200, Outcome::Aborted));
}

#[test]
fn a_head_can_be_replaced_until_it_is_sent() {
    let (text, _) = answer(CLOSES, |reply| {
        reply.begin(b"200 OK").unwrap();
        reply.header(b"Content-Length", b"99").unwrap();
        reply.header(b"First", b"1").unwrap();
        reply.begin(b"404 Not Found").unwrap();
        reply.header(b"Second", b"2").unwrap();
        reply.write(b"", true).unwrap();
        reply.finish().unwrap();
    });
    let expected = vec!["HTTP/1.1 404 Not Found", "Second: 2", "Content-Length: 0", "Connection: close"];
    assert_eq!(split(&text), (expected, ""));
}

#[test]
fn a_client_that_takes_nothing_of_a_stream_is_given_up() {
    let mut world = World::new(Config { write_timeout: 200, ..Config::default() });
    world.answer_by(|_, reply| {
        reply.begin(b"200 OK").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let error = loop {
            assert!(Instant::now() < deadline);
            match reply.write(&[b'x'; 100_000], false) {
                Ok(Flow::Ready) => {}
                Ok(Flow::Full) => match reply.wait_for_room() {
                    Ok(()) => {}
                    Err(error) => break error,
                },
                Err(error) => panic!("{error}"),
            }
        };
        assert!(error.kind() == io::ErrorKind::TimedOut && reply.client_gone());
        assert!(reply.write(b"more", false).is_err());
    });
    let client = world.connect();
    send(&client, get("/"));
    world.turn_until("it is given up", |world| !world.books.ended.is_empty());
    assert_eq!(world.books.ended, [("GET / HTTP/1.1".to_owned(), 200, Outcome::Aborted)]);
    world.turn_until("it is closed", |world| world.server.connections() == 0);
}

#[test]
fn good_requests_before_a_bad_one_are_answered_first() {
    let mut world = World::new(Config::default());
    let mut client = world.connect();
    send(&client, get("/1") + &get("/2") + "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" + &get("/3"));
    let text = world.read_to_end(&mut client);
    let statuses: Vec<&str> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "200", "501"]);
    assert_eq!(world.app.targets, ["/1", "/2"]);
    let lines: Vec<&str> = world.books.ended.iter().map(|(line, _, _)| line.as_str()).collect();
    assert_eq!(lines, ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1", "CONNECT a:1 HTTP/1.1"]);
}

#[test]
fn who_sends_many_at_once_takes_turns_with_others() {
    let mut world = World::new(Config::default());
    let (many, one) = (world.connect(), world.connect());
    world.turn_until("both are accepted", |world| world.server.connections() == 2);
    send(&many, get("/many").repeat(500));
    send(&one, get("/one"));
    world.turn_until("all are answered", |world| world.app.targets.len() == 501);
    let place = world.app.targets.iter().position(|target| target == "/one").unwrap();
    assert!(place <= 64, "{place} of the many were answered before");
    let text = read_until(&mut world, &many, |text| text.matches("\r\n\r\n/many").count() == 500);
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 500);
}

#[test]
fn a_body_that_cannot_be_stored_is_refused() {
    let mut world = World::new(Config { spool_directories: vec!["/nowhere".into()], ..Config::default() });
    let mut client = world.connect();
    let writer = client.try_clone().unwrap();
    let upload = std::thread::spawn(move || {
        (&writer).write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n")?;
        (&writer).write_all(&vec![b'x'; 4_000_000])?;
        (&writer).write_all(get("/smuggled").as_bytes())?;
        writer.shutdown(Shutdown::Write)
    });
    world.turn_until("all of it was taken in", |_| upload.is_finished());
    upload.join().unwrap().unwrap();
    let text = world.read_to_end(&mut client);
    let (head, body) = split(&text);
    assert_eq!(
        (head[0], body),
        ("HTTP/1.1 500 Internal Server Error", "the body cannot be stored: check tmp_upload_dir\n")
    );
    assert_eq!(world.books.ended.len(), 1);
    assert!(matches!(world.books.ended[0], (_, 500, Outcome::Refused(_))) && world.app.targets.is_empty());
}

#[test]
fn what_arrives_during_a_last_request_does_not_destroy_its_answer() {
    for request in ["GET / HTTP/1.0\r\n\r\n", CLOSES] {
        let mut world = World::new(Config::default());
        let mut client = world.connect();
        let meanwhile = client.try_clone().unwrap();
        world.answer_by(move |_, reply| {
            send(&meanwhile, get("/ignored"));
            reply.begin(b"200 OK").unwrap();
            reply.write(b"answer", true).unwrap();
            reply.finish().unwrap();
        });
        send(&client, request);
        // A reset would be an error here.
        assert!(world.read_to_end(&mut client).ends_with("\r\n\r\nanswer"));
        assert_eq!(world.app.targets, ["/"]);
        assert_eq!(world.books.ended.len(), 1);
    }
}

#[test]
fn an_empty_line_is_no_late_request() {
    let mut world = World::new(Config { head_timeout: 150, ..Config::default() });
    let mut client = world.connect();
    send(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    read_until(&mut world, &client, |text| text.ends_with("\r\n\r\n/"));
    send(&client, "\r\n");
    assert_eq!(world.read_to_end(&mut client), "");
    assert_eq!(world.books.ended.len(), 1);
}

#[test]
fn one_client_can_wait_while_another_leaves_in_every_state() {
    let mut world = World::new(Config::default());
    for begin in
        ["", "GE", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"]
    {
        let leaving = world.connect();
        send(&leaving, begin);
        let staying = world.connect();
        send(&staying, get("/stays"));
        read_until(&mut world, &staying, |text| text.ends_with("/stays"));
        world.turn_until("both are accepted", |world| world.server.connections() == 2);
        reset(leaving);
        world.turn_until("it is noticed", |world| world.server.connections() == 1);
        send(&staying, get("/stays"));
        read_until(&mut world, &staying, |text| text.ends_with("/stays"));
        drop(staying);
        world.turn_until("it is closed", |world| world.server.connections() == 0);
    }
    assert_eq!(world.app.targets.len(), 8);
}

/// A world on a unix socket without a file, and how to connect to it.
fn unix_world(name: &str) -> (World, impl Fn() -> UnixStream) {
    let name = format!("rcorn-{name}-{}", sys::process::own_pid());
    let options = ListenOptions { backlog: 64, reuse_port: false, mode: None };
    let listener = sys::socket::listen(&Address::Abstract(name.clone().into_bytes()), options).unwrap();
    let address = SocketAddr::from_abstract_name(name).unwrap();
    let world = World::on(listener, Config::default());
    (world, move || UnixStream::connect_addr(&address).unwrap())
}

#[test]
fn on_a_unix_socket_who_hung_up_is_not_served_and_who_half_closed_is() {
    let (mut world, connect) = unix_world("leaving");
    let (mut gone, mut half) = (connect(), connect());
    gone.write_all(get("/gone").as_bytes()).unwrap();
    drop(gone);
    half.write_all(get("/half").as_bytes()).unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    world.turn_until("one is answered", |world| !world.books.ended.is_empty());
    world.turn_until("both are closed", |world| world.server.connections() == 0);
    let mut text = String::new();
    io::Read::read_to_string(&mut half, &mut text).unwrap();
    assert!(text.ends_with("\r\n\r\n/half"));
    assert_eq!(world.app.targets, ["/half"]);
}
