//! The access log in the combined form, or as records: one line per request, collected and written once per turn of the
//! loop.
//!
//! Whatever a client sent is escaped, so that it can neither end a line nor a quoted field. The line of a request that
//! was refused ends with the reason, as one more field.

use crate::{access_record, inherited};
use contract::base64;
use contract::record::Writer;
use http::{Outcome, Record, Request};
use std::io::Write;
use std::net::IpAddr;
use sys::clock::{Calendar, unix_seconds};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// More than this is written before the turn ends.
const COLLECTED: usize = 32 * 1024;

/// Lines that wait to be written.
#[derive(Default)]
pub(crate) struct AccessLog {
    /// Who writes the records, where lines are some.
    writer: Option<Writer>,
    lines: Vec<u8>,
    second: i64,
    stamp: String,
}

impl AccessLog {
    /// Of lines, or of records where `writer` is there.
    pub(crate) fn new(writer: Option<Writer>) -> Self {
        Self { writer, ..Self::default() }
    }

    /// Adds the line of one request.
    pub(crate) fn write(&mut self, record: &Record<'_>) {
        match &self.writer {
            Some(writer) => self.lines.extend(access_record::line_of(writer, record)),
            None => self.add(record),
        }
        if self.lines.len() > COLLECTED {
            self.flush();
        }
    }

    /// The line of one request, which is not written.
    pub(crate) fn line_of(&mut self, record: &Record<'_>) -> Vec<u8> {
        self.add(record);
        std::mem::take(&mut self.lines)
    }

    fn add(&mut self, record: &Record<'_>) {
        self.refresh_stamp();
        let lines = &mut self.lines;
        write_host(lines, record);
        lines.extend_from_slice(b" - ");
        let user = record.request.and_then(basic_user);
        escape(lines, user.as_deref().unwrap_or(b"-"));
        lines.push(b' ');
        lines.extend_from_slice(self.stamp.as_bytes());
        lines.extend_from_slice(b" \"");
        escape(lines, if record.raw_line.is_empty() { b"-" } else { record.raw_line });
        let _ = write!(lines, "\" {} {}", record.status, record.body_sent);
        for name in ["referer", "user-agent"] {
            lines.extend_from_slice(b" \"");
            escape(lines, record.request.and_then(|request| header(request, name)).unwrap_or(b"-"));
            lines.push(b'"');
        }
        if let Outcome::Refused(why) = record.outcome {
            let _ = write!(lines, " \"{why}\"");
        }
        lines.push(b'\n');
    }

    /// Writes what was collected. Lines that cannot be written (a full disk) are lost: requests go on.
    pub(crate) fn flush(&mut self) {
        if !self.lines.is_empty() {
            let _ = sys::fd::write_all(inherited::access_log(), &self.lines);
            self.lines.clear();
        }
    }

    fn refresh_stamp(&mut self) {
        let second = unix_seconds();
        if second != self.second {
            let now = Calendar::local(second);
            let Calendar { year, month, day, hour, minute, second: sec, .. } = now;
            let zone = now.zone();
            let month = MONTHS[(month.clamp(1, 12) - 1) as usize];
            self.stamp = format!("[{day:02}/{month}/{year}:{hour:02}:{minute:02}:{sec:02} {zone}]");
            self.second = second;
        }
    }
}

/// Where the request came from, as far as that is known.
pub(crate) fn host(record: &Record<'_>) -> Option<IpAddr> {
    let forwarded = record.request.and_then(Request::forwarded_client);
    forwarded.map(|client| client.ip).or_else(|| record.peer.ip())
}

fn write_host(lines: &mut Vec<u8>, record: &Record<'_>) {
    match host(record) {
        Some(ip) => {
            let _ = write!(lines, "{ip}");
        }
        None => lines.push(b'-'),
    }
}

pub(crate) fn header<'a>(request: &'a Request<'_>, wanted: &str) -> Option<&'a [u8]> {
    let mut headers = request.headers();
    headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes())).map(|(_, value)| value)
}

/// The user that a request names by basic authentication.
pub(crate) fn basic_user(request: &Request<'_>) -> Option<Vec<u8>> {
    let (scheme, encoded) = header(request, "authorization")?.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = base64::decode(encoded.trim_ascii())?;
    decoded.split(|byte| *byte == b':').next().map(<[u8]>::to_vec)
}

fn escape(lines: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'"' | b'\\' => lines.extend_from_slice(&[b'\\', *byte]),
            b' '..=b'~' => lines.push(*byte),
            _ => {
                let _ = write!(lines, "\\x{byte:02x}");
            }
        }
    }
}
