//! The table's part about logs.

use super::row::{Kind, Row, Section};
use super::syslog;
use super::{LogTarget, python_logging};
use contract::logline::{Level, LogFormat};
use std::path::PathBuf;

/// Where lines go, and what they look like.
pub(super) static LOGGING: &[Row] = &[
    Row::new(
        "log_level",
        &["--log-level"],
        Kind::Choice(&["debug", "info", "warning", "error", "critical"], |s, word| s.log_level = level(word)),
        "debug, info, warning, error or critical",
    )
    .alias("loglevel")
    .default("info")
    .within(Section::Logging),
    Row::new(
        "log_format",
        &["--log-format"],
        Kind::Choice(&["plain", "json"], |s, word| s.log_format = log_format(word)),
        "plain lines, or json: a record in each line, of both logs and of what the application prints",
    )
    .default("plain")
    .within(Section::Logging),
    Row::new(
        "access_log_format",
        &["--access-logformat"],
        Kind::Text(|s, text| text.clone_into(&mut s.logs.access_format)),
        "combined, common, json, or text with atoms such as %(h)s; else combined, or json where log_format is",
    )
    .within(Section::Logging),
    Row::new(
        "error_log",
        &["--error-logfile", "--log-file"],
        Kind::Text(|s, text| s.error_log = log(text).unwrap_or(LogTarget::Stream)),
        "log file; - is stderr",
    )
    .alias("errorlog")
    .default("-")
    .within(Section::Logging),
    Row::new(
        "access_log",
        &["--access-logfile"],
        Kind::Text(|s, text| s.access_log = log(text)),
        "access log file; - is stdout; or off",
    )
    .alias("accesslog")
    .default("off")
    .within(Section::Logging),
    Row::new(
        "capture_output",
        &["--capture-output"],
        Kind::Switch(&[], |s, word| s.logs.capture_output = word == "on"),
        "write what the application prints to the error log, where that is a file",
    )
    .default("off")
    .within(Section::Logging),
    Row::new(
        "syslog",
        &["--log-syslog"],
        Kind::Switch(&[], |s, word| s.logs.syslog.wanted = word == "on"),
        "send both logs to syslog as well",
    )
    .default("off")
    .within(Section::Logging),
    Row::new(
        "syslog_addr",
        &["--log-syslog-to"],
        Kind::Checked(|s, text| {
            text.clone_into(&mut s.logs.syslog.said.0);
            syslog::check(text)
        }),
        "where it is: udp://HOST:PORT, tcp://HOST:PORT, or unix://PATH with #dgram or #stream behind it",
    )
    .default("udp://localhost:514")
    .within(Section::Logging),
    Row::new(
        "syslog_prefix",
        &["--log-syslog-prefix"],
        Kind::Text(|s, text| text.clone_into(&mut s.logs.syslog.prefix)),
        "what its lines begin with: gunicorn.PREFIX.error, gunicorn.PREFIX.access; else the name, or the application's",
    )
    .within(Section::Logging),
    Row::new(
        "syslog_facility",
        &["--log-syslog-facility"],
        Kind::Checked(|s, text| {
            text.clone_into(&mut s.logs.syslog.said.1);
            syslog::facility(text).map(|facility| s.logs.syslog.facility = facility)
        }),
        "facility of its lines: user, daemon, local0 to local7, …",
    )
    .default("user")
    .within(Section::Logging),
    Row::new(
        "disable_redirect_access_to_syslog",
        &["--disable-redirect-access-to-syslog"],
        Kind::Switch(&[], |s, word| s.logs.syslog.access = word == "off"),
        "send only the error log there",
    )
    .default("off")
    .within(Section::Logging),
    Row::new(
        "logconfig",
        &["--log-config"],
        Kind::Path(|s, path| s.logs.python.ini = Some(path)),
        "ini file for Python's logging, as logging.config.fileConfig reads it",
    )
    .within(Section::Logging),
    Row::new(
        "logconfig_json",
        &["--log-config-json"],
        Kind::Path(|s, path| s.logs.python.json = Some(path)),
        "JSON file for Python's logging, with what logging.config.dictConfig takes",
    )
    .within(Section::Logging),
    Row::new(
        "logconfig_dict",
        &[],
        Kind::Table(|s, object| s.logs.python.dict = (object != "{}").then(|| object.to_owned())),
        "table for Python's logging, with what logging.config.dictConfig takes",
    )
    .within(Section::Logging),
    Row::new(
        "logger_class",
        &["--logger-class"],
        Kind::Known(&["gunicorn.glogging.Logger"], |s, name| python_logging::class(name, s)),
        "class of your own for the server's logs, by its dotted name; it derives from gunicorn.glogging.Logger",
    )
    .within(Section::Logging),
];

fn log(text: &str) -> Option<LogTarget> {
    match text {
        "" | "off" => None,
        "-" => Some(LogTarget::Stream),
        path => Some(LogTarget::File(PathBuf::from(path))),
    }
}

fn level(word: &str) -> Level {
    match word {
        "debug" => Level::Debug,
        "warning" => Level::Warning,
        "error" => Level::Error,
        "critical" => Level::Critical,
        _ => Level::Info,
    }
}

fn log_format(word: &str) -> LogFormat {
    if word == "json" { LogFormat::Json } else { LogFormat::Plain }
}
