//! The rows about what is measured, and who is told.

use super::row::{Kind, Row, Section};
use super::{bind, statsd_host};

/// Where Prometheus is used to find such things.
const METRICS_PORT: u16 = 9150;

/// Settings about metrics and health.
pub(super) static METRICS: &[Row] = &[
    Row::new(
        "metrics_bind",
        &["--metrics-bind"],
        Kind::Address("127.0.0.1:9150", |s, text| {
            s.metrics.bind = Some(bind::parse_or(text, METRICS_PORT)?);
            Ok(())
        }),
        "where /metrics (for Prometheus), /live and /ready are answered; its forms are those of bind",
    )
    .within(Section::Metrics),
    Row::new(
        "statsd_host",
        &["--statsd-host"],
        Kind::Address("127.0.0.1:8125", |s, text| {
            s.metrics.statsd_host = Some(statsd_host::parse(text)?);
            Ok(())
        }),
        "statsd server that is told of each request: HOST:PORT, [IPV6]:PORT or unix://PATH",
    )
    .within(Section::Metrics),
    Row::new(
        "statsd_prefix",
        &["--statsd-prefix"],
        Kind::Checked(|s, text| {
            s.metrics.statsd_prefix = on_one_line(text)?;
            Ok(())
        }),
        "what the names of these metrics begin with; a dot is put behind it",
    )
    .within(Section::Metrics),
    Row::new(
        "dogstatsd_tags",
        &["--dogstatsd-tags"],
        Kind::Checked(|s, text| {
            s.metrics.dogstatsd_tags = on_one_line(text)?;
            Ok(())
        }),
        "tags behind each of these metrics, as DogStatsD has them: NAME:VALUE, separated by commas",
    )
    .within(Section::Metrics),
    Row::new(
        "enable_backlog_metric",
        &["--enable-backlog-metric"],
        Kind::Switch(&[], |s, word| s.metrics.enable_backlog_metric = word == "on"),
        "tell the statsd server each second how many connections wait to be accepted",
    )
    .default("off")
    .within(Section::Metrics),
];

fn on_one_line(text: &str) -> Result<String, String> {
    if text.chars().any(|character| character.is_control() || character == '|') {
        return Err(format!("expected text on one line without \"|\", found {text:?}"));
    }
    Ok(text.to_owned())
}
