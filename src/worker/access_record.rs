//! The access log in JSON: a record for each request, with the same facts as the combined line and its duration.

use crate::access::{basic_user, header, host};
use contract::logline::Level;
use contract::record::{self, Log, Writer};
use http::{Outcome, Record};
use serde::Serialize;
use std::borrow::Cow;
use std::net::IpAddr;

#[derive(Serialize)]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    method: Cow<'a, str>,
    target: Cow<'a, str>,
    protocol: Cow<'a, str>,
    status: u16,
    bytes: u64,
    duration_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    referer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
}

/// One line with its newline.
pub(crate) fn line_of(writer: &Writer, record: &Record<'_>) -> Vec<u8> {
    let mut words = record.raw_line.splitn(3, |byte| *byte == b' ').map(String::from_utf8_lossy);
    let mut word = || words.next().unwrap_or_default();
    let field = |name| record.request.and_then(|request| header(request, name)).map(String::from_utf8_lossy);
    let user = record.request.and_then(basic_user);
    let fields = Fields {
        client: host(record),
        user: user.as_deref().map(String::from_utf8_lossy),
        method: word(),
        target: word(),
        protocol: word(),
        status: record.status,
        bytes: record.body_sent,
        duration_us: record.app_ns / 1000,
        referer: field("referer"),
        user_agent: field("user-agent"),
        refused: if let Outcome::Refused(why) = record.outcome { Some(why) } else { None },
    };
    record::record(writer, Log::Access, Level::Info, fields)
}
