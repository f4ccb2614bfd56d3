//! Feeds bytes to `Intake` as a connection does, in whatever pieces they arrive, and tells what came of them.

use crate::config::Config;
use crate::framing::BodyLength;
use crate::head::{Head, Version};
use crate::intake::{Event, Intake};
use crate::proxy::{Client, Proxied};
use crate::request::Request;
use crate::spool::Body;
use std::ops::Range;
use sys::socket::Address;

/// A request that was taken, as the application would see it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Where its head lay.
    pub(super) head: Range<usize>,
    /// Where its body ended.
    pub(super) end: usize,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) script_name: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) version: Version,
    pub(super) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) length: BodyLength,
    pub(super) keep_alive: bool,
    pub(super) https: bool,
    pub(super) client: Option<Client>,
    pub(super) body: Vec<u8>,
}

/// What came of the bytes.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) proxied: Option<Proxied>,
    pub(super) taken: Vec<Taken>,
    /// With which status it ended.
    pub(super) refused: Option<u16>,
    /// How many bytes were used; what follows waits for more.
    pub(super) used: usize,
}

impl Story {
    /// The same in all that may not depend on how the bytes were cut.
    pub(super) fn is(&self, other: &Self) -> bool {
        (&self.taken, self.proxied, self.refused) == (&other.taken, other.proxied, other.refused)
    }
}

/// The ends of pieces that look random and are the same for the same seed.
pub(super) fn cuts(length: usize, seed: u8) -> Vec<usize> {
    let mut random = u64::from(seed) + 1;
    let longest = usize::from(seed % 61) + 1;
    let mut ends = Vec::new();
    let mut end = 0;
    while end < length {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        end = length.min(end + (random >> 33) as usize % longest + 1);
        ends.push(end);
    }
    ends
}

/// Feeds `data` whole, byte by byte, and in pieces: the story, which is always the same.
pub(super) fn feed(data: &[u8], seed: u8, config: &Config, trusted: bool) -> Story {
    let whole = Feeder::new(data, config, trusted).run([data.len()]);
    for story in [
        Feeder::new(data, config, trusted).run(1..=data.len()),
        Feeder::new(data, config, trusted).run(cuts(data.len(), seed)),
    ] {
        assert!(story.is(&whole), "in one piece {whole:?}, in several {story:?}: {}", super::shown(data));
    }
    whole
}

/// The signature, the lengths, and as much behind them as we take of version 2 of the PROXY protocol.
const LONGEST_PREAMBLE: usize = 16 + 4096;

struct Feeder<'d> {
    data: &'d [u8],
    config: &'d Config,
    trusted: bool,
    intake: Intake,
    scratch: Head,
    /// Where the head of the request began whose body is arriving, and its length.
    head: Range<usize>,
    story: Story,
}

impl<'d> Feeder<'d> {
    fn new(data: &'d [u8], config: &'d Config, trusted: bool) -> Self {
        let intake = Intake::first(&config.trust, true);
        let (scratch, head, story) = (Head::default(), 0..0, Story::default());
        Self { data, config, trusted, intake, scratch, head, story }
    }

    fn run(mut self, ends: impl IntoIterator<Item = usize>) -> Story {
        for end in ends {
            while self.story.refused.is_none() && self.step(end) {}
        }
        self.story
    }

    /// One event of the bytes up to `end`; false when more are needed.
    fn step(&mut self, end: usize) -> bool {
        let start = self.story.used;
        let input = &self.data[start..end];
        if input.is_empty() && self.intake.body_received().is_none() {
            return false;
        }
        let used = match self.intake.next(input, &mut self.scratch, self.config, self.trusted) {
            Err(refusal) => {
                self.story.refused = Some(refusal.status);
                self.check_that_nothing_follows(input);
                return false;
            }
            Ok(Event::Starved(used)) => {
                self.story.used += used;
                self.check_what_waits(input.len() - used);
                return false;
            }
            Ok(Event::Preamble(used, proxied)) => {
                self.story.proxied = proxied;
                used
            }
            Ok(Event::Request(used)) => {
                let head = std::mem::take(&mut self.scratch);
                let request = request(&head, &input[..used], Body::Empty);
                self.take(start..start + used, start + used, &request);
                self.scratch = head;
                used
            }
            Ok(Event::BodyBegins { used, .. }) => {
                self.head = start..start + used;
                used
            }
            Ok(Event::Complete(used, incoming)) => {
                // A head that was written anew may come without a body, all at once.
                let head = if self.head.is_empty() { start..start + used } else { self.head.clone() };
                let request = request(&incoming.head, &incoming.bytes, incoming.spool.body());
                self.take(head, start + used, &request);
                self.head = 0..0;
                used
            }
        };
        assert!(used <= input.len(), "more was used than there is");
        self.story.used += used;
        true
    }

    fn take(&mut self, head: Range<usize>, end: usize, request: &Request<'_>) {
        self.story.taken.push(Taken {
            head,
            end,
            method: request.method().to_owned(),
            target: request.target().to_owned(),
            script_name: request.script_name().to_owned(),
            path: request.path().to_owned(),
            query: request.query().to_owned(),
            version: request.version(),
            fields: request.headers().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
            length: request.head.framing.body,
            keep_alive: request.head.framing.keep_alive,
            https: request.head.via.https,
            client: request.head.via.client,
            body: match request.body {
                Body::Empty | Body::Arriving => Vec::new(),
                Body::Memory(bytes) => bytes.to_vec(),
                Body::Spooled { .. } => panic!("so small a body went to a file"),
            },
        });
    }

    /// What is not used is kept by the connection: only a head that may still be within the limits is.
    fn check_what_waits(&self, waiting: usize) {
        let most = match &self.intake {
            Intake::Preamble(_) => LONGEST_PREAMBLE,
            Intake::Head { .. } => self.config.longest_head(),
            Intake::Body(_)
            | Intake::Flowing(..)
            | Intake::Foreign(_)
            | Intake::Failed(_)
            | Intake::Closed => 0,
        };
        assert!(waiting <= most, "{waiting} bytes wait in {:?}", self.intake);
    }

    /// After a refusal nothing is interpreted, however good it looks.
    fn check_that_nothing_follows(&mut self, rest: &[u8]) {
        for input in [rest, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"0\r\n\r\n"] {
            let after = self.intake.next(input, &mut self.scratch, self.config, self.trusted);
            assert!(
                matches!(after, Ok(Event::Starved(used)) if used == input.len()),
                "after an error: {after:?}"
            );
        }
    }
}

fn request<'r>(head: &'r Head, bytes: &'r [u8], body: Body<'r>) -> Request<'r> {
    Request { head, bytes, body, peer: &Address::Unnamed, proxied: None, listener: 0 }
}
