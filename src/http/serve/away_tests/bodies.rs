//! Bodies that are waited for, that flow, and that nobody wants.

use super::*;

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
fn what_was_gathered_in_a_file_flows_as_well() {
    let mut world = world(Config::default());
    let mut client = world.connect();
    let body: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
    send(&client, post(body.len(), ""));
    client.write_all(&body[..5]).unwrap();
    world.turn_until("the body begins", |world| {
        world.server.connections.iter().any(|(_, connection)| connection.intake.body_received() == Some(5))
    });
    // More than stays in memory, in one read.
    client.write_all(&body[5..45_000]).unwrap();
    let exchange = taken(&mut world);
    client.write_all(&body[45_000..]).unwrap();
    let inflow = exchange.inflow().unwrap().clone();
    let mut received = Vec::new();
    world.turn_until("all has arrived", |_| match inflow.take(30_000).unwrap() {
        Piece::Bytes(bytes) => {
            received.extend(bytes);
            false
        }
        Piece::Pending => false,
        Piece::End => true,
    });
    assert!(received == body, "{} of {} bytes have arrived", received.len(), body.len());
    answer(exchange);
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
