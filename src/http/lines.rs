//! The lines of a head: where it ends, how each of them does, and how long they may be. What is wrong is found as soon
//! as it has arrived, however the bytes are cut into packets; nothing is looked at twice, but the line that is arriving.

use crate::config::Config;
use crate::refusal::Refusal;

pub(crate) const LINE_TOO_LONG: Refusal =
    Refusal::new(414, "the request line is longer than limit_request_line");
pub(crate) const FIELD_TOO_LONG: Refusal =
    Refusal::new(431, "a header field is longer than limit_request_field_size");
const BARE_LF: Refusal = Refusal::bad("a line ends in LF without CR");

/// The end of the head: behind the empty line.
pub(crate) fn find_end(bytes: &[u8], start: usize, from: usize) -> Option<usize> {
    // The end may have begun within the last three bytes that were seen.
    let from = from.saturating_sub(3).max(start);
    memchr::memmem::find(&bytes[from..], b"\r\n\r\n").map(|at| from + at + 4)
}

/// Every LF has a CR before it. (A CR without LF is refused by `httparse`.)
pub(crate) fn end_properly(bytes: &[u8], from: usize, end: usize) -> Result<(), Refusal> {
    for at in memchr::memchr_iter(b'\n', &bytes[from..end]) {
        if (from + at).checked_sub(1).and_then(|before| bytes.get(before)) != Some(&b'\r') {
            return Err(BARE_LF);
        }
    }
    Ok(())
}

/// What can be said of a head that is not whole: it must not grow without limit, nor wait for an end that cannot come.
pub(crate) fn check_unfinished(
    bytes: &[u8],
    start: usize,
    from: usize,
    config: &Config,
) -> Result<(), Refusal> {
    end_properly(bytes, from, bytes.len())?;
    let last = check_lengths(bytes, start, from, config)?;
    let unfinished = bytes.len() - last;
    if last == start && unfinished > config.longest_line() + 1 {
        return Err(LINE_TOO_LONG);
    }
    if last > start && unfinished >= config.request_field_size as usize {
        return Err(FIELD_TOO_LONG);
    }
    if bytes.len() > config.longest_head() {
        return Err(Refusal::new(431, "there are more header fields than limit_request_fields"));
    }
    Ok(())
}

/// Every line that ends behind `from` is within its limit: where the last, unfinished one begins. What is folded counts
/// as one line, as Gunicorn counts.
pub(crate) fn check_lengths(
    bytes: &[u8],
    start: usize,
    from: usize,
    config: &Config,
) -> Result<usize, Refusal> {
    let is_folded =
        |line: usize| config.permits.obsolete_folding && matches!(bytes.get(line), Some(b' ' | b'\t'));
    let mut line = line_start(bytes, start, from);
    while line > start && is_folded(line) {
        match line_start(bytes, start, line - 1) {
            before if before > start => line = before,
            _ => break,
        }
    }
    for at in memchr::memchr_iter(b'\n', &bytes[from..]) {
        let end = from + at + 1;
        if line == start && end - line > config.longest_line() + 2 {
            return Err(LINE_TOO_LONG);
        }
        if line > start && end - line > config.request_field_size as usize {
            return Err(FIELD_TOO_LONG);
        }
        if line == start || !is_folded(end) {
            line = end;
        }
    }
    Ok(line)
}

/// Where the line begins that `at` lies in.
fn line_start(bytes: &[u8], start: usize, at: usize) -> usize {
    memchr::memrchr(b'\n', &bytes[start..at]).map_or(start, |end| start + end + 1)
}
