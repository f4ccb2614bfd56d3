//! Bytes of one connection to requests, requests to the application, its answers to the client.

use super::connection::{Connection, Phase};
use super::handover::{flow, hand_over, hand_over_flowing, is_enough, is_gathered};
use super::held;
use super::shared::{Shared, Spare};
use crate::app::{App, Manner, Observer, Outcome, Record};
use crate::head::Head;
use crate::intake::{Event, Incoming, Intake};
use crate::refusal::Refusal;
use crate::reply::{Reply, Said};
use crate::request::Request;
use crate::response::Asked;
use crate::spool::{Body, Spool};
use std::io::IoSlice;
use std::os::fd::AsFd;
use sys::clock;
use sys::socket::Address;

/// Requests of one connection that are answered in one turn: with more, one client that sends many at once would
/// hold up the others.
const PER_TURN: usize = 16;

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It waits for more, or for the request that is out.
    Wait,
    /// It has more to do, after the others had their turn.
    Resume,
}

/// Works through what has arrived: `new` bytes, behind those that were kept.
pub(super) fn drive(
    connection: &mut Connection,
    new: &[u8],
    shared: &mut Shared,
    app: &mut impl App,
    observer: &mut impl Observer,
) -> Then {
    let mut kept = std::mem::take(&mut connection.input);
    if kept.is_empty() {
        let (used, then) = consume(connection, new, shared, app, observer);
        connection.input.extend_from_slice(&new[used..]);
        return then;
    }
    kept.extend_from_slice(new);
    let (used, then) = consume(connection, &kept, shared, app, observer);
    if used < kept.len() {
        kept.drain(..used);
        connection.input = kept;
    }
    then
}

/// Uses as much of `input` as it can; how much that was, and what next.
fn consume<A: App>(
    connection: &mut Connection,
    input: &[u8],
    shared: &mut Shared,
    app: &mut A,
    observer: &mut impl Observer,
) -> (usize, Then) {
    let (mut used, mut answered) = (0, 0);
    loop {
        let rest = &input[used..];
        if A::MANNER != Manner::Inline && connection.out.is_some() {
            return (used + flow(connection, rest, shared, app), Then::Wait);
        }
        if rest.is_empty() && connection.intake.body_received().is_none() {
            return (used, Then::Wait);
        }
        if answered == PER_TURN || (answered > 0 && !connection.output.is_empty()) {
            return (used, Then::Resume);
        }
        let mut head = shared.head.take().unwrap_or_default();
        let event = connection.intake.next(rest, &mut head, &shared.config, connection.trusted);
        let keep = match event {
            Err(refusal) => {
                refuse(connection, rest, refusal, shared, observer);
                return (input.len(), Then::Wait);
            }
            Ok(Event::Starved(taken)) => {
                shared.head = Some(head);
                if is_enough::<A>(&connection.intake) {
                    hand_over_flowing(connection, (&[], false), shared, (app, observer));
                }
                return (used + taken, Then::Wait);
            }
            Ok(Event::Preamble(taken, proxied)) => {
                shared.head = Some(head);
                used += taken;
                if let Some(proxied) = proxied {
                    connection.came_through(proxied, &shared.config);
                }
                continue;
            }
            Ok(Event::BodyBegins { used: taken, expects_continue }) => {
                shared.head = Some(head);
                used += taken;
                let begun = (&input[used..], expects_continue);
                used += body_begins(connection, begun, shared, (app, observer));
                continue;
            }
            Ok(Event::Request(length)) => {
                used += length;
                serve(connection, head, &rest[..length], shared, (app, observer))
            }
            Ok(Event::Complete(taken, incoming)) => {
                used += taken;
                shared.head = Some(head);
                serve_gathered(connection, *incoming, shared, (app, observer))
            }
        };
        connection.since = 0;
        answered += 1;
        if !keep {
            // Unless it does: closing at once while more arrives would destroy the answer on its way.
            if used < input.len() && connection.phase == Phase::Ending {
                connection.phase = Phase::Closing;
            }
            return (input.len(), Then::Wait);
        }
    }
}

/// A body has begun, with `more` of it: how much of that was used at once.
fn body_begins<A: App>(
    connection: &mut Connection,
    (more, expects_continue): (&[u8], bool),
    shared: &mut Shared,
    (app, observer): (&mut A, &mut impl Observer),
) -> usize {
    connection.since = shared.now;
    if !is_gathered::<A>(expects_continue) {
        return hand_over_flowing(connection, (more, expects_continue), shared, (app, observer));
    }
    if expects_continue && more.is_empty() {
        send_continue(connection);
    }
    0
}

/// Serves a request without a body, which lies in `bytes`; may another follow?
fn serve<A: App>(
    connection: &mut Connection,
    head: Box<Head>,
    bytes: &[u8],
    shared: &mut Shared,
    (app, observer): (&mut A, &mut impl Observer),
) -> bool {
    if A::MANNER == Manner::Inline {
        let keep = answer(connection, (&head, bytes, Body::Empty), shared, app, observer);
        shared.head = Some(head);
        return keep;
    }
    let mut spare = shared.spare();
    shared.head = Some(std::mem::replace(&mut spare.head, head));
    spare.bytes.extend_from_slice(bytes);
    hand_over(connection, spare, Spool::default(), shared, (app, observer));
    true
}

/// The same for one whose body was waited for.
fn serve_gathered<A: App>(
    connection: &mut Connection,
    Incoming { head, bytes, spool, .. }: Incoming,
    shared: &mut Shared,
    (app, observer): (&mut A, &mut impl Observer),
) -> bool {
    if A::MANNER == Manner::Inline {
        return answer(connection, (&head, &bytes, spool.body()), shared, app, observer);
    }
    let spare = Spare { head: Box::new(head), bytes, buffer: Vec::new() };
    hand_over(connection, spare, spool, shared, (app, observer));
    true
}

/// Whether it arrives or not: the client goes on after a while, or is gone.
fn send_continue(connection: &mut Connection) {
    let interim = [IoSlice::new(b"HTTP/1.1 100 Continue\r\n\r\n")];
    let _ = connection.output.push(connection.link.as_fd(), &interim);
}

/// What of a request matters for its answer.
pub(super) fn asked<A: App>(
    request: &Request<'_>,
    shared: &Shared,
    app: &A,
    observer: &impl Observer,
) -> Asked {
    Asked {
        version: request.version(),
        is_head: request.head.method.get(request.bytes) == b"HEAD",
        keep_alive: request.head.framing.keep_alive && shared.keeps_connections(app, observer),
    }
}

/// Has a request answered; may another follow?
fn answer(
    connection: &mut Connection,
    (head, bytes, body): (&Head, &[u8], Body<'_>),
    shared: &mut Shared,
    app: &mut impl App,
    observer: &mut impl Observer,
) -> bool {
    let Connection { link, output, peer, proxied, listener, .. } = connection;
    let request = Request { head, bytes, body, peer, proxied: proxied.as_deref(), listener: *listener };
    let arrived = shared.arrived(link.as_fd());
    let mut said = shared.silence(asked(&request, shared, app, observer));
    if output.is_empty() {
        said.answered_if_stuck(0, link.as_fd());
    }
    let may_wait = shared.may_wait(request.peer);
    let mut reply = Reply::new((link.as_fd(), output), &mut shared.buffer, &shared.common, &mut said);
    observer.began(&request);
    let started = clock::now();
    if may_wait {
        reply.may_wait_from(started + held::BRIEF);
    }
    app.call(&request, &mut reply);
    let ended = clock::now();
    if !reply.is_whole() {
        reply.fail(500);
    }
    note_answered(&request, &said, Times { arrived, began: started, ended }, observer);
    shared.now = ended / 1_000_000;
    shared.note_service_time(ended - started);
    shared.held.note(connection.key, said.waits, ended);
    if !said.keeps_connection() {
        connection.phase = last_phase(&said, head.framing.keep_alive);
    }
    said.keeps_connection()
}

/// When a request was here, in the application, and out of it: nanoseconds on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) arrived: u64,
    pub(super) began: u64,
    pub(super) ended: u64,
}

/// Writes a request that reached the application into the books.
pub(super) fn note_answered(
    request: &Request<'_>,
    said: &Said,
    Times { arrived, began, ended }: Times,
    observer: &mut impl Observer,
) {
    observer.ended(&Record {
        request: Some(request),
        raw_line: request.raw_line(),
        peer: request.peer,
        status: said.status(),
        body_sent: said.body_sent(),
        outcome: if said.is_whole() { Outcome::Answered } else { Outcome::Aborted },
        began,
        queued_ns: began.saturating_sub(arrived),
        app_ns: ended.saturating_sub(began),
        why: said.why(),
        response_head: said.sent_head(),
        remark: said.remark(),
    });
}

/// What the connection does after its last answer. A client that wants the end itself sends nothing more that could
/// be in the way of it.
pub(super) fn last_phase(said: &Said, client_keeps: bool) -> Phase {
    match (said.is_torn(), said.is_whole() && client_keeps) {
        (true, _) => Phase::Torn,
        (false, true) => Phase::Closing,
        (false, false) => Phase::Ending,
    }
}

/// The client went away; a request whose body was arriving has ended with it.
pub(super) fn note_lost(connection: &Connection, observer: &mut impl Observer) {
    if let (Phase::Open, Some(raw_line)) = (connection.phase, connection.intake.line()) {
        note_refused((raw_line, &connection.peer), (0, 0), (CLIENT_WENT_AWAY, &[]), observer);
    }
}

/// Writes a request into the books that never reached the application.
fn note_refused(
    (raw_line, peer): (&[u8], &Address),
    (status, body_sent): (u16, u64),
    (why, response_head): (&'static str, &[u8]),
    observer: &mut impl Observer,
) {
    observer.ended(&Record {
        request: None,
        raw_line,
        peer,
        status,
        body_sent,
        outcome: Outcome::Refused(why),
        began: 0,
        app_ns: 0,
        queued_ns: 0,
        why: Some(why),
        response_head,
        remark: None,
    });
}

pub(super) const CLIENT_WENT_AWAY: &str = "the client went away before the body was complete";

/// Refuses what is arriving; nothing that follows is interpreted.
pub(super) fn refuse(
    connection: &mut Connection,
    input: &[u8],
    refusal: Refusal,
    shared: &mut Shared,
    observer: &mut impl Observer,
) {
    let line = connection.line(input).to_vec();
    let asked = Asked {
        version: crate::head::Version::Http11,
        is_head: line.starts_with(b"HEAD "),
        keep_alive: false,
    };
    let Connection { link, output, peer, .. } = connection;
    let mut said = shared.silence(asked);
    Reply::new((link.as_fd(), output), &mut shared.buffer, &shared.common, &mut said)
        .explain(refusal.status, refusal.why);
    let sent = (said.status(), said.body_sent());
    note_refused((&line, peer), sent, (refusal.why, said.sent_head()), observer);
    connection.intake = Intake::Closed;
    connection.input = Vec::new();
    connection.phase = Phase::Closing;
}
