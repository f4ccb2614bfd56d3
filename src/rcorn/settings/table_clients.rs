//! The rows about clients: how long they may take, and how much they may send.

use super::row::{Kind, Row, Section};
use super::table::small;

/// The largest limit in bytes of one part of a request's head.
const MOST_BYTES: u64 = 65_536;
/// The most header fields, as in Gunicorn.
const MOST_FIELDS: u64 = 32_768;

/// Settings about clients.
pub(super) static CLIENTS: &[Row] = &[
    // Longer than the 60 s for which load balancers keep a connection: who closes first must not be the server.
    Row::new(
        "keep_alive",
        &["--keep-alive"],
        Kind::Duration(|s, time| s.keep_alive = time),
        "time that a quiet connection is kept; 0: not at all",
    )
    .alias("keepalive")
    .default("75")
    .within(Section::Clients),
    Row::new(
        "header_timeout",
        &["--header-timeout"],
        Kind::Duration(|s, time| s.header_timeout = time),
        "time that a client may take for the head of a request; 0: no limit",
    )
    .default("30")
    .within(Section::Clients),
    Row::new(
        "body_timeout",
        &["--body-timeout"],
        Kind::Duration(|s, time| s.body_timeout = time),
        "time that a client may take for the body, plus 1 s for each KiB of it; 0: no limit",
    )
    .default("30")
    .within(Section::Clients),
    Row::new(
        "write_timeout",
        &["--write-timeout"],
        Kind::Duration(|s, time| s.write_timeout = time),
        "time that a client may take nothing of a response; 0: no limit",
    )
    .default("30")
    .within(Section::Clients),
    Row::new(
        "limit_request_line",
        &["--limit-request-line"],
        Kind::Number(0, MOST_BYTES, |s, n| s.limit_request_line = limit(n, MOST_BYTES)),
        "bytes of a request line; 0: as many as possible, 65536",
    )
    .default("4094")
    .within(Section::Clients),
    Row::new(
        "limit_request_fields",
        &["--limit-request-fields"],
        Kind::Number(0, MOST_FIELDS, |s, n| s.limit_request_fields = limit(n, MOST_FIELDS)),
        "header fields of a request; 0: as many as possible, 32768",
    )
    .default("100")
    .within(Section::Clients),
    Row::new(
        "limit_request_field_size",
        &["--limit-request-field-size"],
        Kind::Number(0, MOST_BYTES, |s, n| s.limit_request_field_size = limit(n, MOST_BYTES)),
        "bytes of a header field; 0: as many as possible, 65536",
    )
    .default("8190")
    .within(Section::Clients),
    Row::new(
        "limit_request_body",
        &["--limit-request-body"],
        Kind::Number(0, i64::MAX as u64, |s, n| s.limit_request_body = n),
        "bytes of a request's body; 0: no limit",
    )
    .default("0")
    .within(Section::Clients),
    Row::new(
        "tmp_upload_dir",
        &["--tmp-upload-dir"],
        Kind::Path(|s, path| s.tmp_upload_dir = Some(path)),
        "directory for large bodies; else $TMPDIR, /var/tmp or /tmp",
    )
    .within(Section::Clients),
    Row::new(
        "sendfile",
        &["--sendfile"],
        Kind::Switch(&[], |s, word| s.sendfile = word == "on"),
        "have the kernel send the files that the application wraps; --no-sendfile: do not",
    )
    .negated_by("--no-sendfile")
    .default("on")
    .moved_by("SENDFILE", "{}")
    .within(Section::Clients),
];

/// Nought means as many as possible: a head without any limit would let one client take all memory.
fn limit(number: u64, most: u64) -> u32 {
    small(if number == 0 { most } else { number })
}
