//! Log lines of zygote and workers: whole lines or records to the error log, in the form that the arbiter's have; or
//! entries of the journal, where that is the log.

use crate::{inherited, python, statsd};
use contract::journal::Entry;
use contract::logline::{self, Level, LogFormat};
use contract::record::{self, Log, Writer};
use contract::settings::WorkerSettings;
use pyo3::prelude::*;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use sys::journal::Journal;

static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);
/// The number of this worker; nought in a zygote.
static WORKER: AtomicU32 = AtomicU32::new(0);
static JOURNAL: OnceLock<Option<Named>> = OnceLock::new();
/// What records say of us, where they are wanted; without the worker's own.
static RECORDS: OnceLock<Writer> = OnceLock::new();

/// The journal, and what every entry says of us.
struct Named {
    journal: Journal,
    error: bool,
    fields: Entry,
}

/// How lines are written from now on.
pub(crate) fn set_up(settings: &WorkerSettings) {
    LEVEL.store(settings.log_level as u8, Ordering::Relaxed);
    if settings.log_format == LogFormat::Json {
        let (app, generation) = (settings.name.clone(), Some(settings.generation));
        let _ = RECORDS.set(Writer { app, generation, ..Writer::default() });
    }
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
}

/// Writes a line. One that cannot be written is lost: there is nowhere else to say so.
pub(crate) fn write(level: Level, text: &str) {
    statsd::logged(level);
    put(level, text);
}

fn put(level: Level, text: &str) {
    if (level as u8) < LEVEL.load(Ordering::Relaxed) {
        return;
    }
    match named().filter(|named| named.error) {
        Some(named) => {
            let entry = ours(named, level).field("MESSAGE", text.trim_end().as_bytes());
            let _ = named.journal.send(entry.bytes());
        }
        None => {
            let line = match writer() {
                Some(writer) => record::message(&writer, Log::Server, level, text),
                None => logline::format(sys::process::own_pid(), level, text).into_bytes(),
            };
            let _ = sys::fd::write_all(inherited::error_log(), &line);
        }
    }
}

/// What this process's records say of it; `None` where lines are plain.
pub(crate) fn writer() -> Option<Writer> {
    let worker = Some(WORKER.load(Ordering::Relaxed)).filter(|number| *number != 0);
    RECORDS.get().map(|writer| Writer { pid: Some(sys::process::own_pid()), worker, ..writer.clone() })
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
    put(Level::Error, &format!("{text}\n{}", python::traceback(error, py)));
}
