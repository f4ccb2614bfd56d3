//! Gunicorn's settings that rcorn does not have yet, one entry each. They are refused, never ignored: a server that
//! quietly does less than it was told is worse than one that does not start.

use super::row::Row;

const STDERR: &str = "log to stderr, which the journal keeps, or to a file";

/// What is to come.
pub(super) static LATER: &[Row] = &[
    Row::later("disable_redirect_access_to_syslog", &["--disable-redirect-access-to-syslog"], STDERR),
    Row::later("access_log_format", &["--access-logformat"], ""),
    Row::later("capture_output", &["--capture-output"], STDERR),
    Row::later("logger_class", &["--logger-class"], ""),
    Row::later("logconfig", &["--log-config"], ""),
    Row::later("logconfig_dict", &[], ""),
    Row::later("logconfig_json", &["--log-config-json"], ""),
    Row::later("syslog_addr", &["--log-syslog-to"], STDERR),
    Row::later("syslog", &["--log-syslog"], STDERR),
    Row::later("syslog_prefix", &["--log-syslog-prefix"], STDERR),
    Row::later("syslog_facility", &["--log-syslog-facility"], STDERR),
];
