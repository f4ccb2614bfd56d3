//! What was said of the logs beside their files, their level and their form.

use super::python_logging::PythonLogging;
use super::syslog::Syslog;
use super::{LogTarget, Settings};
use contract::logline::LogFormat;
use serde::{Deserialize, Serialize};

/// What was said of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Logs {
    /// How the lines of the access log are written, where that was said: `contract::access::Format`.
    pub(super) access_format: String,
    pub(super) capture_output: bool,
    pub(super) syslog: Syslog,
    pub(super) python: PythonLogging,
}

impl Settings {
    /// How the lines of the access log are written.
    pub(crate) fn access_format(&self) -> &str {
        match (self.logs.access_format.as_str(), self.log_format) {
            ("", LogFormat::Plain) => "combined",
            ("", LogFormat::Json) => "json",
            (said, _) => said,
        }
    }

    /// Are there lines of an access log, wherever they go?
    pub(crate) fn has_access_log(&self) -> bool {
        self.access_log.is_some() || self.syslog().is_some_and(|syslog| syslog.access)
    }

    /// Does what the application prints go to the error log? Where that is no file, it goes there by itself or not at all,
    /// as in Gunicorn.
    pub(crate) fn captures(&self) -> bool {
        self.logs.capture_output && matches!(self.error_log, LogTarget::File(_))
    }
}
