//! What must hold when clients, siblings or the application are not as one would like them: no memory without
//! bound, nothing lost, nobody waited for in vain. Over real sockets, turned by hand.

use super::test_world::{World, get, reset, send};
use super::*;
use crate::app::{Outcome, Share};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

#[test]
fn a_pipeline_without_end_is_not_read_faster_than_it_is_answered() {
    let mut world = World::new(Config::default());
    let client = world.connect();
    client.set_nonblocking(true).unwrap();
    let many = get("/").repeat(2000);
    let mut most = 0;
    for _ in 0..300 {
        while (&client).read(&mut [0; 65536]).is_ok() {}
        let _ = (&client).write(many.as_bytes());
        world.turn();
        most = world.server.connections.iter().map(|(_, it)| it.input.len()).max().unwrap_or(0).max(most);
    }
    assert!(world.app.targets.len() > 1000);
    assert!(most <= 2 * READ, "{most} bytes were kept");
}

#[test]
fn a_half_close_behind_a_long_pipeline_loses_nothing() {
    let mut world = World::new(Config::default());
    let mut client = world.connect();
    let requests: String = (0..100).map(|number| get(&format!("/{number}"))).collect();
    client.write_all(requests.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let answers = world.read_to_end(&mut client);
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 100);
    assert_eq!(world.app.targets.last().unwrap(), "/99");
}

#[test]
fn a_body_timeout_of_nought_is_no_limit() {
    let mut world = World::new(Config { body_timeout: 0, ..Config::default() });
    let client = world.connect();
    (&client).write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n").unwrap();
    (&client).write_all(&[b'x'; 8000]).unwrap();
    world.turn_until("the body's begin is here", |world| {
        world.server.connections.iter().any(|(_, it)| it.intake.body_received() == Some(8000))
    });
    let began = Instant::now();
    world.turn_until("a quarter of a second passes", |_| began.elapsed() > Duration::from_millis(250));
    (&client).write_all(&[b'x'; 1000]).unwrap();
    world.turn_until("it is answered", |world| !world.books.ended.is_empty());
    assert_eq!(world.books.ended, [("POST / HTTP/1.1".to_owned(), 200, Outcome::Answered)]);
}

#[test]
fn time_in_the_application_is_not_taken_from_the_client() {
    let mut world = World::new(Config { keep_alive: 300, ..Config::default() });
    world.app.call = Some(Box::new(|_, reply| {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(600) {
            std::thread::yield_now();
        }
        reply.begin(b"200 OK").unwrap();
        reply.write(b"slow", true).unwrap();
        reply.finish().unwrap();
    }));
    let client = world.connect();
    (&client).write_all(get("/").as_bytes()).unwrap();
    world.turn_until("it is answered", |world| !world.books.ended.is_empty());
    let answered = Instant::now();
    world.turn_until("it is closed", |world| world.server.connections() == 0);
    assert!(answered.elapsed() >= Duration::from_millis(280), "{:?}", answered.elapsed());
}

/// Holds three connections, while a sibling looks idle; the fourth, which asks for something, is left to that one.
fn with_one_left_to_others() -> (World, Vec<TcpStream>) {
    let mut world = World::new(Config::default());
    let mut clients: Vec<TcpStream> = (0..3).map(|_| world.connect()).collect();
    world.turn_until("three are held", |world| world.server.connections() == 3);
    world.books.share = Share { workers: 2, total: 3, others_free: true };
    clients.push(world.connect());
    send(&clients[3], get("/late"));
    world.turn_until("it is left to others first", |world| world.server.accept_again_at != 0);
    (world, clients)
}

#[test]
fn a_connection_that_others_leave_lying_is_taken() {
    // The sibling never comes: it is stopped, or at its own limit.
    let (mut world, _clients) = with_one_left_to_others();
    world.turn_until("it is answered", |world| !world.books.ended.is_empty());
}

#[test]
fn what_was_left_to_others_is_not_when_they_are_ahead() {
    let (mut world, _clients) = with_one_left_to_others();
    world.books.share.total = 9;
    world.turn();
    assert_eq!(world.server.accept_again_at, 0, "others are ahead by now: nothing is waited for");
    world.turn_until("it is taken", |world| world.server.connections() == 4);
}

/// Four are held, so many of whom ask for something, when twenty more come: how many are taken in one turn.
fn taken_of_twenty(asking: usize) -> usize {
    let mut world = World::new(Config::default());
    let held: Vec<TcpStream> = (0..4).map(|_| world.connect()).collect();
    world.turn_until("all are held", |world| world.server.connections() == held.len());
    for client in &held[..asking] {
        send(client, get("/"));
    }
    let _late: Vec<TcpStream> = (0..20).map(|_| world.connect()).collect();
    world.turn();
    world.server.connections() - held.len()
}

#[test]
fn many_who_come_at_once_are_taken_in_proportion_to_those_who_were_served() {
    // The listener is ready as well, and what keeps this world awake.
    assert_eq!((taken_of_twenty(1), taken_of_twenty(4)), (1 + 2, 4 + 2));
}

#[test]
fn who_works_slowly_has_few_in_his_hands() {
    let mut world = World::new(Config::default());
    world.answer_by(|_, reply| {
        std::thread::sleep(Duration::from_millis(3));
        reply.begin(b"200 OK").unwrap();
        reply.write(b"", true).and_then(|_| reply.finish()).unwrap();
    });
    let clients: Vec<TcpStream> = (0..40).map(|_| world.connect()).collect();
    for client in &clients {
        send(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    }
    let mut most = 0;
    world.turn_until("all are answered", |world| {
        most = most.max(world.server.connections());
        world.books.ended.len() == clients.len()
    });
    assert!(most <= 16, "{most} of {} would be lost with it", clients.len());
}

#[test]
fn connections_that_are_gone_leave_no_timers_behind() {
    let mut world = World::new(Config::default());
    for _ in 0..200 {
        let mut client = world.connect();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        assert!(world.read_to_end(&mut client).starts_with("HTTP/1.1 200 OK"));
    }
    world.turn_until("all are closed", |world| world.server.connections() == 0);
    let entries = world.server.timers.entries();
    assert!(entries < 20, "{entries} entries");
}

#[test]
fn a_malformed_body_is_booked_with_its_own_request_line() {
    let mut world = World::new(Config::default());
    let mut client = world.connect();
    client.write_all(b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    world.turn_until("the head is here", |world| {
        world.server.connections.iter().any(|(_, it)| it.intake.body_received().is_some())
    });
    client.write_all(b"secret\r\n").unwrap();
    assert!(world.read_to_end(&mut client).starts_with("HTTP/1.1 400 Bad Request\r\n"));
    assert_eq!(world.books.ended.len(), 1);
    assert_eq!(world.books.ended[0].0, "POST /p HTTP/1.1");
}

#[test]
fn who_leaves_in_the_middle_of_a_body_is_booked_once() {
    let mut world = World::new(Config::default());
    let client = world.connect();
    (&client).write_all(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab").unwrap();
    world.turn_until("the head is here", |world| {
        world.server.connections.iter().any(|(_, it)| it.intake.body_received().is_some())
    });
    reset(client);
    world.turn_until("it is closed", |world| world.server.connections() == 0);
    assert_eq!(world.books.ended.len(), 1);
    let (line, status, outcome) = &world.books.ended[0];
    assert_eq!((line.as_str(), *status), ("POST /p HTTP/1.1", 0));
    assert!(matches!(outcome, Outcome::Refused(_)));
    assert!(world.app.targets.is_empty());
}

#[test]
fn who_left_while_another_request_ran_is_not_served() {
    let mut world = World::new(Config::default());
    let (slow, hasty) = (world.connect(), world.connect());
    world.turn_until("both are accepted", |world| world.server.connections() == 2);
    (&slow).write_all(get("/first").as_bytes()).unwrap();
    (&hasty).write_all(get("/second").as_bytes()).unwrap();
    // Whoever comes first, the other one's client is gone before its turn.
    let mut clients = Some((slow, hasty));
    world.app.call = Some(Box::new(move |request, reply| {
        if let Some((slow, hasty)) = clients.take() {
            let leaving = if request.target() == "/first" { &hasty } else { &slow };
            reset(leaving.try_clone().unwrap());
            let (staying, leaving) = if request.target() == "/first" { (slow, hasty) } else { (hasty, slow) };
            drop(leaving);
            std::mem::forget(staying);
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(50) {
                std::thread::yield_now();
            }
        }
        reply.begin(b"200 OK").unwrap();
        let _ = reply.write(b"", true).and_then(|_| reply.finish());
    }));
    world.turn_until("one is left", |world| world.server.connections() == 1);
    assert_eq!(world.app.targets.len(), 1, "{:?}", world.app.targets);
}

#[test]
fn a_refused_upload_is_taken_in_until_the_answer_is_read() {
    let mut world = World::new(Config { body: 1000, ..Config::default() });
    let mut client = world.connect();
    let writer = client.try_clone().unwrap();
    let upload = std::thread::spawn(move || {
        (&writer).write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")?;
        (&writer).write_all(&vec![b'x'; 8_000_000])?;
        writer.shutdown(Shutdown::Write)
    });
    world.turn_until("all of it was taken in", |_| upload.is_finished());
    upload.join().unwrap().unwrap();
    assert!(world.read_to_end(&mut client).starts_with("HTTP/1.1 413 Content Too Large\r\n"));
}

#[test]
fn a_failed_response_without_a_length_does_not_look_complete() {
    let mut world = World::new(Config::default());
    world.app.call = Some(Box::new(|_, reply| {
        reply.begin(b"200 OK").unwrap();
        reply.write(b"the first part", false).unwrap();
        reply.fail(500);
    }));
    let client = world.connect();
    (&client).write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    world.turn_until("it is closed", |world| world.books.ended.len() == 1 && world.server.connections() == 0);
    let mut text = Vec::new();
    let error = (&client).read_to_end(&mut text).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn an_answer_outlives_what_follows_a_last_request() {
    let mut world = World::new(Config::default());
    let mut client = world.connect();
    client.write_all(b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab\r\n").unwrap();
    world.turn_until("it is answered", |world| !world.books.ended.is_empty());
    client.write_all(b"more").unwrap();
    assert!(world.read_to_end(&mut client).ends_with("\r\n\r\n/"));
}
