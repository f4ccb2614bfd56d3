//! Tells a statsd server of each request and of each line in the log that matters, in Gunicorn's words.
//!
//! Lines of requests are sent once per turn of the loop, those about the log at once. Nobody waits for either.

use contract::logline::Level;
use contract::settings::WorkerSettings;
use contract::statsd::Statsd;
use http::Record;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Who tells of the log. Made before the fork, and shared by the workers.
static LOGGED: OnceLock<Option<Mutex<Statsd>>> = OnceLock::new();

/// The application's loggers tell it themselves.
static LEFT: AtomicBool = AtomicBool::new(false);

/// Leaves all of it to the application's loggers.
pub(crate) fn leave() {
    LEFT.store(true, Relaxed);
}

/// From now on the log is told of, where that is wanted.
pub(crate) fn set_up(settings: &WorkerSettings) {
    let _ = LOGGED.set(open(settings).map(Mutex::new));
}

/// Without a socket nothing is told: that is no reason not to serve.
fn open(settings: &WorkerSettings) -> Option<Statsd> {
    Statsd::open(settings.statsd.as_ref()?).ok()
}

/// A line of this level was logged.
pub(crate) fn logged(level: Level) {
    match level {
        Level::Debug | Level::Info => {}
        Level::Warning => count("gunicorn.log.warning"),
        Level::Error => count("gunicorn.log.error"),
        Level::Critical => count("gunicorn.log.critical"),
    }
}

/// An exception was logged.
pub(crate) fn logged_exception() {
    count("gunicorn.log.exception");
}

fn count(name: &str) {
    if let Some(Some(statsd)) = LOGGED.get()
        && !LEFT.load(Relaxed)
    {
        // Whoever panicked with it left whole lines.
        let mut statsd = statsd.lock().unwrap_or_else(PoisonError::into_inner);
        statsd.count(name, 1);
        statsd.flush();
    }
}

/// Who tells of requests.
pub(crate) struct Requests(Statsd);

impl Requests {
    /// `None` where nobody wants to hear of them.
    pub(crate) fn of(settings: &WorkerSettings) -> Option<Self> {
        if LEFT.load(Relaxed) { None } else { open(settings).map(Self) }
    }

    /// A request has ended. One that nothing was answered to is none, as in Gunicorn.
    pub(crate) fn note(&mut self, record: &Record<'_>) {
        if record.status != 0 {
            self.0.time("gunicorn.request.duration", record.app_ns);
            self.0.count("gunicorn.requests", 1);
            self.0.count(format_args!("gunicorn.request.status.{}", record.status), 1);
        }
    }

    /// Sends what was noted.
    pub(crate) fn flush(&mut self) {
        self.0.flush();
    }
}
