//! Requests that are handed over to be answered later, and what their connections do meanwhile: the body flows on,
//! another request waits, a client goes away.

use super::connection::{Client, Connection, Out, Phase};
use super::drive::{CLIENT_WENT_AWAY, Times, asked, last_phase, note_answered};
use super::shared::{Shared, Spare};
use crate::app::{App, Manner, Observer, Stirred};
use crate::away::{Exchange, Inflow, Taken};
use crate::intake::Intake;
use crate::output::Output;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::spool::{Body, Spool};
use std::os::fd::AsFd;
use std::sync::Arc;
use sys::clock;

/// Is the body that has just begun waited for, as far as that goes?
pub(super) fn is_gathered<A: App>(expects_continue: bool) -> bool {
    match A::MANNER {
        Manner::Inline => true,
        Manner::Away { gathered } => gathered > 0 && !expects_continue,
    }
}

/// Has so much of the body arrived that the request is handed over without the rest?
pub(super) fn is_enough<A: App>(intake: &Intake) -> bool {
    match A::MANNER {
        Manner::Inline => false,
        Manner::Away { gathered } => intake.body_received().is_some_and(|received| received >= gathered),
    }
}

/// Hands over a request that is complete.
pub(super) fn hand_over<A: App>(
    connection: &mut Connection,
    spare: Spare,
    spool: Spool,
    shared: &mut Shared,
    (app, observer): (&mut A, &mut impl Observer),
) {
    connection.since = 0;
    let exchange = exchange(connection, (spare, spool), None, shared, (app, observer));
    app.take(exchange);
}

/// Hands over a request whose body is not complete: `more` of it has arrived. How much of that belongs to it.
pub(super) fn hand_over_flowing<A: App>(
    connection: &mut Connection,
    (more, expects_continue): (&[u8], bool),
    shared: &mut Shared,
    (app, observer): (&mut A, &mut impl Observer),
) -> usize {
    let Some(incoming) = connection.intake.let_flow() else { return 0 };
    let inflow = Arc::new(Inflow::new(connection.key, Arc::clone(&shared.post), expects_continue));
    let spare = Spare { head: Box::new(incoming.head), bytes: incoming.bytes, buffer: Vec::new() };
    match incoming.spool.recall() {
        Ok(gathered) if gathered.is_empty() => {}
        Ok(gathered) => inflow.pour(&gathered),
        Err(refusal) => {
            connection.intake = Intake::Closed;
            inflow.end(Err(refusal));
        }
    }
    let parts = (spare, Spool::default());
    let exchange = exchange(connection, parts, Some(inflow), shared, (app, observer));
    // What is here already, the application need not wait for.
    let used = pour(connection, more, shared);
    app.take(exchange);
    used
}

fn exchange<A: App>(
    connection: &mut Connection,
    (Spare { head, bytes, buffer }, spool): (Spare, Spool),
    inflow: Option<Arc<Inflow>>,
    shared: &mut Shared,
    (app, observer): (&mut A, &mut impl Observer),
) -> Exchange {
    let Connection { peer, proxied, listener, .. } = connection;
    let (listener, proxied_here) = (*listener, proxied.as_deref());
    let request =
        Request { head: &head, bytes: &bytes, body: Body::Empty, peer, proxied: proxied_here, listener };
    let said = shared.silence(asked(&request, shared, app, observer));
    observer.began(&request);
    let arrived = shared.arrived(connection.link.as_fd());
    connection.out =
        Some(Out { inflow: inflow.clone(), client: Client::There, awaited: false, given_up: false });
    shared.out += 1;
    Exchange::new(Taken {
        key: connection.key,
        head,
        bytes,
        spool,
        peer: connection.peer.clone(),
        proxied: connection.proxied.clone(),
        listener,
        link: Arc::clone(&connection.link),
        post: Arc::clone(&shared.post),
        common: Arc::clone(&shared.common),
        buffer,
        output: Output::default(),
        left: 0,
        said: said.while_arriving(inflow.clone()),
        inflow,
        arrived,
        began: clock::now(),
        app_ns: 0,
    })
}

/// What arrives while a request is out: its body, or what has to wait for its answer. How much of it was used.
pub(super) fn flow(
    connection: &mut Connection,
    input: &[u8],
    shared: &mut Shared,
    app: &mut impl App,
) -> usize {
    let flowed = connection.intake.flowed();
    let used = if flowed.is_some() { pour(connection, input, shared) } else { 0 };
    if flowed != connection.intake.flowed() {
        app.stirred(connection.key, Stirred::Body);
    }
    if used < input.len() && connection.intake.flowed().is_none() {
        await_end(connection, shared);
    }
    used
}

/// Gives the application what belongs to its body: how much that is.
fn pour(connection: &mut Connection, input: &[u8], shared: &Shared) -> usize {
    let Some(inflow) = connection.out.as_ref().and_then(|out| out.inflow.clone()) else { return 0 };
    let sink = |bytes: &[u8]| {
        inflow.pour(bytes);
        !inflow.is_full()
    };
    match connection.intake.pour(input, &shared.config, sink) {
        Ok(used) => {
            if connection.intake.flowed().is_none() {
                inflow.end(Ok(()));
            }
            used
        }
        Err(refusal) => {
            inflow.end(Err(refusal));
            input.len()
        }
    }
}

/// What the client of the request that is out sends from now on is not HTTP.
pub(super) fn switch(connection: &mut Connection, inflow: Arc<Inflow>) {
    let Some(out) = &mut connection.out else { return };
    if out.client != Client::There {
        return inflow.end(Err(Refusal::bad(CLIENT_WENT_AWAY)));
    }
    out.inflow = Some(inflow);
    connection.intake = Intake::Foreign(0);
}

/// As soon as the request that is out has ended, there is something to do.
pub(super) fn await_end(connection: &mut Connection, shared: &Shared) {
    if let Some(out) = connection.out.as_mut().filter(|out| !out.awaited) {
        out.awaited = true;
        shared.post.mailbox.be_eager(true);
    }
}

/// The body of the request that is out will never be complete.
pub(super) fn break_flow(connection: &mut Connection, why: Refusal, app: &mut impl App) {
    if connection.intake.flowed().is_some() {
        connection.intake = Intake::Closed;
        if let Some(inflow) = connection.out.as_ref().and_then(|out| out.inflow.as_ref()) {
            inflow.end(Err(why));
            app.stirred(connection.key, Stirred::Body);
        }
    }
}

/// The client of the request that is out sends nothing more, or has gone away.
pub(super) fn client_is(connection: &mut Connection, client: Client, shared: &Shared, app: &mut impl App) {
    let why = if client == Client::Gone { CLIENT_WENT_AWAY } else { "the body ended early" };
    break_flow(connection, Refusal::bad(why), app);
    await_end(connection, shared);
    if let Some(out) = &mut connection.out {
        out.client = client;
        app.stirred(connection.key, if client == Client::Gone { Stirred::Gone } else { Stirred::Silent });
    }
}

/// A request that was out has ended. False when the connection is of no use any more.
pub(super) fn take_back(
    connection: &mut Connection,
    taken: &mut Taken,
    shared: &mut Shared,
    observer: &mut impl Observer,
) -> bool {
    let Some(out) = connection.out.take() else { return true };
    shared.out -= 1;
    if out.awaited {
        shared.post.mailbox.be_eager(false);
    }
    if out.given_up {
        taken.said.was_given_up();
    }
    let Taken { arrived, began, app_ns, .. } = *taken;
    note_answered(&taken.request(), &taken.said, Times { arrived, began, ended: began + app_ns }, observer);
    shared.note_service_time(taken.app_ns);
    connection.link.rest_is_sent();
    connection.output.append(std::mem::take(&mut taken.output));
    connection.since = 0;
    let unread = connection.intake.flowed().is_some() || matches!(connection.intake, Intake::Closed);
    if out.client != Client::There || unread || !taken.said.keeps_connection() {
        let phase = last_phase(&taken.said, taken.head.framing.keep_alive);
        let more = unread || !connection.input.is_empty();
        connection.phase = if phase == Phase::Ending && more { Phase::Closing } else { phase };
        (connection.intake, connection.input) = (Intake::Closed, Vec::new());
    }
    out.client != Client::Gone
}
