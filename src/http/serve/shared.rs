//! What all connections of a server share: limits, clock, buffers, and what the last requests cost.

use super::connection::{Client, Connection, Out, Phase};
use super::held::Held;
use super::{BATCH, Farewell, LAST_WORD, LINGER, QUIET_AT_THE_END};
use crate::app::{App, Manner, Observer};
use crate::away::{Post, Taken};
use crate::config::Config;
use crate::head::Head;
use crate::reply::Said;
use crate::response::Asked;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use sys::clock::{self, Calendar};
use sys::queues;
use sys::socket::Address;

/// An average request above this many nanoseconds costs far more than a new connection does.
const SLOW: u64 = 5_000_000;

/// A turn that found much to do takes about so many nanoseconds in the application.
const TURN: u64 = 2_000_000;

/// A wait of fewer nanoseconds was none: something lay there already.
const BRIEF: u64 = 20_000;
/// The kernel's clock ticks at least every so many nanoseconds.
const TICK: u64 = 10_000_000;

/// After so many milliseconds a client may have left that was there when the poller looked.
const LATE: u64 = 5;

/// So much memory of requests that have ended is kept for the next ones.
const SPARES: usize = 64;

/// Memory of a request that was out, to be used again.
#[derive(Debug, Default)]
pub(super) struct Spare {
    pub(super) head: Box<Head>,
    pub(super) bytes: Vec<u8>,
    pub(super) buffer: Vec<u8>,
}

/// Shared by all connections.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    /// A head whose memory is used again, unless it is in use.
    pub(super) head: Option<Box<Head>>,
    /// Where heads of responses are made.
    pub(super) buffer: Vec<u8>,
    /// The fields that every response has, with the line end before them.
    pub(super) common: Arc<Vec<u8>>,
    /// Where requests that are out leave letters.
    pub(super) post: Arc<Post>,
    /// How many requests are out.
    pub(super) out: usize,
    spares: Vec<Spare>,
    /// Milliseconds on the monotonic clock, as of the last return from the application or the poller.
    pub(super) now: u64,
    /// When this turn began.
    woke: u64,
    /// The same in nanoseconds: what the poller told then was here by then.
    told: u64,
    /// May it have lain in the kernel's queues before, as the loop was busy? And since when that was.
    overslept: bool,
    busy_since: u64,
    /// Is it turned within another loop, of whose sleep it knows nothing?
    pub(super) is_within: bool,
    /// How it ends, once it does.
    farewell: Option<Farewell>,
    /// Since when.
    ending_since: u64,
    /// When quiet connections have to be gone, once it ends.
    quiet_until: u64,
    second: i64,
    pub(super) held: Held,
    service_time: u64,
}

impl Shared {
    pub(super) fn new(config: Config) -> io::Result<Self> {
        let (head, buffer, common) = (None, Vec::new(), Arc::default());
        let mut shared = Self {
            config,
            head,
            buffer,
            common,
            post: Arc::new(Post::new()?),
            out: 0,
            spares: Vec::new(),
            now: 0,
            woke: 0,
            told: 0,
            overslept: false,
            busy_since: 0,
            is_within: false,
            farewell: None,
            ending_since: 0,
            quiet_until: 0,
            second: -1,
            held: Held::default(),
            service_time: 0,
        };
        shared.refresh();
        Ok(shared)
    }

    /// An answer of which nothing was said yet.
    pub(super) fn silence(&self, asked: Asked) -> Said {
        Said::nothing(asked, self.config.write_timeout).with_head_kept(self.config.keeps_heads)
    }

    /// Memory for a request that goes out.
    pub(super) fn spare(&mut self) -> Spare {
        self.spares.pop().unwrap_or_default()
    }

    /// Keeps the memory of one that has ended.
    pub(super) fn recycle(&mut self, taken: Box<Taken>) {
        if self.spares.len() < SPARES {
            let Taken { head, mut bytes, mut buffer, .. } = *taken;
            bytes.clear();
            buffer.clear();
            self.spares.push(Spare { head, bytes, buffer });
        }
    }

    /// Reads the clocks, once a turn.
    pub(super) fn refresh(&mut self) {
        self.told = clock::now();
        self.now = self.told / 1_000_000;
        self.woke = self.now;
        let second = clock::unix_seconds();
        if second != self.second {
            self.second = second;
            let server = &self.config.server_name;
            self.common =
                format!("\r\nServer: {server}\r\nDate: {}\r\n", http_date(second)).into_bytes().into();
        }
    }

    /// The loop is about to wait: after that it can tell whether it did.
    pub(super) fn before_wait(&self) -> u64 {
        if self.config.measures_arrival { clock::now() } else { 0 }
    }

    /// It has waited, since that time.
    pub(super) fn after_wait(&mut self, before: u64) {
        self.refresh();
        if self.config.measures_arrival {
            self.overslept = self.told - before < BRIEF;
            if !self.overslept || self.is_within {
                self.busy_since = self.told;
            }
        }
    }

    /// When the request of this connection was here, in nanoseconds. The kernel tells it as coarsely as its clock ticks,
    /// and of a unix socket not at all; what is not much more than a tick is no more than the loop was busy for.
    pub(super) fn arrived(&self, fd: BorrowedFd<'_>) -> u64 {
        let lain = if self.overslept { queues::since_last_data(fd).unwrap_or(0) } else { 0 };
        let lain = if lain > TICK { lain } else { lain.min(self.told - self.busy_since) };
        self.told.saturating_sub(lain)
    }

    /// From now on no connection is kept for another request than its next.
    pub(super) fn begin_to_end(&mut self, farewell: Farewell) {
        let patience = match farewell {
            Farewell::Stop | Farewell::Vanish => QUIET_AT_THE_END,
            Farewell::Retire { patience } => patience,
        };
        if self.farewell.replace(farewell).is_none() {
            self.ending_since = self.now;
            self.post.mailbox.be_eager(true);
        }
        self.quiet_until = self.now.saturating_add(patience);
    }

    /// Does it end?
    pub(super) fn is_ending(&self) -> bool {
        self.farewell.is_some()
    }

    /// Has the application taken some time in this turn?
    pub(super) fn has_taken_time(&self) -> bool {
        self.now > self.woke
    }

    /// Was the application so slow in this turn that what the poller said may not be true any more?
    pub(super) fn is_late(&self) -> bool {
        self.now - self.woke > LATE
    }

    /// A request took so long. The average is a moving one over some ten of them.
    pub(super) fn note_service_time(&mut self, nanoseconds: u64) {
        self.service_time = self.service_time - self.service_time / 8 + nanoseconds / 8;
    }

    /// May the answer to this client wait for those of others?
    pub(super) fn may_wait(&self, peer: &Address) -> bool {
        self.held.suits(peer, self.service_time)
    }

    /// For how many descriptors the poller is asked. Whoever sends his next request just after the poller looked waits
    /// until it has looked again and his turn comes: the slower the application, the fewer may be ahead of that look.
    pub(super) fn batch<A: App>(&self, _: &A) -> usize {
        if A::MANNER != Manner::Inline {
            return BATCH;
        }
        (TURN / self.service_time.max(1)).clamp(1, BATCH as u64) as usize
    }

    /// May connections be kept now?
    ///
    /// Not when requests take long and there are other workers: a kept connection would wait for this worker while
    /// another one is idle, and a new connection costs little beside such a request.
    pub(super) fn keeps_connections<A: App>(&self, app: &A, observer: &impl Observer) -> bool {
        // Inline, its one request is all that it can do.
        let busy = || A::MANNER == Manner::Inline || app.full_for().is_some();
        let slow = self.service_time > SLOW && busy() && observer.share().workers > 1;
        self.config.keep_alive != 0 && !self.is_ending() && !slow
    }

    /// When the patience with a connection ends, as it stands now; nought is never.
    pub(super) fn next_deadline(&self, connection: &mut Connection) -> u64 {
        let after = |from: u64, limit: u64| if limit == 0 { 0 } else { from + limit };
        if !connection.output.is_empty() {
            return after(self.now, self.config.write_timeout);
        }
        if let Some(out) = &connection.out {
            return self.deadline_of_flow(connection, out);
        }
        if matches!(connection.phase, Phase::Lingering(_)) {
            return after(self.now, if self.is_ending() { QUIET_AT_THE_END } else { LINGER });
        }
        if let Some(received) = connection.intake.body_received() {
            return self.deadline_of_body(connection.since, received);
        }
        if connection.is_quiet() {
            connection.since = 0;
            return self.end_of_quiet(after(self.now, self.config.keep_alive));
        }
        if connection.since == 0 {
            connection.since = self.now;
        }
        let limit = after(connection.since, self.config.head_timeout);
        // A head that began before the end has a moment more, not all its time.
        if self.is_ending() {
            sooner(limit, connection.since.max(self.ending_since) + LAST_WORD)
        } else {
            limit
        }
    }

    fn deadline_of_body(&self, since: u64, received: u64) -> u64 {
        let earned = received.saturating_mul(1000) / BODY_RATE;
        let limit = self.config.body_timeout;
        if limit == 0 { 0 } else { since.saturating_add(earned) + limit }
    }

    /// While a request is out, its client may be late with nothing but the body.
    fn deadline_of_flow(&self, connection: &Connection, out: &Out) -> u64 {
        match (connection.intake.flowed(), out.client) {
            (Some(received), Client::There) if !connection.intake.is_foreign() => {
                self.deadline_of_body(connection.since, received)
            }
            _ => 0,
        }
    }

    /// When a quiet connection is closed that could otherwise wait until `limit`.
    pub(super) fn end_of_quiet(&self, limit: u64) -> u64 {
        if self.is_ending() {
            sooner(limit, self.quiet_until.max(self.now + QUIET_AT_THE_END))
        } else {
            limit
        }
    }
}

/// The sooner of two deadlines, of which the first may be nought: never.
fn sooner(limit: u64, at: u64) -> u64 {
    if limit == 0 { at } else { limit.min(at) }
}

/// Bytes of a body that earn a client another second.
const BODY_RATE: u64 = 1024;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// IMF-fixdate (RFC 9110, 5.6.7).
fn http_date(second: i64) -> String {
    let moment = Calendar::utc(second);
    let Calendar { year, day, hour, minute, second, weekday, .. } = moment;
    let (weekday, month) = (DAYS[weekday as usize % 7], moment.month_name());
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_as_rfc_9110_shows_them() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
