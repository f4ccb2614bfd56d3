//! What a message costs: `cargo test --release -p http@0.1.0 speed -- --ignored --nocapture`.

use super::*;
use crate::websocket::mask::unmask;
use std::hint::black_box;
use std::time::Instant;

/// Nanoseconds of one turn, the least of five series.
fn least(turns: usize, mut turn: impl FnMut()) -> f64 {
    let mut series = || {
        let began = Instant::now();
        (0..turns).for_each(|_| turn());
        began.elapsed().as_nanos() as f64 / turns as f64
    };
    (0..5).map(|_| series()).fold(f64::MAX, f64::min)
}

fn echo(session: &mut Session, bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let mut input = bytes;
    let mut answer = Vec::new();
    let mut messages = 0;
    while let Some(event) = session.receive(&mut input, out) {
        messages += 1;
        match black_box(event) {
            Event::Text(text) => answer.extend_from_slice(text.as_bytes()),
            Event::Binary(bytes) => answer.extend_from_slice(bytes),
            Event::Ended(_) => panic!("it ended"),
        }
        session.send_binary(&answer, out).unwrap();
        answer.clear();
    }
    out.clear();
    messages
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let mut out = Vec::new();
    for (name, frame) in [("text", text("a".repeat(125))), ("binary", binary(vec![7; 125]))] {
        let bytes = frame.masked(KEY);
        let mut session = open(None, &quiet());
        let each = least(100_000, || assert!(session.receive(&mut &bytes[..], &mut out).is_some()));
        println!("receive 125 bytes of {name}: {each:.0} ns");
    }
    let mut session = open(None, &quiet());
    let each = least(100_000, || {
        session.send_text(black_box(&"a".repeat(125)), &mut out).unwrap();
        out.clear();
    });
    println!("send 125 bytes of text: {each:.0} ns");
    let many = text("a".repeat(125)).masked(KEY).repeat(100);
    let each = least(1000, || assert_eq!(echo(&mut session, &many, &mut out), 100)) / 100.0;
    println!("echo of 125 bytes, 100 at a time: {each:.0} ns");
    let mut bytes = vec![7; 64 * 1024];
    let each = least(10_000, || unmask(black_box(&mut bytes), KEY, 1));
    println!("unmask 64 KiB: {:.1} GB/s", bytes.len() as f64 / each);
    for (name, payload) in [("ASCII", "a".repeat(1 << 20)), ("Greek", "κόσμε ".repeat(90_000))] {
        let bytes = text(&payload).masked(KEY);
        let each = least(100, || {
            let mut session = open(None, &quiet());
            let heard =
                bytes.chunks(65536).filter(|piece| session.receive(&mut &piece[..], &mut out).is_some());
            assert_eq!(heard.count(), 1);
        });
        println!("receive a MiB of {name}, 64 KiB at a time: {:.1} GB/s", payload.len() as f64 / each);
    }
    compressed(&mut out);
}

fn compressed(out: &mut Vec<u8>) {
    let offer = Some("permessage-deflate; client_max_window_bits");
    let message = |number: usize| {
        format!(
            "{{\"type\": \"message\", \"id\": {number}, \"user\": {{\"name\": \"user{}\", \"online\": true}}, \"text\": \"hello world, this is number {number}, how do you do\"}}",
            number % 100
        )
    };
    for (name, connections) in [("the same connection", 1), ("another connection each time", 100)] {
        let mut sessions: Vec<Session> = (0..connections).map(|_| open(offer, &quiet())).collect();
        let (mut number, mut packed, mut plain) = (0, 0, 0);
        let each = least(20_000, || {
            number += 1;
            let message = message(number);
            sessions[number % connections].send_text(&message, out).unwrap();
            (packed, plain) = (packed + out.len(), plain + message.len());
            out.clear();
        });
        println!(
            "send {} bytes compressed, {name}: {each:.0} ns, to {:.0} %",
            plain / number,
            100.0 * packed as f64 / plain as f64
        );
    }
    let mut sender =
        open(Some("permessage-deflate; client_max_window_bits; server_max_window_bits=12"), &quiet());
    let mut receiver = open(offer, &quiet());
    let frames: Vec<Vec<u8>> = (0..100_000)
        .map(|number| {
            sender.send_text(&message(number), out).unwrap();
            let frame = Frame::read(&mut &out[..]).masked(KEY);
            out.clear();
            frame
        })
        .collect();
    let mut next = frames.iter();
    let each = least(20_000, || {
        let frame = next.next().unwrap();
        assert!(receiver.receive(&mut &frame[..], out).is_some());
    });
    println!("receive such a message: {each:.0} ns");
}
