//! What exchanges leave for the loop, and how the loop rests while some are out.
//!
//! Behind each turn that did something the loop naps: letters that can wait do not wake it. Only when nothing came in
//! that time does it sleep until something does.

use super::Server;
use super::connection::Client;
use super::drive::Then;
use super::handover::{client_is, switch, take_back};
use crate::app::{App, Observer, Stirred};
use crate::away::{Letter, Repose, Taken};
use crate::output::Output;
use std::os::fd::AsFd;
use sys::poll::Interest;

/// How long a letter that is not urgent may wait, in milliseconds.
const NAP: u64 = 50;

impl Server {
    /// The loop is about to wait for so long at the most: for how long it should. Nought when there are letters.
    pub(super) fn lie_down(&mut self, most: Option<u64>) -> Option<u64> {
        if self.shared.out == 0 || most == Some(0) {
            return most;
        }
        let (repose, most) = if self.napped {
            (Repose::Asleep, most)
        } else {
            (Repose::Napping, Some(most.unwrap_or(NAP).min(NAP)))
        };
        if self.shared.post.mailbox.lie_down(repose) { most } else { Some(0) }
    }

    /// It has waited, and found so many descriptors ready.
    pub(super) fn get_up(&mut self, ready: usize) {
        if self.shared.out > 0 {
            self.shared.post.mailbox.get_up();
            self.napped = ready == 0;
        }
    }

    /// Reads the letters that have come.
    pub(super) fn read_letters(&mut self, app: &mut impl App, observer: &mut impl Observer) {
        if self.shared.out == 0 {
            return;
        }
        let mut letters = std::mem::take(&mut self.letters);
        self.shared.post.mailbox.collect(&mut letters);
        self.napped &= letters.is_empty();
        for letter in letters.drain(..) {
            match letter {
                Letter::Done(taken) => self.done(taken, app, observer),
                Letter::Rest(key, rest) => self.send_rest(key, rest, app, observer),
                Letter::Switched(key, inflow) => {
                    if let Some(connection) = self.connections.get_mut(key) {
                        switch(connection, inflow);
                    }
                    self.go_on(key, app, observer);
                }
                Letter::More(key) => {
                    if let Some(connection) = self.connections.get_mut(key) {
                        connection.since = self.shared.now;
                    }
                    self.go_on(key, app, observer);
                }
            }
        }
        self.letters = letters;
    }

    fn done(&mut self, mut taken: Box<Taken>, app: &mut impl App, observer: &mut impl Observer) {
        let key = taken.key;
        let Some(connection) = self.connections.get_mut(key) else { return };
        let useful = take_back(connection, &mut taken, &mut self.shared, observer);
        self.shared.recycle(taken);
        if useful { self.go_on(key, app, observer) } else { self.close(key, observer) }
    }

    fn send_rest(&mut self, key: usize, rest: Output, app: &mut impl App, observer: &mut impl Observer) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.out.as_ref().is_some_and(|out| out.client == Client::Gone) {
            return;
        }
        connection.output.append(rest);
        match connection.output.send(connection.link.as_fd()) {
            Ok(true) => self.rest_is_sent(key, app),
            Ok(false) => {}
            Err(_) => return self.lose(key, app, observer),
        }
        self.settle(key, Then::Wait, observer);
    }

    /// Everything was sent that the request that is out had left.
    pub(super) fn rest_is_sent(&mut self, key: usize, app: &mut impl App) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.out.is_some() {
            connection.link.rest_is_sent();
            app.stirred(key, Stirred::Room);
        }
    }

    /// The client of a request that is out has gone away. Its connection stays, as a request is never without one.
    pub(super) fn lose_with_request(&mut self, key: usize, app: &mut impl App) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.out.as_ref().is_none_or(|out| out.client == Client::Gone) {
            return;
        }
        // A hang-up would be told again and again.
        let _ = self.poller.remove(connection.link.as_fd());
        (connection.output, connection.deadline) = (Output::default(), 0);
        connection.interest = Interest::Nothing;
        connection.link.lose();
        client_is(connection, Client::Gone, &self.shared, app);
    }
}
