//! Clients that go, that fall silent, and that are slow.

use super::*;

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
