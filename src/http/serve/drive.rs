//! Bytes of one connection to requests, requests to the application, its answers to the client.

use super::connection::{Connection, Phase};
use super::shared::Shared;
use crate::app::{App, Observer, Outcome, Record};
use crate::head::Head;
use crate::intake::Event;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::Request;
use crate::response::Asked;
use crate::spool::Body;
use std::io::IoSlice;
use std::os::fd::AsFd;
use sys::clock;

/// Requests of one connection that are answered in one turn: with more, one client that sends many at once would
/// hold up the others.
const PER_TURN: usize = 16;

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It waits for more.
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
fn consume(
    connection: &mut Connection,
    input: &[u8],
    shared: &mut Shared,
    app: &mut impl App,
    observer: &mut impl Observer,
) -> (usize, Then) {
    let (mut used, mut answered) = (0, 0);
    loop {
        let rest = &input[used..];
        if rest.is_empty() && connection.intake.body_received().is_none() {
            return (used, Then::Wait);
        }
        if answered == PER_TURN || (answered > 0 && !connection.output.is_empty()) {
            return (used, Then::Resume);
        }
        let mut head = std::mem::take(&mut shared.head);
        let event = connection.intake.next(rest, &mut head, &shared.config, connection.trusted);
        let keep = match event {
            Err(refusal) => {
                refuse(connection, rest, refusal, shared, observer);
                return (input.len(), Then::Wait);
            }
            Ok(Event::Starved(taken)) => {
                shared.head = head;
                return (used + taken, Then::Wait);
            }
            Ok(Event::Preamble(taken, proxied)) => {
                shared.head = head;
                used += taken;
                if let Some(proxied) = proxied {
                    connection.came_through(proxied, &shared.config);
                }
                continue;
            }
            Ok(Event::BodyBegins { used: taken, expects_continue }) => {
                used += taken;
                connection.since = shared.now;
                if expects_continue && used == input.len() {
                    send_continue(connection);
                }
                continue;
            }
            Ok(Event::Request(length)) => {
                used += length;
                let keep = answer(connection, (&head, &rest[..length], Body::Empty), shared, app, observer);
                shared.head = head;
                keep
            }
            Ok(Event::Complete(taken, incoming)) => {
                used += taken;
                let parts = (&incoming.head, incoming.bytes.as_slice(), incoming.spool.body());
                let keep = answer(connection, parts, shared, app, observer);
                shared.head = incoming.head;
                keep
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

/// Whether it arrives or not: the client goes on after a while, or is gone.
fn send_continue(connection: &mut Connection) {
    let interim = [IoSlice::new(b"HTTP/1.1 100 Continue\r\n\r\n")];
    let _ = connection.output.push(connection.fd.as_fd(), &interim);
}

/// Has a request answered; may another follow?
fn answer(
    connection: &mut Connection,
    (head, bytes, body): (&Head, &[u8], Body<'_>),
    shared: &mut Shared,
    app: &mut impl App,
    observer: &mut impl Observer,
) -> bool {
    let Connection { fd, output, peer, proxied, listener, .. } = connection;
    let request = Request { head, bytes, body, peer, proxied: proxied.as_deref(), listener: *listener };
    let client_keeps = head.framing.keep_alive;
    let asked = Asked {
        version: head.version,
        is_head: request.method() == "HEAD",
        keep_alive: client_keeps && shared.keeps_connections(observer),
    };
    let timeout = shared.config.write_timeout;
    let reply = Reply::new((fd.as_fd(), output), &mut shared.buffer, &shared.common, asked, timeout);
    let mut reply = reply.answered_if_stuck();
    observer.began(&request);
    let started = clock::now();
    app.call(&request, &mut reply);
    let ended = clock::now();
    let app_ns = ended - started;
    if !reply.is_whole() {
        reply.fail(500);
    }
    let (keep, torn) = (reply.keeps_connection(), reply.is_torn());
    let (whole, status, body_sent) = (reply.is_whole(), reply.status(), reply.body_sent());
    let outcome = if whole { Outcome::Answered } else { Outcome::Aborted };
    let raw_line = request.raw_line();
    observer.ended(&Record { request: Some(&request), raw_line, peer, status, body_sent, outcome, app_ns });
    shared.note_service_time(started, ended);
    if !keep {
        // A client that wants the end itself sends nothing more that could be in the way of it.
        connection.phase = match (torn, whole && client_keeps) {
            (true, _) => Phase::Torn,
            (false, true) => Phase::Closing,
            (false, false) => Phase::Ending,
        };
    }
    keep
}

/// The client went away; a request whose body was arriving has ended with it.
pub(super) fn note_lost(connection: &Connection, observer: &mut impl Observer) {
    if let (Phase::Open, Some(raw_line)) = (connection.phase, connection.intake.line()) {
        let outcome = Outcome::Refused("the client went away before the body was complete");
        let peer = &connection.peer;
        observer.ended(&Record {
            request: None,
            raw_line,
            peer,
            status: 0,
            body_sent: 0,
            outcome,
            app_ns: 0,
        });
    }
}

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
    let Connection { fd, output, peer, .. } = connection;
    let timeout = shared.config.write_timeout;
    let mut reply = Reply::new((fd.as_fd(), output), &mut shared.buffer, &shared.common, asked, timeout);
    reply.explain(refusal.status, refusal.why);
    observer.ended(&Record {
        request: None,
        raw_line: &line,
        peer,
        status: reply.status(),
        body_sent: reply.body_sent(),
        outcome: Outcome::Refused(refusal.why),
        app_ns: 0,
    });
    connection.intake = crate::intake::Intake::Closed;
    connection.input = Vec::new();
    connection.phase = Phase::Closing;
}
