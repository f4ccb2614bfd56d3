//! The access lines that a worker owes when it has ended: of requests that it was in, and those that it had made and not
//! written. Of the former the scoreboard knows the line, the client and the beginning, and whether the client was told.
//!
//! | what happened                                  | status, bytes | reason                                      |
//! |------------------------------------------------|---------------|---------------------------------------------|
//! | the signal handler has answered (`last_word`)  | 504, 44       | the application did not answer in time      |
//! | anything else                                  | 000, 0        | how the worker ended                        |
//!
//! Where a response had begun by then, nobody knows how far it came: 000 says that it was not whole.

use super::ground::Ground;
use contract::access::{Ending, Facts, Format, Scribe};
use contract::id::{Generation, Pid, Slot};
use contract::journal::Entry;
use contract::record::Writer;
use contract::scoreboard::LaneView;
use std::net::IpAddr;
use sys::clock;
use sys::last_word;
use sys::process::Ended;

/// Writes them. To be called before the slot is somebody else's.
pub(super) fn write(ground: &Ground, generation: Generation, slot: Slot, (pid, how): (Pid, Ended)) {
    // Only a logger of the operator's own knows what we do not; it cannot be asked here.
    let format = Format::parse(ground.settings.access_format()).or_else(|_| Format::parse("combined"));
    let Ok(format) = format else { return };
    let view = ground.board.slot(slot);
    ground.logs.requests(&view.pad().lines());
    let worker = Some(slot.0 + 1);
    let writer = Writer { generation: Some(generation.0), worker, ..ground.logs.writer(Some(pid.0)) };
    let mut scribe = Scribe::new(format, writer);
    for lane in view.lanes() {
        let Some(request) = Unfinished::of(&lane, pid, how) else { continue };
        let mut line = Vec::new();
        scribe.write(&request, &mut line);
        ground.logs.request(&line, &request.fields(generation, slot));
    }
}

/// A request whose worker has ended.
struct Unfinished {
    line: String,
    client: Option<IpAddr>,
    took: u64,
    /// Status and length of what the signal handler has answered.
    answered: Option<(u16, u64)>,
    pid: i32,
    reason: String,
}

impl Unfinished {
    fn of(lane: &LaneView<'_>, pid: Pid, how: Ended) -> Option<Self> {
        let took = clock::now().saturating_sub(lane.start()?);
        let answered = Some(lane.answered()).filter(|note| *note != 0).map(last_word::read_note);
        let reason = match answered {
            Some(_) => "the application did not answer in time".to_owned(),
            None => format!("the worker {how}"),
        };
        let client = lane.client_address().map(|address| address.ip());
        Some(Self { line: lane.request_line(), client, took, answered, pid: pid.0, reason })
    }

    /// What its entry of the journal has to filter by.
    fn fields(&self, generation: Generation, slot: Slot) -> Entry {
        let target = self.line.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        let entry = Entry::default()
            .number("RCORN_GENERATION", generation.0)
            .number("RCORN_WORKER", u64::from(slot.0 + 1))
            .field("HTTP_METHOD", self.line.split(' ').next().unwrap_or_default().as_bytes())
            .field("HTTP_PATH", path.as_bytes())
            .number("HTTP_STATUS", u64::from(self.status()))
            .number("HTTP_BYTES", self.bytes())
            .number("HTTP_DURATION_USEC", self.duration() / 1000);
        match self.client {
            Some(ip) => entry.field("REMOTE_ADDR", ip.to_string().as_bytes()),
            None => entry,
        }
    }
}

impl Facts for Unfinished {
    fn client(&self) -> Option<IpAddr> {
        self.client
    }

    fn line(&self) -> &[u8] {
        self.line.as_bytes()
    }

    fn status(&self) -> u16 {
        self.answered.map_or(0, |(status, _)| status)
    }

    fn bytes(&self) -> u64 {
        self.answered.map_or(0, |(_, length)| length)
    }

    fn duration(&self) -> u64 {
        self.took
    }

    fn pid(&self) -> i32 {
        self.pid
    }

    fn ending(&self) -> Ending {
        Ending::Aborted
    }

    fn reason(&self) -> Option<&str> {
        Some(&self.reason)
    }
}
