//! Log lines of zygote and workers: whole lines or records to the error log, in the form that the arbiter's have; or
//! entries of the journal, where that is the log.

use crate::{delivery, inherited, python, statsd};
use contract::journal::Entry;
use contract::logline::{self, Level, LogFormat};
use contract::record::{self, Log, Writer};
use contract::settings::WorkerSettings;
use contract::syslog::{Part, Syslog};
use pyo3::prelude::*;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use sys::journal::Journal;

static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);
/// The number of this worker; nought in a zygote.
static WORKER: AtomicU32 = AtomicU32::new(0);
static JOURNAL: OnceLock<Option<Named>> = OnceLock::new();
/// What records say of us, without the worker's own; and is the error log made of records?
static RECORDS: OnceLock<(Writer, bool)> = OnceLock::new();

/// The syslog that lines are sent to as well.
static SYSLOG: OnceLock<Option<Syslog>> = OnceLock::new();

/// The journal, and what every entry says of us.
struct Named {
    journal: Journal,
    error: bool,
    fields: Entry,
}

/// How lines are written from now on.
pub(crate) fn set_up(settings: &WorkerSettings) {
    LEVEL.store(settings.log_level as u8, Ordering::Relaxed);
    let (app, generation) = (settings.name.clone(), Some(settings.generation));
    let writes_records = settings.log_format == LogFormat::Json;
    let _ = RECORDS.set((Writer { app, generation, ..Writer::default() }, writes_records));
    let _ = SYSLOG.set(settings.syslog.clone().map(Syslog::new));
    let wanted = settings.journal.error || settings.journal.access;
    // Without a connection lines go where they would go otherwise.
    let journal = wanted.then(Journal::connect).and_then(Result::ok);
    let fields = Entry::default()
        .field("RCORN_APP", settings.name.as_bytes())
        .number("RCORN_GENERATION", settings.generation);
    let error = settings.journal.error;
    let _ = JOURNAL.set(journal.map(|journal| Named { journal, error, fields }));
}

/// This process is a worker now.
pub(crate) fn set_worker(number: u32) {
    WORKER.store(number, Ordering::Relaxed);
    if let Some(syslog) = syslog() {
        syslog.is_inherited();
    }
}

/// The syslog that lines are sent to as well.
pub(crate) fn syslog() -> Option<&'static Syslog> {
    SYSLOG.get()?.as_ref()
}

/// Writes a line. One that cannot be written is lost: there is nowhere else to say so.
pub(crate) fn write(level: Level, text: &str) {
    statsd::logged(level);
    if is_wanted(level) && !delivery::line(level, text, None) {
        write_here(level, text);
    }
}

/// The level that Python's logging has under this name.
pub(crate) fn level(name: &str) -> Level {
    match name {
        "debug" => Level::Debug,
        "warning" => Level::Warning,
        "error" => Level::Error,
        "critical" => Level::Critical,
        _ => Level::Info,
    }
}

fn is_wanted(level: Level) -> bool {
    (level as u8) >= LEVEL.load(Ordering::Relaxed)
}

/// Writes a line to the log itself, whoever else asked for lines.
pub(crate) fn write_here(level: Level, text: &str) {
    if let Some(syslog) = syslog() {
        syslog.send(Part::Error, level, text.as_bytes());
    }
    match named().filter(|named| named.error) {
        Some(named) => {
            let entry = ours(named, level).field("MESSAGE", text.trim_end().as_bytes());
            let _ = named.journal.send(entry.bytes());
        }
        None => {
            let line = if RECORDS.get().is_some_and(|(_, wanted)| *wanted) {
                record::message(&writer(), Log::Server, level, text)
            } else {
                logline::format(sys::process::own_pid(), level, text).into_bytes()
            };
            let _ = sys::fd::write_all(inherited::error_log(), &line);
        }
    }
}

/// What this process's records say of it.
pub(crate) fn writer() -> Writer {
    let worker = Some(WORKER.load(Ordering::Relaxed)).filter(|number| *number != 0);
    let common = RECORDS.get().map(|(writer, _)| writer.clone()).unwrap_or_default();
    Writer { pid: Some(sys::process::own_pid()), worker, ..common }
}

/// The beginning of an entry of this process, and where it is sent; `None` when there is no journal.
pub(crate) fn entry(level: Level) -> Option<(Entry, &'static Journal)> {
    named().map(|named| (ours(named, level), &named.journal))
}

fn named() -> Option<&'static Named> {
    JOURNAL.get()?.as_ref()
}

fn ours(named: &Named, level: Level) -> Entry {
    let entry = Entry::new(level).all(&named.fields);
    match WORKER.load(Ordering::Relaxed) {
        0 => entry,
        number => entry.number("RCORN_WORKER", u64::from(number)),
    }
}

/// Writes what happened with the traceback of the exception that was the cause.
pub(crate) fn write_exception(py: Python<'_>, text: &str, error: &PyErr) {
    statsd::logged_exception();
    if is_wanted(Level::Error) && !delivery::line(Level::Error, text, Some(error.clone_ref(py))) {
        write_here(Level::Error, &format!("{text}\n{}", python::traceback(error, py)));
    }
}

/// Is this process a worker?
pub(crate) fn is_worker() -> bool {
    WORKER.load(Ordering::Relaxed) != 0
}
