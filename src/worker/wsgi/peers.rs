//! Addresses of clients as Python strings, kept for the connections that send one request after another.

use pyo3::prelude::*;
use pyo3::types::PyString;
use std::net::SocketAddr;

const PLACES: usize = 512;

/// A client's `REMOTE_ADDR` and `REMOTE_PORT`.
#[derive(Clone)]
pub(super) struct Peer<'py> {
    pub(super) address: Bound<'py, PyString>,
    pub(super) port: Bound<'py, PyString>,
}

/// The newest client at each place.
pub(super) struct Peers<'py> {
    py: Python<'py>,
    places: Vec<Option<(SocketAddr, Peer<'py>)>>,
}

impl<'py> Peers<'py> {
    pub(super) fn new(py: Python<'py>) -> Self {
        Self { py, places: vec![None; PLACES] }
    }

    pub(super) fn get(&mut self, address: &SocketAddr) -> &Peer<'py> {
        let py = self.py;
        let place = &mut self.places[usize::from(address.port()) % PLACES];
        if place.as_ref().is_some_and(|(known, _)| known != address) {
            *place = None;
        }
        let (_, peer) = place.get_or_insert_with(|| {
            let peer = Peer {
                address: PyString::new(py, &address.ip().to_string()),
                port: PyString::new(py, &address.port().to_string()),
            };
            (*address, peer)
        });
        peer
    }
}
