//! The text that Prometheus reads, in both forms: its own (0.0.4) and OpenMetrics (1.0.0). They differ in the names of
//! counters' families, in units, in the type of what never changes, and in the last line.

use contract::scoreboard::BUCKETS;
use std::fmt::{Display, Write};

/// The form that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Prometheus's own.
    Prometheus,
    /// OpenMetrics.
    OpenMetrics,
}

impl Form {
    /// What `Content-Type` says.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A name and a value.
pub(super) type Label<'a> = (&'a str, &'a str);

/// The text in the making.
#[derive(Debug)]
pub(super) struct Page {
    form: Form,
    text: String,
}

/// The shortest and the longest time that has a bucket of its own: 2^7 and 2^26 microseconds, 0.128 ms and 67 s.
const SHORTEST: usize = 7;
const LONGEST: usize = 26;

impl Page {
    pub(super) fn new(form: Form) -> Self {
        Self { form, text: String::new() }
    }

    /// Something that goes up and down.
    pub(super) fn gauge(&mut self, name: &str, unit: &str, help: &str) {
        self.head(name, "gauge", unit, help);
    }

    /// A gauge that has one value.
    pub(super) fn one(&mut self, name: &str, unit: &str, help: &str, value: impl Display) {
        self.gauge(name, unit, help);
        self.sample(name, &[], value);
    }

    /// Something that is only counted up. Its samples are those of `counted`.
    pub(super) fn counter(&mut self, name: &str, unit: &str, help: &str) {
        match self.form {
            Form::Prometheus => self.head(&format!("{name}_total"), "counter", unit, help),
            Form::OpenMetrics => self.head(name, "counter", unit, help),
        }
    }

    /// A sample of a counter.
    pub(super) fn counted(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        self.sample(&format!("{name}_total"), labels, value);
    }

    /// What never changes.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: &[Label<'_>]) {
        match self.form {
            Form::Prometheus => self.head(&format!("{name}_info"), "gauge", "", help),
            Form::OpenMetrics => self.head(name, "info", "", help),
        }
        self.sample(&format!("{name}_info"), labels, 1);
    }

    /// Times in seconds, of buckets as the scoreboard has them, and their sum in nanoseconds.
    pub(super) fn histogram(&mut self, name: &str, help: &str, (buckets, sum): (&[u64; BUCKETS], u64)) {
        self.head(name, "histogram", "seconds", help);
        let bucket = format!("{name}_bucket");
        let mut below: u64 = buckets[..SHORTEST].iter().sum();
        for (index, count) in buckets.iter().enumerate().take(LONGEST + 1).skip(SHORTEST) {
            below += count;
            let limit = (1u64 << index) as f64 / 1e6;
            self.sample(&bucket, &[("le", &limit.to_string())], below);
        }
        let all: u64 = buckets.iter().sum();
        self.sample(&bucket, &[("le", "+Inf")], all);
        self.sample(&format!("{name}_sum"), &[], sum as f64 / 1e9);
        self.sample(&format!("{name}_count"), &[], all);
    }

    /// One value.
    pub(super) fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        self.text.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{label}=\"{}\"", escaped(value));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{after} {value}");
    }

    fn head(&mut self, name: &str, kind: &str, unit: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        if self.form == Form::OpenMetrics && !unit.is_empty() {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: Form) -> String {
        let mut page = Page::new(form);
        page.info("a", "What.", &[("version", "1\"2\\3\n")]);
        page.counter("b_seconds", "seconds", "Counted.");
        page.counted("b_seconds", &[("x", "1"), ("y", "2")], 1.5);
        page.finish()
    }

    #[test]
    fn both_forms() {
        assert_eq!(
            written(Form::Prometheus),
            "# HELP a_info What.\n# TYPE a_info gauge\na_info{version=\"1\\\"2\\\\3\\n\"} 1\n\
             # HELP b_seconds_total Counted.\n# TYPE b_seconds_total counter\nb_seconds_total{x=\"1\",y=\"2\"} 1.5\n"
        );
        assert_eq!(
            written(Form::OpenMetrics),
            "# HELP a What.\n# TYPE a info\na_info{version=\"1\\\"2\\\\3\\n\"} 1\n\
             # HELP b_seconds Counted.\n# TYPE b_seconds counter\n# UNIT b_seconds seconds\n\
             b_seconds_total{x=\"1\",y=\"2\"} 1.5\n# EOF\n"
        );
    }

    #[test]
    fn each_bucket_has_those_below_it_too() {
        let mut buckets = [0; BUCKETS];
        (buckets[0], buckets[7], buckets[8], buckets[31]) = (1, 2, 3, 4);
        let mut page = Page::new(Form::OpenMetrics);
        page.histogram("t_seconds", "Times.", (&buckets, 1_500_000_000));
        let text = page.finish();
        for line in [
            "t_seconds_bucket{le=\"0.000128\"} 3",
            "t_seconds_bucket{le=\"0.000256\"} 6",
            "t_seconds_bucket{le=\"67.108864\"} 6",
            "t_seconds_bucket{le=\"+Inf\"} 10",
            "t_seconds_sum 1.5",
            "t_seconds_count 10",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} in {text}");
        }
    }
}
