//! The access log in JSON: a record for each request, with the same facts as the combined line, how long it took and
//! waited, and why it was not answered.

use super::facts::{Ending, Facts, word};
use crate::logline::Level;
use crate::record::{self, Log, Writer};
use serde::Serialize;
use std::borrow::Cow;
use std::net::IpAddr;

#[derive(Serialize)]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    method: Cow<'a, str>,
    target: Cow<'a, str>,
    protocol: Cow<'a, str>,
    status: u16,
    bytes: u64,
    duration_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aborted: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// One line with its newline.
pub(super) fn line_of(writer: &Writer, facts: &impl Facts) -> Vec<u8> {
    let text = |text: Cow<'_, [u8]>| String::from_utf8_lossy(&text).into_owned();
    let word = |place| String::from_utf8_lossy(word(facts.line(), place));
    let why = |ending| facts.reason().filter(|_| facts.ending() == ending);
    let fields = Fields {
        client: facts.client(),
        user: facts.user().map(text),
        method: word(0),
        target: word(1),
        protocol: word(2),
        status: facts.status(),
        bytes: facts.bytes(),
        duration_us: facts.duration() / 1000,
        queue_us: facts.queued().map(|queued| queued / 1000),
        referer: facts.field("referer").map(text),
        user_agent: facts.field("user-agent").map(text),
        refused: why(Ending::Refused),
        aborted: why(Ending::Aborted),
        reason: why(Ending::Answered),
    };
    record::record(writer, Log::Access, Level::Info, fields)
}
