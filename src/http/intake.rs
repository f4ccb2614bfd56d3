//! The input half of a connection, without the connection: bytes in, requests out. Owns no socket.
//!
//! A request without a body stays where its bytes lie. One with a body is moved out of the way while that arrives.

use crate::body::{Decoder, Step};
use crate::config::Config;
use crate::framing::BodyLength;
use crate::head::{Head, Progress};
use crate::proxy::{Preamble, Proxied, Seen, Trust};
use crate::refusal::Refusal;
use crate::spool::Spool;

/// A request whose body is arriving or has arrived.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) head: Head,
    pub(crate) bytes: Vec<u8>,
    pub(crate) spool: Spool,
    decoder: Decoder,
}

impl Incoming {
    /// Takes what belongs to the body: how many bytes of `input` that were, and whether the body is complete.
    fn take(&mut self, input: &[u8], config: &Config) -> Result<(usize, bool), Refusal> {
        let mut used = 0;
        loop {
            match self.decoder.step(&input[used..], self.spool.length(), config)? {
                Step::Data(length) => {
                    self.spool.write(&input[used..used + length], &config.spool_directories)?;
                    used += length;
                }
                Step::Framing(length) => used += length,
                Step::Starved => return Ok((used, false)),
                Step::Done => {
                    self.spool.rewind()?;
                    return Ok((used, true));
                }
            }
        }
    }
}

/// Where the input stands.
#[derive(Debug, Default)]
pub(crate) enum Intake {
    /// Before anything: a PROXY header may come.
    Preamble(Preamble),
    /// Before or within a head, so much of which was looked at in vain.
    Head { seen: usize },
    /// Within a body.
    Body(Box<Incoming>),
    /// Within a body whose request was handed over already; so many bytes of it have arrived.
    Flowing(Decoder, u64),
    /// Within something else than HTTP, which is the application's to understand; so many bytes of it have arrived.
    Foreign(u64),
    /// After an error in a body: only the request's line still matters.
    Failed(Box<Incoming>),
    /// After an error: nothing is interpreted any more.
    #[default]
    Closed,
}

/// What the next bytes gave.
#[derive(Debug)]
pub(crate) enum Event {
    /// So many bytes were used; more are needed.
    Starved(usize),
    /// The first bytes are no request: this many tell where the client really is, if anything.
    Preamble(usize, Option<Proxied>),
    /// A request without a body is in the first bytes, this many; its head is in `scratch`.
    Request(usize),
    /// A head was used up, so many bytes long; its body follows.
    BodyBegins { used: usize, expects_continue: bool },
    /// So many bytes completed this request.
    Complete(usize, Box<Incoming>),
}

impl Intake {
    /// Before a request.
    pub(crate) fn new() -> Self {
        Self::Head { seen: 0 }
    }

    /// Before the first request. `allowed`: may the peer send a PROXY header?
    pub(crate) fn first(trust: &Trust, allowed: bool) -> Self {
        let expected = trust.preamble_v1 || trust.preamble_v2;
        if expected { Self::Preamble(Preamble { allowed }) } else { Self::new() }
    }

    /// Looks at `input`: all bytes that arrived and were not used yet. `trusted`: they are a trusted proxy's.
    pub(crate) fn next(
        &mut self,
        input: &[u8],
        scratch: &mut Head,
        config: &Config,
        trusted: bool,
    ) -> Result<Event, Refusal> {
        let result = match self {
            Self::Preamble(preamble) => match preamble.look(input, &config.trust) {
                Ok(seen) => Ok(self.preamble(&seen)),
                Err(refusal) => Err(refusal),
            },
            Self::Head { seen } => {
                let progress = scratch.parse(input, *seen, config, trusted);
                progress.map(|progress| self.head(input, progress, scratch))
            }
            Self::Body(_) => self.body(input, config),
            // A flow goes through `pour`.
            Self::Flowing(..) | Self::Foreign(_) => Ok(Event::Starved(0)),
            Self::Failed(_) | Self::Closed => Ok(Event::Starved(input.len())),
        };
        if result.is_err() && !matches!(self, Self::Failed(_)) {
            *self = Self::Closed;
        }
        result
    }

    fn preamble(&mut self, seen: &Seen) -> Event {
        let (used, proxied) = match *seen {
            Seen::Unclear => return Event::Starved(0),
            Seen::Nothing => (0, None),
            Seen::Header(used, proxied) => (used, proxied),
        };
        *self = Self::new();
        Event::Preamble(used, proxied)
    }

    fn head(&mut self, input: &[u8], progress: Progress, scratch: &mut Head) -> Event {
        let (length, rewritten) = match progress {
            Progress::Partial(seen) => {
                *self = Self::Head { seen };
                return Event::Starved(0);
            }
            Progress::Whole(length) => (length, None),
            Progress::Rewritten(length, bytes) => (length, Some(bytes)),
        };
        *self = Self::new();
        let no_body = matches!(scratch.framing.body, BodyLength::None | BodyLength::Exactly(0));
        if no_body && rewritten.is_none() {
            return Event::Request(length);
        }
        let expects_continue = scratch.framing.expects_continue;
        let decoder = Decoder::new(scratch.framing.body);
        let bytes = rewritten.unwrap_or_else(|| input[..length].to_vec());
        let incoming =
            Box::new(Incoming { head: std::mem::take(scratch), bytes, spool: Spool::default(), decoder });
        if no_body {
            return Event::Complete(length, incoming);
        }
        *self = Self::Body(incoming);
        Event::BodyBegins { used: length, expects_continue }
    }

    fn body(&mut self, input: &[u8], config: &Config) -> Result<Event, Refusal> {
        let Self::Body(mut incoming) = std::mem::take(self) else { return Ok(Event::Starved(0)) };
        match incoming.take(input, config) {
            Ok((used, true)) => {
                *self = Self::new();
                Ok(Event::Complete(used, incoming))
            }
            Ok((used, false)) => {
                *self = Self::Body(incoming);
                Ok(Event::Starved(used))
            }
            Err(refusal) => {
                *self = Self::Failed(incoming);
                Err(refusal)
            }
        }
    }

    /// The request whose body is arriving: it goes its own way, and the body flows behind it. `None` when none
    /// has begun.
    pub(crate) fn let_flow(&mut self) -> Option<Box<Incoming>> {
        match std::mem::take(self) {
            Self::Body(mut incoming) => {
                let decoder = std::mem::replace(&mut incoming.decoder, Decoder::Length(0));
                *self = Self::Flowing(decoder, incoming.spool.length());
                Some(incoming)
            }
            other => {
                *self = other;
                None
            }
        }
    }

    /// Gives what belongs to a flowing body to `sink`, which says whether it has room for more: how many bytes of
    /// `input` were used. At its end, and after an error, nothing flows any more.
    pub(crate) fn pour(
        &mut self,
        input: &[u8],
        config: &Config,
        mut sink: impl FnMut(&[u8]) -> bool,
    ) -> Result<usize, Refusal> {
        let (decoder, received) = match self {
            Self::Flowing(decoder, received) => (decoder, received),
            Self::Foreign(received) if !input.is_empty() => {
                *received += input.len() as u64;
                sink(input);
                return Ok(input.len());
            }
            _ => return Ok(0),
        };
        let mut used = 0;
        loop {
            match decoder.step(&input[used..], *received, config) {
                Ok(Step::Data(length)) => {
                    let data = &input[used..used + length];
                    (used, *received) = (used + length, *received + length as u64);
                    if !sink(data) {
                        return Ok(used);
                    }
                }
                Ok(Step::Framing(length)) => used += length,
                Ok(Step::Starved) => return Ok(used),
                Ok(Step::Done) => {
                    *self = Self::new();
                    return Ok(used);
                }
                Err(refusal) => {
                    *self = Self::Closed;
                    return Err(refusal);
                }
            }
        }
    }

    /// How much has arrived of a body that flows; `None` when none does.
    pub(crate) fn flowed(&self) -> Option<u64> {
        if let Self::Flowing(_, received) | Self::Foreign(received) = self { Some(*received) } else { None }
    }

    /// Does the client speak something else than HTTP?
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign(_))
    }

    /// How much of a body has arrived; `None` when none is due.
    pub(crate) fn body_received(&self) -> Option<u64> {
        if let Self::Body(incoming) = self { Some(incoming.spool.length()) } else { None }
    }

    /// How much of a body is missing that is collected, as far as that is known.
    pub(crate) fn missing(&self) -> usize {
        match self {
            Self::Body(incoming) => incoming.decoder.missing(),
            _ => 0,
        }
    }

    /// The line of the request whose body is arriving, or was when it turned out to be wrong.
    pub(crate) fn line(&self) -> Option<&[u8]> {
        match self {
            Self::Body(incoming) | Self::Failed(incoming) => Some(incoming.head.line.get(&incoming.bytes)),
            Self::Preamble(_) | Self::Head { .. } | Self::Flowing(..) | Self::Foreign(_) | Self::Closed => {
                None
            }
        }
    }
}
