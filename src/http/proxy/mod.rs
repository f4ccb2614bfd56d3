//! What others on the way say of a client, and who is believed: proxies in front by header fields (`via`, `hops`),
//! or before the first request by a PROXY header (`preamble`). It knows no sockets.
//!
//! Only a peer within `Trust::proxies` is believed; everybody else's fields reach the application as they are, and
//! change nothing.

mod hops;
mod networks;
mod preamble;
mod via;

pub use networks::Networks;
pub use preamble::Proxied;
pub(crate) use preamble::{Preamble, Seen};
pub(crate) use via::Via;

use std::net::IpAddr;

/// Whom to believe what.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Proxies whose fields are believed. A peer on a unix socket always is.
    pub proxies: Networks,
    /// Fields that tell the scheme, with the value that means https.
    pub scheme_fields: Vec<(String, String)>,
    /// Fields with an underscore that a trusted proxy may send; `*` is all.
    pub forwarder_fields: Vec<String>,
    /// What becomes of other fields with an underscore.
    pub underscores: Underscores,
    /// Where the client's address is read.
    pub client_field: ClientField,
    /// Where the application is mounted, unless a trusted proxy says so.
    pub script_name: String,
    /// Are PROXY headers of version 1 read?
    pub preamble_v1: bool,
    /// Are PROXY headers of version 2 read?
    pub preamble_v2: bool,
    /// Who may send PROXY headers. A peer on a unix socket always may.
    pub preamble_senders: Networks,
}

/// What becomes of a field whose name has an underscore: in the environment it looks like one with a dash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Underscores {
    /// It is left out.
    #[default]
    Drop,
    /// The request is refused.
    Refuse,
    /// It is passed on.
    Keep,
}

/// Where a trusted proxy tells the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientField {
    /// Nowhere: the client is the peer.
    #[default]
    None,
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Who sent a request, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address.
    pub ip: IpAddr,
    /// The port, where somebody told it.
    pub port: Option<u16>,
}

#[cfg(test)]
mod tests;
