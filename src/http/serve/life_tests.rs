//! The life of a connection, row by row of the table in `serve/mod.rs`: what it waits for, when its time is over, and
//! how it ends; and the end of the server itself.

use super::test_world::{World, get, read_until, reset, send};
use super::*;
use crate::app::Outcome;
use crate::reply::{Flow, Reply};
use crate::request::Request;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};
use sys::socket;

#[test]
fn a_connection_is_kept_and_answers_come_in_order() {
    let mut world = World::new(Config::default());
    let client = world.connect();
    for round in 0..3 {
        send(&client, (0..5).map(|number| get(&format!("/{round}{number}"))).collect::<String>());
        let last = format!("/{round}4");
        let text = read_until(&mut world, &client, |text| text.ends_with(&last));
        assert!(!text.contains("Connection:") && text.contains("\r\nContent-Length: 3\r\n"));
    }
    let expected: Vec<String> =
        (0..3).flat_map(|round| (0..5).map(move |number| format!("/{round}{number}"))).collect();
    assert_eq!(world.app.targets, expected);
    assert_eq!(world.server.connections(), 1);
}

#[test]
fn an_idle_connection_owns_no_memory() {
    let mut world = World::new(Config::default());
    let client = world.connect();
    let (begin, end) = ("POST /p HTTP/1.1\r\nHost: a\r\nConte", "nt-Length: 3\r\n\r\nabc");
    send(&client, begin);
    world.turn_until("half a head is kept", |world| {
        world.server.connections.iter().any(|(_, it)| it.input.len() == begin.len())
    });
    send(&client, end);
    read_until(&mut world, &client, |text| text.ends_with("/p"));
    let (_, connection) = world.server.connections.iter().next().unwrap();
    assert_eq!(connection.input.capacity(), 0);
    assert!(connection.output.is_empty() && connection.is_quiet());
}

#[test]
fn the_time_for_a_head_and_for_a_body_is_limited() {
    let limits = Config { head_timeout: 200, body_timeout: 200, ..Config::default() };
    for begin in ["GET / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"] {
        let mut world = World::new(limits.clone());
        let mut client = world.connect();
        send(&client, begin);
        let answer = world.read_to_end(&mut client);
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"));
        assert!(world.app.targets.is_empty());
        assert!(matches!(world.books.ended[..], [(_, 408, Outcome::Refused(_))]), "{:?}", world.books.ended);
    }
}

#[test]
fn a_body_that_comes_fast_enough_earns_its_time() {
    let mut world = World::new(Config { body_timeout: 150, ..Config::default() });
    let client = world.connect();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2048\r\n\r\n";
    send(&client, head.to_owned() + &"x".repeat(2047));
    let began = Instant::now();
    world.turn_until("the base is long over", |_| began.elapsed() > Duration::from_millis(600));
    send(&client, "x");
    read_until(&mut world, &client, |text| text.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_quiet_connection_is_closed_without_a_word() {
    let mut world = World::new(Config { keep_alive: 150, head_timeout: 150, ..Config::default() });
    let (mut silent, mut kept) = (world.connect(), world.connect());
    send(&kept, get("/"));
    assert!(world.read_to_end(&mut kept).ends_with("\r\n\r\n/"));
    assert_eq!(world.read_to_end(&mut silent), "");
    assert_eq!(world.books.ended.len(), 1);
}

#[test]
fn two_hundred_slow_clients_hold_up_nobody() {
    let slow_body = "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n";
    for (at_once, bytes) in [("", get("/slow")), (slow_body, "x".repeat(98))] {
        let mut world = World::new(Config::default());
        let mut slow = Vec::new();
        for number in 1..=200 {
            slow.push(world.connect());
            world.turn_until("it is accepted", |world| world.server.connections() == number);
        }
        slow.iter().for_each(|client| send(client, at_once));
        for (byte, _) in bytes.bytes().zip(0..10) {
            slow.iter().for_each(|client| send(client, [byte]));
            let client = world.connect();
            send(&client, get("/normal"));
            read_until(&mut world, &client, |text| text.ends_with("/normal"));
        }
        assert_eq!(world.app.targets, ["/normal"; 10]);
    }
}

#[test]
fn a_piece_is_with_the_client_before_the_next_is_made() {
    let mut world = World::new(Config::default());
    let client = world.connect();
    let reader = client.try_clone().unwrap();
    reader.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    world.app.call = Some(Box::new(move |_: &Request<'_>, reply: &mut Reply<'_>| {
        reply.begin(b"200 OK").unwrap();
        for piece in ["one", "two", "three"] {
            assert_eq!(reply.write(piece.as_bytes(), false).unwrap(), Flow::Ready);
            let (mut text, mut buffer) = (String::new(), [0; 1024]);
            while !text.ends_with(&format!("{:x}\r\n{piece}\r\n", piece.len())) {
                let length = (&reader).read(&mut buffer).unwrap();
                text.push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        }
        reply.finish().unwrap();
    }));
    send(&client, get("/"));
    let text = read_until(&mut world, &client, |text| text.ends_with("0\r\n\r\n"));
    assert_eq!(text, "0\r\n\r\n");
    assert_eq!(world.books.ended[0].2, Outcome::Answered);
}

#[test]
fn a_large_body_waits_in_a_file() {
    let mut world = World::new(Config { spool_directories: vec![std::env::temp_dir()], ..Config::default() });
    world.app.call = Some(Box::new(|request: &Request<'_>, reply: &mut Reply<'_>| {
        let crate::spool::Body::Spooled { mut file, length } = request.body() else { panic!("not spooled") };
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert!(content.len() as u64 == length && content.iter().all(|byte| *byte == b'x'));
        reply.begin(b"200 OK").unwrap();
        reply.write(length.to_string().as_bytes(), true).unwrap();
        reply.finish().unwrap();
    }));
    let client = world.connect();
    let writer = client.try_clone().unwrap();
    let upload = std::thread::spawn(move || {
        send(&writer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
        send(&writer, vec![b'x'; 5_000_000]);
    });
    world.turn_until("it is answered", |world| !world.books.ended.is_empty());
    upload.join().unwrap();
    read_until(&mut world, &client, |text| text.ends_with("\r\n\r\n5000000"));
}

#[test]
fn continue_is_said_when_the_body_has_not_come_yet() {
    let mut world = World::new(Config { body: 100, ..Config::default() });
    let head = |length: usize| {
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n")
    };
    let client = world.connect();
    send(&client, head(3));
    assert_eq!(read_until(&mut world, &client, |text| !text.is_empty()), "HTTP/1.1 100 Continue\r\n\r\n");
    send(&client, "abc");
    assert!(read_until(&mut world, &client, |text| text.ends_with('/')).starts_with("HTTP/1.1 200 OK\r\n"));
    send(&client, head(3) + "abc");
    assert!(read_until(&mut world, &client, |text| text.ends_with('/')).starts_with("HTTP/1.1 200 OK\r\n"));
    send(&client, head(101));
    assert!(read_until(&mut world, &client, |text| !text.is_empty()).starts_with("HTTP/1.1 413 "));
}

#[test]
fn a_client_that_is_gone_is_noticed_while_writing_and_booked_once() {
    let mut world = World::new(Config::default());
    let client = world.connect();
    let mut leaving = Some(client.try_clone().unwrap());
    world.app.call = Some(Box::new(move |_: &Request<'_>, reply: &mut Reply<'_>| {
        reply.begin(b"200 OK").unwrap();
        leaving.take().into_iter().for_each(reset);
        let deadline = Instant::now() + Duration::from_secs(10);
        while reply.write(b"piece", false).is_ok() {
            assert!(Instant::now() < deadline);
        }
        assert!(reply.client_gone());
    }));
    send(&client, get("/"));
    drop(client);
    world.turn_until("it is over", |world| !world.books.ended.is_empty());
    world.turn_until("it is closed", |world| world.server.connections() == 0);
    assert_eq!(world.books.ended.len(), 1);
    assert_eq!(world.books.ended[0].2, Outcome::Aborted);
}

#[test]
fn who_takes_nothing_is_cut_and_who_reads_slowly_holds_up_nobody() {
    let mut world = World::new(Config { write_timeout: 1500, ..Config::default() });
    world.app.call = Some(Box::new(|request: &Request<'_>, reply: &mut Reply<'_>| {
        reply.begin(b"200 OK").unwrap();
        let size = if request.target() == "/large" { 30_000_000 } else { 1 };
        reply.write(&vec![b'x'; size], true).unwrap();
        reply.finish().unwrap();
    }));
    let (greedy, normal) = (world.connect(), world.connect());
    send(&greedy, get("/large"));
    world.turn_until("the large one is made", |world| world.books.ended.len() == 1);
    send(&normal, get("/small"));
    read_until(&mut world, &normal, |text| text.ends_with("\r\n\r\nx"));
    assert_eq!(world.server.connections(), 2);
    world.turn_until("the greedy one is cut", |world| world.server.connections() == 1);
}

#[test]
fn at_the_limit_of_connections_the_next_one_waits() {
    let mut world = World::new(Config { connections: 2, ..Config::default() });
    let (first, _second) = (world.connect(), world.connect());
    let third = world.connect();
    send(&third, get("/third"));
    world.turn_until("it is full", |world| world.server.connections() == 2);
    for _ in 0..20 {
        world.turn();
    }
    assert_eq!((world.server.connections(), world.app.targets.len()), (2, 0));
    drop(first);
    read_until(&mut world, &third, |text| text.ends_with("/third"));
}

#[test]
fn after_an_error_nothing_is_interpreted_and_the_client_can_read_why() {
    let mut world = World::new(Config::default());
    let mut client = world.connect();
    send(&client, String::from("GET / HTTP/1.1\r\n\r\n") + &get("/smuggled").repeat(3));
    world.turn_until("it is refused", |world| !world.books.ended.is_empty());
    send(&client, get("/late").repeat(1000));
    let answer = world.read_to_end(&mut client);
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && answer.ends_with("the Host field is missing\n")
    );
    assert_eq!(answer.matches("HTTP/1.1").count(), 1);
    assert!(world.app.targets.is_empty() && world.books.ended.len() == 1);
}

#[test]
fn who_does_not_hang_up_is_not_waited_for_long() {
    let mut world = World::new(Config::default());
    let mut client = world.connect();
    send(&client, "GET / HTTP/1.1\r\n\r\n");
    assert!(world.read_to_end(&mut client).starts_with("HTTP/1.1 400 "));
    assert_eq!(world.server.connections(), 1);
    let began = Instant::now();
    world.turn_until("it is closed all the same", |world| world.server.connections() == 0);
    assert!(began.elapsed() > Duration::from_secs(1));
}

#[test]
fn a_half_close_in_a_body_is_refused_and_one_in_a_head_is_the_end() {
    let mut world = World::new(Config::default());
    for (begin, answer) in
        [("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab", "HTTP/1.1 400 "), ("GET /", "")]
    {
        let mut client = world.connect();
        send(&client, begin);
        client.shutdown(Shutdown::Write).unwrap();
        let text = world.read_to_end(&mut client);
        assert!(text.starts_with(answer) && text.is_empty() == answer.is_empty(), "{text}");
    }
    assert!(world.app.targets.is_empty());
}

#[test]
fn a_stop_answers_the_backlog_and_what_comes_on_kept_connections() {
    let mut world = World::new(Config::default());
    let (kept, quiet) = (world.connect(), world.connect());
    send(&kept, get("/before"));
    send(&quiet, get("/before"));
    world.turn_until("two are kept", |world| world.books.ended.len() == 2);
    let mut queued: Vec<TcpStream> = (0..20).map(|_| world.connect()).collect();
    queued.iter().for_each(|client| send(client, get("/queued")));
    world.server.end(Farewell::Stop);
    send(&kept, get("/racing"));
    let answer = read_until(&mut world, &kept, |text| text.ends_with("/racing"));
    assert!(answer.contains("Connection: close\r\n"), "{answer}");
    for client in &mut queued {
        let answer = world.read_to_end(client);
        assert!(answer.contains("Connection: close\r\n") && answer.ends_with("/queued"), "{answer}");
    }
    let refused = TcpStream::connect(world.address).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    drop(queued);
    drop(kept);
    assert!(!world.server.is_idle(), "a quiet connection is not closed at once");
    let began = Instant::now();
    world.turn_until("nothing is left", |world| world.server.is_idle());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    drop(quiet);
}

#[test]
fn who_retires_waits_for_the_next_request_of_a_quiet_connection() {
    let mut world = World::new(Config::default());
    let (mut kept, quiet) = (world.connect(), world.connect());
    for client in [&kept, &quiet] {
        send(client, get("/before"));
        read_until(&mut world, client, |text| text.ends_with("/before"));
    }
    world.server.end(Farewell::Retire { patience: 1500 });
    let began = Instant::now();
    world.turn_until("longer than a stop would wait", |_| began.elapsed() > Duration::from_millis(900));
    assert_eq!(world.server.connections(), 2);
    send(&kept, get("/next"));
    let answer = world.read_to_end(&mut kept);
    assert!(answer.contains("Connection: close\r\n") && answer.ends_with("/next"), "{answer}");
    drop(kept);
    world.turn_until("its patience is at its end", |world| world.server.is_idle());
    assert!(began.elapsed() >= Duration::from_millis(1400), "{:?}", began.elapsed());
    drop(quiet);
}

#[test]
fn who_retires_leaves_the_backlog_to_others_unless_there_are_none() {
    for alone in [false, true] {
        let mut world = World::new(Config::default());
        let queue = world.server.listeners[0].fd.try_clone().unwrap();
        let mut client = world.connect();
        send(&client, get("/queued"));
        if alone {
            world.server.is_alone_on(0);
        }
        world.server.end(Farewell::Retire { patience: 0 });
        if alone {
            assert!(world.read_to_end(&mut client).ends_with("/queued"));
        }
        drop(client);
        world.turn_until("nothing is left", |world| world.server.is_idle());
        assert_eq!(socket::accept(queue.as_fd()).unwrap().is_none(), alone);
    }
}

#[test]
fn a_stop_ends_the_patience_of_who_retires() {
    let mut world = World::new(Config::default());
    let quiet = world.connect();
    send(&quiet, get("/before"));
    read_until(&mut world, &quiet, |text| text.ends_with("/before"));
    world.server.end(Farewell::Retire { patience: 60_000 });
    world.turn();
    let began = Instant::now();
    world.server.end(Farewell::Stop);
    world.turn_until("the connection is closed", |world| world.server.is_idle());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    drop(quiet);
}

#[test]
fn half_a_head_does_not_hold_up_the_end() {
    let mut world = World::new(Config::default());
    let (mut half, mut whole) = (world.connect(), world.connect());
    send(&half, "GET / HTTP/1.1\r\nHost:");
    send(&whole, "GET /late HTTP/1.1\r\nHost:");
    world.turn_until("both have begun", |world| world.server.connections() == 2);
    let began = Instant::now();
    world.server.end(Farewell::Retire { patience: 60_000 });
    send(&whole, " a\r\n\r\n");
    assert!(world.read_to_end(&mut whole).ends_with("/late"));
    drop(whole);
    assert!(world.read_to_end(&mut half).starts_with("HTTP/1.1 408 "));
    drop(half);
    world.turn_until("nothing is left", |world| world.server.is_idle());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn who_was_called_alone_comes_although_it_is_told_to_retire() {
    let mut world = World::new(Config::default());
    let (told, teller) = std::os::unix::net::UnixStream::pair().unwrap();
    world.server.watch(told.as_fd(), 7).unwrap();
    let mut client = world.connect();
    send(&client, get("/called"));
    (&teller).write_all(b"x").unwrap();
    world.turn_until("both are heard of at once", |world| !world.server.calls.heard.is_empty());
    assert_eq!(world.server.connections(), 0, "first it is to be heard what the owner says");
    world.server.end(Farewell::Retire { patience: 0 });
    assert!(world.read_to_end(&mut client).ends_with("/called"));
    drop(client);
    world.turn_until("nothing is left", |world| world.server.is_idle());
}

#[test]
fn who_vanishes_closes_what_is_quiet_and_answers_what_has_come() {
    let mut world = World::new(Config::default());
    let (mut quiet, mut asking) = (world.connect(), world.connect());
    for client in [&quiet, &asking] {
        send(client, get("/before"));
        read_until(&mut world, client, |text| text.ends_with("/before"));
    }
    send(&asking, get("/asked"));
    world.server.end(Farewell::Vanish);
    let now = world.server.shared.now;
    let at_once = world.server.connections.iter().filter(|(_, connection)| connection.deadline <= now);
    assert_eq!(at_once.count(), 1, "who asks for nothing is not waited for");
    assert!(world.read_to_end(&mut asking).ends_with("/asked"));
    assert_eq!(world.read_to_end(&mut quiet), "");
}
