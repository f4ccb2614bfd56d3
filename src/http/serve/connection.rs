//! One connection: its socket, both halves, and where it stands.

use super::shared::Shared;
use crate::away::{Inflow, Link};
use crate::config::Config;
use crate::intake::Intake;
use crate::output::Output;
use crate::proxy::{Networks, Proxied};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use sys::clock;
use sys::poll::Interest;
use sys::socket::Address;
use sys::stream;

/// What happens to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Requests are read and answered.
    Open,
    /// The last answer is on its way; then it is closed, politely.
    Closing,
    /// The last answer is on its way; the client waits for nothing but the end.
    Ending,
    /// The application failed within an answer that only the end of the connection delimits: the client is to see
    /// that it is not whole.
    Torn,
    /// We have said all; what still comes is thrown away, up to so many bytes.
    Lingering(usize),
}

/// Is the client still there, as far as it can be told while a request is out?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// It is.
    There,
    /// It sends nothing more.
    Silent,
    /// It has gone away, and the poller watches its socket no more.
    Gone,
}

/// A request of the connection that the application has taken away.
#[derive(Debug)]
pub(super) struct Out {
    /// Its body, where that was not waited for.
    pub(super) inflow: Option<Arc<Inflow>>,
    pub(super) client: Client,
    /// The loop has something to do as soon as it ends.
    pub(super) awaited: bool,
    /// Nobody waits for its end any more.
    pub(super) given_up: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Its number.
    pub(super) key: usize,
    pub(super) link: Arc<Link>,
    /// Its output half is the application's as long as there is something here, but for the rest in `output`.
    pub(super) out: Option<Out>,
    pub(super) peer: Address,
    /// What a PROXY header said.
    pub(super) proxied: Option<Box<Proxied>>,
    /// Is the peer a proxy that is believed?
    pub(super) trusted: bool,
    pub(super) listener: usize,
    pub(super) phase: Phase,
    pub(super) intake: Intake,
    /// Bytes that arrived and were not used yet.
    pub(super) input: Vec<u8>,
    pub(super) output: Output,
    /// When the patience with it ends, in milliseconds; nought is never.
    pub(super) deadline: u64,
    /// When the head or body that is arriving began to, in milliseconds; nought between requests.
    pub(super) since: u64,
    /// When the last of its input arrived, in nanoseconds.
    pub(super) arrived: u64,
    /// Complete requests may wait in `input`: no more is read before they are answered.
    pub(super) resumes: bool,
    /// What the poller watches.
    pub(super) interest: Interest,
}

impl Connection {
    pub(super) fn new(fd: OwnedFd, peer: Address, listener: usize, config: &Config) -> Self {
        let intake = Intake::first(&config.trust, is_one_of(&config.trust.preamble_senders, &peer));
        Self {
            key: 0,
            link: Arc::new(Link::new(fd)),
            out: None,
            trusted: is_one_of(&config.trust.proxies, &peer),
            peer,
            proxied: None,
            listener,
            phase: Phase::Open,
            intake,
            input: Vec::new(),
            output: Output::default(),
            deadline: 0,
            since: 0,
            arrived: 0,
            resumes: false,
            interest: Interest::Read,
        }
    }

    /// A PROXY header said who the peer really is: from now on that one counts.
    pub(super) fn came_through(&mut self, proxied: Proxied, config: &Config) {
        self.peer = Address::Tcp(proxied.source);
        self.trusted = is_one_of(&config.trust.proxies, &self.peer);
        self.proxied = Some(Box::new(proxied));
    }

    /// Something has arrived. It may have lain in the kernel for as long as the loop was busy, which that tells in steps of
    /// some milliseconds: what is less than two of the longest counts as nothing.
    pub(super) fn hears(&mut self, shared: &Shared) {
        self.arrived = shared.woke_at;
        if shared.config.asks_for_delay {
            let delay = stream::silent_for(&self.as_fd()).filter(|delay| *delay >= COARSE).unwrap_or(0);
            self.arrived = self.arrived.min(clock::now().saturating_sub(delay * 1_000_000));
        }
    }

    /// Is nothing of a request here, and nothing owed?
    pub(super) fn is_quiet(&self) -> bool {
        self.phase == Phase::Open
            && self.input.is_empty()
            && self.output.is_empty()
            && self.out.is_none()
            && self.intake.body_received().is_none()
    }

    /// Has nothing of a request arrived? An empty line, which old clients send behind a body, is nothing.
    pub(super) fn waits_for_a_request(&self) -> bool {
        self.input == b"\r\n" || self.is_quiet()
    }

    /// What the poller is to watch.
    pub(super) fn wanted_interest(&self) -> Interest {
        match (&self.out, self.output.is_empty()) {
            (None, true) => Interest::Read,
            (None, false) => Interest::Write,
            (Some(out), sent) => match (self.has_room_for_input(out), sent) {
                (true, true) => Interest::Read,
                (true, false) => Interest::Both,
                (false, true) => Interest::Nothing,
                (false, false) => Interest::Write,
            },
        }
    }

    /// While a request is out, what follows it has to wait, and so has a body that nobody takes.
    fn has_room_for_input(&self, out: &Out) -> bool {
        out.client == Client::There && self.input.is_empty() && !self.is_held_up()
    }

    /// Does the body of the request that is out wait for the application?
    pub(super) fn is_held_up(&self) -> bool {
        let inflow = self.out.as_ref().and_then(|out| out.inflow.as_ref());
        self.intake.flowed().is_some() && inflow.is_some_and(|inflow| inflow.is_full())
    }

    /// The request line of what is arriving, as far as it is here.
    pub(super) fn line<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        let start = input.strip_prefix(b"\r\n").unwrap_or(input);
        let end = memchr::memchr2(b'\r', b'\n', start).unwrap_or(start.len());
        self.intake.line().unwrap_or(&start[..end.min(LONGEST_LINE)])
    }
}

/// Who may open a unix socket was let in by the file's mode already.
fn is_one_of(networks: &Networks, peer: &Address) -> bool {
    peer.ip().is_none_or(|ip| networks.contains(ip))
}

/// The kernel's clock for this ticks a hundred times a second at the least.
const COARSE: u64 = 20;

/// More than this of a line that was refused is not shown.
const LONGEST_LINE: usize = 1024;

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}
