//! Connections whose time is over, whose client is gone, or that are done.

use super::Server;
use super::connection::Phase;
use super::drive::{self, Then};
use super::handover::break_flow;
use crate::app::{App, Observer};
use crate::refusal::Refusal;
use std::os::fd::AsFd;

const NOT_IN_TIME: &str = "the request did not arrive in time";

impl Server {
    /// Attends to the connections whose time is over.
    pub(super) fn expire(&mut self, app: &mut impl App, observer: &mut impl Observer) {
        let now = self.shared.now;
        if self.timers.next().is_none_or(|next| next > now) {
            return;
        }
        for key in self.timers.fired(now) {
            let Some(connection) = self.connections.get(key) else { continue };
            match connection.deadline {
                0 => {}
                at if at <= now => self.time_is_over(key, app, observer),
                at => self.timers.set(key, at),
            }
        }
    }

    fn time_is_over(&mut self, key: usize, app: &mut impl App, observer: &mut impl Observer) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(out) = &connection.out {
            if !connection.output.is_empty() {
                return self.lose(key, app, observer);
            }
            let inflow = out.inflow.as_ref();
            if inflow.is_some_and(|inflow| inflow.awaits_application()) {
                connection.since = self.shared.now;
            } else {
                break_flow(connection, Refusal::new(408, NOT_IN_TIME), app);
            }
            return self.settle(key, Then::Wait, observer);
        }
        let waits_for_client = connection.phase == Phase::Open && connection.output.is_empty();
        if !waits_for_client || connection.waits_for_a_request() {
            return self.close(key, observer);
        }
        let input = std::mem::take(&mut connection.input);
        let late = Refusal::new(408, NOT_IN_TIME);
        drive::refuse(connection, &input, late, &mut self.shared, observer);
        self.settle(key, Then::Wait, observer);
    }

    /// The client is gone, perhaps in the middle of a body.
    pub(super) fn lose(&mut self, key: usize, app: &mut impl App, observer: &mut impl Observer) {
        if let Some(connection) = self.connections.get(key) {
            if connection.out.is_some() {
                return self.lose_with_request(key, app);
            }
            drive::note_lost(connection, observer);
        }
        self.close(key, observer);
    }

    pub(super) fn close(&mut self, key: usize, observer: &mut impl Observer) {
        if let Some(connection) = self.connections.try_remove(key) {
            let _ = self.poller.remove(connection.as_fd());
            drop(connection);
            observer.connections(self.connections.len());
        }
    }
}
