//! Requests that are taken away: answered late, from another thread, in pieces, or never; and what their connections
//! do meanwhile.

use super::test_world::{World, get, read_until, reset, send};
use super::*;
use crate::app::{Manner, Outcome, Share, Stirred};
use crate::away::{Exchange, Piece};
use crate::reply::Flow;
use crate::websocket::Handshake;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// So much of a body is waited for.
const GATHERED: u64 = 10;

/// Takes every request away and remembers what it is told of it.
#[derive(Default)]
struct Absent {
    exchanges: Vec<Exchange>,
    told: Vec<(usize, Stirred)>,
    full_for: Option<u64>,
    answers_at_once: bool,
}

impl App for Absent {
    const MANNER: Manner = Manner::Away { gathered: GATHERED };

    fn take(&mut self, exchange: Exchange) {
        if self.answers_at_once {
            return answer(exchange);
        }
        self.exchanges.push(exchange);
    }

    fn stirred(&mut self, key: usize, what: Stirred) {
        self.told.push((key, what));
    }

    fn full_for(&self) -> Option<u64> {
        self.full_for
    }

    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        wait()
    }

    fn interrupted(&mut self) {}
}

fn world(config: Config) -> World<Absent> {
    World::with(Absent::default(), config)
}

/// Answers with the target.
fn answer(mut exchange: Exchange) {
    let (request, mut reply) = exchange.parts();
    reply.begin(b"200 OK").unwrap();
    let _ = reply.write(request.target().as_bytes(), true);
    let _ = reply.finish();
    exchange.end();
}

fn taken(world: &mut World<Absent>) -> Exchange {
    world.turn_until("a request was handed over", |world| !world.app.exchanges.is_empty());
    world.app.exchanges.remove(0)
}

fn post(length: usize, more: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{more}\r\n")
}

#[test]
fn an_answer_may_come_late_and_from_another_thread() {
    let mut world = world(Config::default());
    let (first, second) = (world.connect(), world.connect());
    send(&first, get("/first"));
    let slow = taken(&mut world);
    send(&second, get("/second"));
    let quick = taken(&mut world);
    std::thread::spawn(move || answer(quick)).join().unwrap();
    assert!(read_until(&mut world, &second, |text| text.ends_with("/second")).starts_with("HTTP/1.1 200"));
    world.turn_until("it is in the books", |world| world.books.ended.len() == 1);
    answer(slow);
    read_until(&mut world, &first, |text| text.ends_with("/first"));
    // Both connections are used again.
    send(&first, get("/third"));
    answer(taken(&mut world));
    read_until(&mut world, &first, |text| text.ends_with("/third"));
    world.turn_until("all are in the books", |world| world.books.ended.len() == 3);
    assert_eq!(world.server.shared.out, 0);
}

#[test]
fn an_answer_at_once_lets_the_next_request_follow() {
    let mut world = world(Config::default());
    world.app.answers_at_once = true;
    let client = world.connect();
    send(&client, (0..40).map(|n| get(&format!("/{n}"))).collect::<String>());
    let text = read_until(&mut world, &client, |text| text.ends_with("/39"));
    assert_eq!(text.matches("HTTP/1.1 200").count(), 40);
    assert!((0..38).all(|n| text.find(&format!("\n/{n}H")) < text.find(&format!("\n/{}H", n + 1))));
}

#[test]
fn a_request_behind_one_that_is_out_waits() {
    let mut world = world(Config::default());
    let client = world.connect();
    send(&client, get("/first") + &get("/second"));
    let first = taken(&mut world);
    for _ in 0..5 {
        world.turn();
    }
    assert!(world.app.exchanges.is_empty());
    assert_eq!(world.server.connections.iter().next().unwrap().1.interest, Interest::Nothing);
    answer(first);
    answer(taken(&mut world));
    read_until(&mut world, &client, |text| text.contains("/first") && text.ends_with("/second"));
    world.turn_until("both have ended", |world| world.books.ended.len() == 2);
}

#[test]
fn a_small_body_is_waited_for_and_a_large_one_flows() {
    let mut world = world(Config::default());
    let client = world.connect();
    send(&client, post(6, "") + "abc");
    world.turn_until("the body begins", |world| {
        world.server.connections.iter().any(|(_, connection)| connection.intake.body_received() == Some(3))
    });
    assert!(world.app.exchanges.is_empty());
    send(&client, "def");
    let exchange = taken(&mut world);
    assert!(matches!(exchange.request().body(), crate::spool::Body::Memory(b"abcdef")));
    answer(exchange);
    read_until(&mut world, &client, |text| text.ends_with('/'));
    send(&client, post(17, "") + "abcdef");
    world.turn_until("not enough has come", |world| {
        world.server.connections.iter().any(|(_, connection)| connection.intake.body_received() == Some(6))
    });
    send(&client, "ghijkl");
    let exchange = taken(&mut world);
    let inflow = exchange.inflow().unwrap().clone();
    assert_eq!(inflow.take(100).unwrap(), Piece::Bytes(b"abcdefghijkl".to_vec()));
    assert_eq!(inflow.take(100).unwrap(), Piece::Pending);
    send(&client, "mnopq");
    world.turn_until("it is told", |world| world.app.told == [(exchange.key(), Stirred::Body)]);
    assert_eq!(inflow.take(100).unwrap(), Piece::Bytes(b"mnopq".to_vec()));
    assert_eq!(inflow.take(100).unwrap(), Piece::End);
    answer(exchange);
    let text = read_until(&mut world, &client, |text| text.ends_with('/'));
    assert!(!text.contains("Connection: close"), "the body was there when the answer began");
    assert!(inflow.take(1).is_err(), "the request is over");
}

#[test]
fn a_body_that_nobody_reads_holds_up_the_client() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    let large = 50_000_000;
    send(&client, post(large, ""));
    send(&client, "0123456789");
    let exchange = taken(&mut world);
    let inflow = exchange.inflow().unwrap().clone();
    let sender = std::thread::spawn(move || {
        client.write_all(&vec![b'x'; large - 10]).unwrap();
        client
    });
    world.turn_until("it is held up", |world| {
        world.server.connections.iter().any(|(_, connection)| connection.interest == Interest::Nothing)
    });
    for _ in 0..20 {
        world.turn();
    }
    let mut received = 0;
    world.turn_until("all has arrived", |_| {
        match inflow.take(30_000).unwrap() {
            Piece::Bytes(bytes) => received += bytes.len(),
            Piece::Pending => {}
            Piece::End => return true,
        }
        assert!(received > 0);
        false
    });
    assert_eq!(received, large);
    answer(exchange);
    let client = sender.join().unwrap();
    read_until(&mut world, &client, |text| text.ends_with('/'));
}

#[test]
fn a_client_is_asked_for_its_body_when_that_is_wanted() {
    let mut world = world(Config { body_timeout: 50, ..Config::default() });
    let client = world.connect();
    send(&client, post(6, "Expect: 100-continue\r\n"));
    let mut exchange = taken(&mut world);
    let inflow = exchange.inflow().unwrap().clone();
    let later = Instant::now() + Duration::from_millis(300);
    world.turn_until("the client was patient", |_| Instant::now() > later);
    assert_eq!(inflow.take(9), Ok(Piece::Pending), "it is not the client that is late");
    assert!(inflow.expects_continue());
    exchange.reply().go_on();
    read_until(&mut world, &client, |text| text == "HTTP/1.1 100 Continue\r\n\r\n");
    send(&client, "abcdef");
    world.turn_until("it has come", |_| inflow.take(9).unwrap() == Piece::Bytes(b"abcdef".to_vec()));
    answer(exchange);
    let text = read_until(&mut world, &client, |text| text.ends_with('/'));
    assert!(!text.contains("Connection: close"));
}

#[test]
fn a_body_that_was_not_wanted_ends_the_connection() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    send(&client, post(600_000, "Expect: 100-continue\r\n"));
    answer(taken(&mut world));
    let text = world.read_to_end(&mut client);
    assert!(text.contains("Connection: close") && text.ends_with('/'), "{text}");
}

#[test]
fn what_is_wrong_with_a_body_is_told() {
    for (body, status) in [("zz\r\n", 400), ("ffffff\r\n", 413), ("3\r\nab", 408)] {
        let begun = "a\r\n0123456789\r\n";
        let mut world = world(Config { body: 100_000, body_timeout: 100, ..Config::default() });
        let mut client = world.connect();
        send(&client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned() + begun);
        let exchange = taken(&mut world);
        let inflow = exchange.inflow().unwrap().clone();
        send(&client, format!("{body}{}", if status == 413 { "x".repeat(200_000) } else { String::new() }));
        world.turn_until("it is told", |_| {
            loop {
                match inflow.take(1 << 20) {
                    Ok(Piece::Bytes(_)) => {}
                    Ok(_) => return false,
                    Err(refusal) => return refusal.status == status,
                }
            }
        });
        assert!(world.app.told.contains(&(exchange.key(), Stirred::Body)));
        // An application that gives up says no more than that.
        drop(exchange);
        let text = world.read_to_end(&mut client);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        assert!(text.contains("Connection: close"), "{text}");
    }
}

#[test]
fn a_client_that_is_gone_is_told_once_and_its_request_goes_on() {
    let mut world = world(Config::default());
    let client = world.connect();
    send(&client, post(100, "") + "0123456789");
    let exchange = taken(&mut world);
    let inflow = exchange.inflow().unwrap().clone();
    reset(client);
    world.turn_until("it is told", |world| world.app.told.contains(&(exchange.key(), Stirred::Gone)));
    for _ in 0..5 {
        world.turn();
    }
    assert_eq!(world.app.told.iter().filter(|(_, what)| *what == Stirred::Gone).count(), 1);
    assert_eq!(inflow.take(9), Ok(Piece::Bytes(b"012345678".to_vec())));
    let _ = inflow.take(9);
    assert!(inflow.take(9).is_err());
    assert_eq!(world.server.connections(), 1, "its socket is nobody else's as long as it is out");
    answer(exchange);
    world.turn_until("it is closed", |world| world.server.connections() == 0);
    assert_eq!(world.books.ended[0].2, Outcome::Aborted);
}

#[test]
fn a_client_that_is_silent_gets_its_answer() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    send(&client, get("/last"));
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let exchange = taken(&mut world);
    world.turn_until("it is told", |world| world.app.told == [(exchange.key(), Stirred::Silent)]);
    for _ in 0..5 {
        world.turn();
    }
    answer(exchange);
    assert!(world.read_to_end(&mut client).ends_with("/last"));
}

/// Writes until the client has to be waited for.
fn fill(exchange: &mut Exchange) -> usize {
    exchange.reply().begin(b"200 OK").unwrap();
    let mut written = 0;
    loop {
        exchange.reply().write(&[b'x'; 100_000], false).unwrap();
        written += 100_000;
        if exchange.leave_rest() == Flow::Full {
            return written;
        }
    }
}

fn body_length(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'x').count()
}

#[test]
fn a_slow_client_holds_up_its_own_answer_and_nothing_is_out_of_order() {
    let mut world = world(Config::default());
    let client = world.connect();
    send(&client, get("/large"));
    let mut exchange = taken(&mut world);
    let mut written = fill(&mut exchange);
    world.turn();
    assert!(world.app.told.is_empty(), "the client has not read anything");
    // What is written nevertheless follows what was left.
    exchange.reply().write(b"y", false).unwrap();
    assert_eq!(exchange.leave_rest(), Flow::Full);
    let mut reader = client.try_clone().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        reader.set_nonblocking(false).unwrap();
        while !text.ends_with(b"\r\n0\r\n\r\n") {
            let mut buffer = [0; 65536];
            let length = reader.read(&mut buffer).unwrap();
            assert!(length > 0);
            text.extend_from_slice(&buffer[..length]);
        }
        String::from_utf8(text).unwrap()
    });
    let key = exchange.key();
    world.turn_until("there is room", |world| world.app.told.contains(&(key, Stirred::Room)));
    while exchange.use_room().unwrap() == Flow::Full {
        world.turn();
    }
    exchange.reply().write(&[b'x'; 100_000], true).unwrap();
    written += 100_000;
    exchange.end();
    world.turn_until("it is whole", |_| reading.is_finished());
    let text = reading.join().unwrap();
    assert_eq!(body_length(&text), written);
    assert_eq!(text.matches('y').count(), 1);
    // The connection is used again.
    send(&client, get("/next"));
    answer(taken(&mut world));
    read_until(&mut world, &client, |text| text.ends_with("/next"));
}

#[test]
fn a_client_that_takes_nothing_is_gone_after_a_while() {
    let mut world = world(Config { write_timeout: 200, ..Config::default() });
    let client = world.connect();
    send(&client, get("/large"));
    let mut exchange = taken(&mut world);
    fill(&mut exchange);
    let key = exchange.key();
    world.turn_until("it is told", |world| world.app.told.contains(&(key, Stirred::Gone)));
    assert!(exchange.use_room().is_err(), "there will never be room");
    assert!(exchange.reply().write(b"more", false).is_err(), "and nobody reads what is written");
    drop(exchange);
    world.turn_until("it is closed", |world| world.server.connections() == 0);
    assert_eq!(world.books.ended[0].2, Outcome::Aborted);
}

#[test]
fn what_is_left_at_the_end_is_sent_by_the_loop() {
    let mut world = world(Config::default());
    let client = world.connect();
    send(&client, get("/large"));
    let mut exchange = taken(&mut world);
    let large = 30_000_000;
    exchange.begin_on_thread(0);
    let mut reply = exchange.reply();
    reply.begin(b"200 OK").unwrap();
    assert_eq!(reply.write(&vec![b'x'; large], true).unwrap(), Flow::Ready);
    std::thread::spawn(move || exchange.end()).join().unwrap();
    let text = read_until(&mut world, &client, |text| body_length(text) == large);
    assert!(text.starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn who_is_dropped_has_failed() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    send(&client, get("/"));
    drop(taken(&mut world));
    assert!(world.read_to_end(&mut client).starts_with("HTTP/1.1 500 "));
    assert_eq!(world.books.ended[0].1, 500);
}

#[test]
fn the_end_waits_for_what_is_out() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    send(&client, get("/last"));
    let exchange = taken(&mut world);
    world.server.end(Farewell::Stop);
    let later = Instant::now() + Duration::from_millis(800);
    world.turn_until("the quiet would have been closed", |_| Instant::now() > later);
    assert!(!world.server.is_idle());
    answer(exchange);
    assert!(world.read_to_end(&mut client).ends_with("/last"));
    world.turn_until("it is over", |world| world.server.is_idle());
}

#[test]
fn who_has_enough_to_do_accepts_nothing_and_calls_others() {
    for (workers, full_for, accepts) in [(2, 1, false), (1, 1, true), (1, 1_000_000_000, false)] {
        let mut world = world(Config::default());
        let bell = Arc::new(Waker::new().unwrap());
        world.server.hear_siblings(Arc::clone(&bell)).unwrap();
        world.books.share = Share { workers, total: 1, others_free: false };
        let client = world.connect();
        send(&client, get("/first"));
        let first = taken(&mut world);
        world.app.full_for = Some(full_for);
        let waiting = world.connect();
        send(&waiting, get("/second"));
        for _ in 0..20 {
            world.turn();
        }
        assert_eq!(world.server.connections() == 2, accepts, "{workers} workers, full for {full_for}");
        world.app.full_for = None;
        answer(first);
        answer(taken(&mut world));
        read_until(&mut world, &waiting, |text| text.ends_with("/second"));
    }
}

#[test]
fn who_is_called_accepts_what_is_there() {
    let mut world = world(Config::default());
    let bell = Arc::new(Waker::new().unwrap());
    world.server.hear_siblings(Arc::clone(&bell)).unwrap();
    bell.wake();
    bell.wake();
    world.turn();
    let _client = world.connect();
    world.turn_until("it is accepted", |world| world.server.connections() == 1);
}

#[test]
fn within_another_loop_it_says_when_to_come_back() {
    let mut world = world(Config::default());
    let Config { head_timeout, .. } = Config::default();
    let turned = world.server.turn_within(&mut world.app, &mut world.books).unwrap();
    assert_eq!(turned.next, None);
    let client = world.connect();
    world.turn_until("it is accepted", |world| world.server.connections() == 1);
    let next = world.server.turn_within(&mut world.app, &mut world.books).unwrap().next.unwrap();
    assert!((head_timeout - 1000..=head_timeout + 1000).contains(&next), "{next}");
    send(&client, get("/"));
    let exchange = taken(&mut world);
    // What ends while nobody turns makes the descriptor readable, at the latest when the nap is over.
    let turned =
        |world: &mut World<Absent>| world.server.turn_within(&mut world.app, &mut world.books).unwrap();
    assert!(turned(&mut world).next.unwrap() <= 50);
    answer(exchange);
    turned(&mut world);
    assert_eq!(world.books.ended.len(), 1);
    let _: TcpStream = client;
}

#[test]
fn a_request_may_become_a_websocket() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    let fields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    send(&client, format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}{key}\r\nearly"));
    let mut exchange = taken(&mut world);
    let Handshake::Offered(offer) = Handshake::read(&exchange.request()) else { panic!("no offer") };
    let config = crate::websocket::Config::default();
    let (session, inflow) = exchange.open_websocket(&offer, None, [], &config).unwrap();
    assert!(session.is_open());
    read_until(&mut world, &client, |text| text.starts_with("HTTP/1.1 101 ") && text.ends_with("\r\n\r\n"));
    let mut heard = Vec::new();
    let mut hear = |world: &mut World<Absent>, all: &[u8]| {
        world.turn_until("it is heard", |_| {
            if let Ok(Piece::Bytes(bytes)) = inflow.take(100) {
                heard.extend(bytes);
            }
            heard == all
        });
    };
    // What came before the answer, what comes behind it, and nothing of it is a request.
    hear(&mut world, b"early");
    send(&client, get("/late"));
    hear(&mut world, ("early".to_owned() + &get("/late")).as_bytes());
    assert!(world.app.exchanges.is_empty());
    exchange.reply().write(b"frame", false).unwrap();
    exchange.leave_rest();
    exchange.reply().finish().unwrap();
    exchange.end();
    assert!(world.read_to_end(&mut client).ends_with("frame"));
    world.turn_until("it is in the books", |world| world.books.ended.len() == 1);
    assert_eq!((world.books.ended[0].1, world.books.ended[0].2), (101, Outcome::Answered));
}

#[test]
fn a_websocket_whose_client_goes_is_told() {
    let mut world = world(Config { body_timeout: 50, ..Config::default() });
    let client = world.connect();
    let fields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    send(&client, format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}{key}\r\n"));
    let mut exchange = taken(&mut world);
    let Handshake::Offered(offer) = Handshake::read(&exchange.request()) else { panic!("no offer") };
    let config = crate::websocket::Config::default();
    let (_, inflow) = exchange.open_websocket(&offer, None, [], &config).unwrap();
    let later = Instant::now() + Duration::from_millis(300);
    world.turn_until("the time for a body would be over", |_| Instant::now() > later);
    assert_eq!(inflow.take(9), Ok(Piece::Pending), "a websocket may be silent");
    reset(client);
    world.turn_until("it is told", |world| world.app.told.contains(&(exchange.key(), Stirred::Gone)));
    assert!(inflow.take(9).is_err());
    drop(exchange);
    world.turn_until("it is closed", |world| world.server.connections() == 0);
}
