//! What the suite does not try: masks, lengths, limits, pings of ours, and how a websocket comes to an end.

use super::*;
use crate::websocket::{BadClose, Closed, Ended};

fn limited(limit: usize) -> Config {
    Config { message_limit: limit, ..quiet() }
}

fn said(code: u16, reason: &str) -> Event<'static> {
    Event::Ended(Ended { code, reason: reason.to_owned() })
}

/// The frames that were written.
fn written(out: &mut Vec<u8>) -> Vec<Frame> {
    let (bytes, mut frames) = (std::mem::take(out), Vec::new());
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        frames.push(Frame::read(&mut rest));
    }
    frames
}

#[test]
fn a_client_masks() {
    assert_eq!(play(None, &quiet(), b"\x81\x05Hello"), "close:1002 ");
}

#[test]
fn lengths_are_as_short_as_can_be() {
    for bad in [
        &b"\x82\xfe\x00\x7d...."[..],
        b"\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff....",
        b"\x82\xff\x80\x00\x00\x00\x00\x01\x00\x00....",
    ] {
        assert_eq!(play(None, &Config { message_limit: 0, ..quiet() }, bad), "close:1002 ");
    }
}

#[test]
fn a_message_over_the_limit_is_not_taken() {
    assert_eq!(play(None, &limited(5), &stream(&[text("Hello")])), "text:Hello ");
    let header = &text("Hello!").masked(KEY)[..6];
    assert_eq!(play(None, &limited(5), header), "close:1009 ", "it need not arrive");
    assert_eq!(play(None, &limited(5), &stream(&[begin("Hel"), go_on(""), end("lo")])), "text:Hello ");
    assert_eq!(play(None, &limited(5), &stream(&[begin("Hel"), go_on("lo"), end("!")])), "close:1009 ");
    let huge = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff....";
    assert_eq!(play(None, &limited(5), huge), "close:1009 ");
    let twice = [&text("Hello").masked(KEY)[..], &text("World").masked(KEY)].concat();
    assert_eq!(play(None, &limited(5), &twice), "text:Hello text:World ", "each on its own");
}

/// A length without a limit is not believed before the bytes are there.
#[test]
fn what_is_announced_takes_no_memory() {
    let mut session = open(None, &Config { message_limit: 0, ..quiet() });
    let announced = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff....and then not much";
    assert_eq!(hear(&mut session, announced), "");
}

/// As many fragments as there are bytes cost no more than those bytes.
#[test]
fn many_fragments_cost_no_more_than_their_bytes() {
    let count = 300_000;
    let fragments: Vec<u8> = go_on("é").masked(KEY).repeat(count);
    let mut session = open(None, &quiet());
    assert_eq!(hear(&mut session, &begin("").masked(KEY)), "");
    let began = std::time::Instant::now();
    assert_eq!(hear(&mut session, &fragments), "");
    let spent = began.elapsed();
    assert_eq!(
        hear(&mut session, &end("").masked(KEY)),
        format!("text:\\xc3\\xa9\\xc3\\xa9..{} ", 2 * count)
    );
    assert!(spent.as_secs() < 5, "{spent:?}: each fragment looks at all that was before");
}

#[test]
fn messages_are_frames_of_their_length() {
    let (mut session, mut out) = (open(None, &quiet()), Vec::new());
    for length in [0, 1, 125, 126, 65535, 65536, 100_000] {
        session.send_text(&"a".repeat(length), &mut out).unwrap();
        session.send_binary(&vec![7; length], &mut out).unwrap();
        assert_eq!(written(&mut out), [text("a".repeat(length)), binary(vec![7; length])]);
    }
}

#[test]
fn the_application_closes() {
    let (mut session, mut out) = (open(None, &quiet()), Vec::new());
    session.close(4000, "bye", 1000, &mut out).unwrap();
    assert_eq!(written(&mut out), [close(4000, "bye")]);
    assert_eq!((session.is_open(), session.is_over(), session.deadline()), (false, false, 11_000));
    assert_eq!(session.send_text("late", &mut out), Err(Closed));
    session.close(4001, "again", 1001, &mut out).unwrap();
    // What comes meanwhile is neither delivered nor answered.
    let mut input = &stream(&[text("crossing"), ping("?"), close(1000, ""), text("late")])[..];
    assert_eq!(session.receive(&mut input, &mut out), Some(said(4000, "bye")));
    assert_eq!(session.receive(&mut input, &mut out), None);
    assert!(session.is_over() && input.is_empty() && out.is_empty());
    assert_eq!((session.deadline(), session.lost()), (0, None));
}

#[test]
fn a_client_that_does_not_answer_a_close_is_not_waited_for() {
    let (mut session, mut out) = (open(None, &quiet()), Vec::new());
    session.close(1000, "", 0, &mut out).unwrap();
    assert_eq!((session.tick(9_999, &mut out), session.is_over()), (None, false));
    assert_eq!(session.tick(10_000, &mut out), Some(said(1000, "")));
    assert_eq!((session.tick(20_000, &mut out), session.is_over()), (None, true));
}

#[test]
fn a_fault_while_closing_is_the_end() {
    let (mut session, mut out) = (open(None, &quiet()), Vec::new());
    session.close(1000, "", 0, &mut out).unwrap();
    out.clear();
    assert_eq!(session.receive(&mut &b"\xff\xff"[..], &mut out), Some(said(1000, "")));
    assert!(out.is_empty() && session.is_over(), "one Close is enough");
}

#[test]
fn a_close_without_a_code() {
    let (mut session, mut out) = (open(None, &quiet()), Vec::new());
    session.close(1005, "not said", 0, &mut out).unwrap();
    assert_eq!(written(&mut out), [frame(0x88, "")]);
}

#[test]
fn what_may_not_be_said_in_a_close() {
    let (mut session, mut out) = (open(None, &quiet()), Vec::new());
    for code in [0, 999, 1004, 1006, 1015, 2999, 5000] {
        assert_eq!(session.close(code, "", 0, &mut out), Err(BadClose::Code(code)));
    }
    let long = "a".repeat(124);
    assert_eq!(session.close(1000, &long, 0, &mut out), Err(BadClose::Reason(124)));
    assert!(session.is_open() && out.is_empty());
    assert_eq!(session.close(1000, &long[1..], 0, &mut out), Ok(()));
    let sentence = BadClose::Code(1006).to_string();
    assert_eq!(sentence, "the close code must be 1000 to 1003, 1007 to 1014 or 3000 to 4999, not 1006");
}

#[test]
fn the_server_leaves() {
    let (mut session, mut out) = (open(None, &quiet()), Vec::new());
    session.drain(5, &mut out);
    assert_eq!(written(&mut out), [close(1012, "service restart")]);
    let mut input = &stream(&[close(1012, "")])[..];
    assert_eq!(session.receive(&mut input, &mut out), Some(said(1012, "service restart")));
}

#[test]
fn the_connection_is_lost() {
    let mut session = open(None, &quiet());
    assert_eq!(session.lost(), Some(said(1006, "")));
    assert_eq!((session.lost(), session.is_over()), (None, true));
    assert_eq!(session.send_binary(b"late", &mut Vec::new()), Err(Closed));
}

#[test]
fn the_reason_of_the_client_is_heard() {
    let (mut session, mut out) = (open(None, &quiet()), Vec::new());
    let mut input = &stream(&[close(3001, "so long")])[..];
    assert_eq!(session.receive(&mut input, &mut out), Some(said(3001, "so long")));
    assert_eq!(written(&mut out), [close(3001, "")]);
}

#[test]
fn pings_are_sent_and_any_byte_is_an_answer() {
    let (mut session, mut out) = (open(None, &Config::default()), Vec::new());
    assert_eq!(session.deadline(), 20_000);
    assert_eq!((session.tick(19_999, &mut out), out.len()), (None, 0));
    assert_eq!(session.tick(20_000, &mut out), None);
    assert_eq!((written(&mut out), session.deadline()), (vec![ping("")], 40_000));
    // Half a frame.
    assert_eq!(session.receive(&mut &b"\x82\xff"[..], &mut out), None);
    assert_eq!(session.tick(40_000, &mut out), None);
    assert_eq!((written(&mut out), session.deadline()), (vec![ping("")], 60_000));
    assert_eq!(session.tick(60_000, &mut out), Some(said(1011, "keepalive ping timeout")));
    assert_eq!((written(&mut out), session.is_over()), (vec![close(1011, "keepalive ping timeout")], true));
}

#[test]
fn pings_without_a_limit_for_the_answer_and_the_other_way_round() {
    let mut out = Vec::new();
    let mut patient = open(None, &Config { ping_timeout: 0, ..Config::default() });
    for now in [20_000, 40_000, 60_000] {
        assert_eq!(patient.tick(now, &mut out), None);
    }
    assert_eq!(written(&mut out).len(), 3);
    let mut late = open(None, &Config { ping_timeout: 50_000, ..Config::default() });
    for now in [20_000, 40_000, 60_000] {
        assert_eq!(late.tick(now, &mut out), None);
    }
    assert_eq!(written(&mut out).len(), 3);
    assert_eq!(late.deadline(), 70_000, "from the first ping on");
    assert_eq!(open(None, &quiet()).deadline(), 0);
}

/// The memory of 10000 idle websockets is what the head of `websocket` says.
#[test]
fn an_idle_websocket_is_small() {
    assert!(size_of::<Session>() <= 448, "{}", size_of::<Session>());
}
