//! The metrics listener: three paths that change nothing, for Prometheus and whoever asks whether we are well.

use super::Asked;
use super::door::Door;
use super::serve::House;
use crate::arbiter::Listener;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The listener, and those who wait behind it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    listener: Rc<Listener>,
    door: Door,
}

impl Endpoint {
    /// Lets clients in. To be called within the runtime.
    pub(crate) fn open(listener: Rc<Listener>) -> io::Result<Self> {
        let door = Door::open(listener.as_fd().try_clone_to_owned()?, House::Metrics)?;
        Ok(Self { listener, door })
    }

    /// Whoever is inside may finish; who comes now waits for our successor, or for `open`.
    pub(crate) fn close(&self) {
        self.door.close();
    }

    /// Has everybody been answered?
    pub(crate) fn is_quiet(&self) -> bool {
        self.door.is_quiet()
    }

    /// Where it listens.
    pub(crate) fn listener(&self) -> &Rc<Listener> {
        &self.listener
    }

    /// The next ask.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Asked> {
        self.door.poll(context)
    }
}
