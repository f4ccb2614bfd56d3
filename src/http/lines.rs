//! The lines of a head: where it ends, how each of them does, and how long they may be. What is wrong is found as soon
//! as it has arrived, however the bytes are cut into packets; nothing is looked at twice, but the line that is arriving.

use crate::config::Config;
use crate::refusal::Refusal;
use memchr::memmem::Finder;
use std::sync::LazyLock;

const LINE_TOO_LONG: Refusal = Refusal::new(414, "the request line is longer than limit_request_line");
pub(crate) const FIELD_TOO_LONG: Refusal =
    Refusal::new(431, "a header field is longer than limit_request_field_size");
const BARE_LF: Refusal = Refusal::bad("a line ends in LF without CR");

/// Made once: that costs as much as to search a short head.
static END: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));

/// The end of the head: behind the empty line.
pub(crate) fn find_end(bytes: &[u8], start: usize, from: usize) -> Option<usize> {
    // The end may have begun within the last three bytes that were seen.
    let from = from.saturating_sub(3).max(start);
    END.find(&bytes[from..]).map(|at| from + at + 4)
}

/// What can be said of a head that is not whole: it must not grow without limit, nor wait for an end that cannot come.
pub(crate) fn check_unfinished(
    bytes: &[u8],
    start: usize,
    from: usize,
    config: &Config,
) -> Result<(), Refusal> {
    let last = check(bytes, start, from, config)?;
    // As if its LF came next.
    check_length(bytes.len() + 1 - last, last == start, config)?;
    check_head_length(bytes.len(), config)
}

/// Every line that ends behind `from` is within its limit, and does not end in a bare LF: where the last, unfinished one
/// begins. The first fault in the order of the bytes counts, so that it does not matter how they are cut. (A CR without
/// LF is refused by `httparse`.) What is folded counts as one line, as Gunicorn counts.
pub(crate) fn check(bytes: &[u8], start: usize, from: usize, config: &Config) -> Result<usize, Refusal> {
    let is_folded =
        |line: usize| config.permits.obsolete_folding && matches!(bytes.get(line), Some(b' ' | b'\t'));
    let mut line = line_start(bytes, start, from);
    while line > start && is_folded(line) {
        match line_start(bytes, start, line - 1) {
            before if before > start => line = before,
            _ => break,
        }
    }
    for end in memchr::memchr_iter(b'\n', &bytes[from..]).map(|at| from + at + 1) {
        check_length(end - line, line == start, config)?;
        check_head_length(end, config)?;
        if !bytes[..end].ends_with(b"\r\n") {
            return Err(BARE_LF);
        }
        if line == start || !is_folded(end) {
            line = end;
        }
    }
    Ok(line)
}

/// `length` is that of a line with its LF.
fn check_length(length: usize, is_request_line: bool, config: &Config) -> Result<(), Refusal> {
    match is_request_line {
        true if length > config.longest_line() + 2 => Err(LINE_TOO_LONG),
        false if length > config.request_field_size as usize => Err(FIELD_TOO_LONG),
        _ => Ok(()),
    }
}

fn check_head_length(length: usize, config: &Config) -> Result<(), Refusal> {
    match length > config.longest_head() {
        true => Err(Refusal::new(431, "there are more header fields than limit_request_fields")),
        false => Ok(()),
    }
}

/// Where the line begins that `at` lies in.
fn line_start(bytes: &[u8], start: usize, at: usize) -> usize {
    memchr::memrchr(b'\n', &bytes[start..at]).map_or(start, |end| start + end + 1)
}
