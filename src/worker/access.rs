//! The access log: one line per request, collected and written once per turn of the loop.

use crate::access_facts::{Told, Wanted};
use crate::delivery;
use crate::{inherited, log};
use contract::access::{Format, Needs, Scribe};
use contract::logline::Level;
use contract::scoreboard::SlotView;
use contract::settings::WorkerSettings;
use contract::syslog::{Part, Syslog};
use http::Record;

/// What the log asks for; nothing where there is none. The arbiter has understood its format before.
pub(crate) fn needs(settings: &WorkerSettings) -> Needs {
    if delivery::takes_requests() {
        return Needs { queue: true, response_head: true, variables: Vec::new() };
    }
    format(settings).map(|format| format.needs()).unwrap_or_default()
}

/// What it wants of an environment.
pub(crate) fn wanted(settings: &WorkerSettings) -> Wanted {
    match needs(settings).variables {
        _ if delivery::takes_requests() => Wanted::Environ,
        names if names.is_empty() => Wanted::Nothing,
        names => Wanted::Variables(names.into()),
    }
}

/// The format of the log, where there is one.
pub(crate) fn format(settings: &WorkerSettings) -> Option<Format> {
    Format::parse(&settings.access_format).ok().filter(|_| settings.access_log)
}

/// More than this is written before the turn ends.
const COLLECTED: usize = 32 * 1024;

/// Lines that wait to be written.
pub(crate) struct AccessLog {
    scribe: Scribe,
    /// The variables that the format asks for.
    variables: Vec<String>,
    lines: Vec<u8>,
    /// Where they go as well.
    syslog: Option<&'static Syslog>,
    /// How many of these bytes are in the scoreboard, in case that this process ends before they are written.
    deposited: usize,
}

impl AccessLog {
    pub(crate) fn new(format: Format) -> Self {
        let variables = format.needs().variables;
        let scribe = Scribe::new(format, log::writer());
        let syslog = log::syslog().filter(|syslog| syslog.settings().access);
        Self { scribe, variables, lines: Vec::new(), syslog, deposited: 0 }
    }

    /// Adds the line of one request.
    pub(crate) fn write(&mut self, record: &Record<'_>, slot: &SlotView<'_>) {
        self.add(record);
        if self.lines.len() > COLLECTED {
            self.flush(slot);
        }
    }

    /// The line of one request, which is not written.
    pub(crate) fn line_of(&mut self, record: &Record<'_>) -> Vec<u8> {
        self.add(record);
        std::mem::take(&mut self.lines)
    }

    fn add(&mut self, record: &Record<'_>) {
        let start = self.lines.len();
        self.scribe.write(&Told::of(record, &self.variables), &mut self.lines);
        if let Some(syslog) = self.syslog {
            syslog.send(Part::Access, Level::Info, &self.lines[start..]);
        }
    }

    /// Sends what a stream had no room for.
    pub(crate) fn flush_syslog(&self) {
        if let Some(syslog) = self.syslog {
            syslog.flush();
        }
    }

    /// Writes what was collected. Lines that cannot be written (a full disk) are lost: requests go on.
    pub(crate) fn flush(&mut self, slot: &SlotView<'_>) {
        self.flush_syslog();
        if !self.lines.is_empty() {
            let _ = sys::fd::write_all(inherited::access_log(), &self.lines);
            self.lines.clear();
            if self.deposited > 0 {
                self.deposited = 0;
                slot.pad().clear();
            }
        }
    }

    /// The application is about to run, which may end this process: what it has not written by then the arbiter will.
    pub(crate) fn deposit(&mut self, slot: &SlotView<'_>) {
        if self.lines.len() > self.deposited {
            slot.pad().add(&self.lines[self.deposited..]);
            self.deposited = self.lines.len();
        }
    }
}
