//! Target `chunks`: a body in chunks.
//!
//! - What `Decoder` takes, the reading by whole lines below takes as well, and the other way round: the same bytes as
//!   body, the same end.
//! - Pieces do not matter; no step uses more than there is.
//! - The body that came out, sent in other chunks, comes out again.

use super::feed::cuts;
use super::oracle::{is_token, is_value};
use super::{shown, split};
use crate::body::{Decoder, Step};
use crate::config::Config;
use crate::framing::BodyLength;

/// Tries `data`.
pub fn chunks(data: &[u8]) {
    let Some((choice, seed, stream)) = split(data) else { return };
    let limit = [0, 9, 0, 100][usize::from(choice % 4)];
    let config = Config { body: limit, ..Config::default() };
    let expected = whole(stream, limit);
    for ends in [vec![stream.len()], (1..=stream.len()).collect(), cuts(stream.len(), seed)] {
        let decoded = decode(stream, &ends, &config);
        assert_eq!(decoded, expected, "in {} pieces: {}", ends.len(), shown(stream));
    }
    if let Some((body, _)) = expected {
        let again = encode(&body, seed);
        assert_eq!(decode(&again, &[again.len()], &config), Some((body, again.len())), "{}", shown(&again));
    }
}

/// The body and where it ends, by the decoder under test. `None`: refused, or not whole.
fn decode(stream: &[u8], ends: &[usize], config: &Config) -> Option<(Vec<u8>, usize)> {
    let mut decoder = Decoder::new(BodyLength::Chunked);
    let (mut body, mut used) = (Vec::new(), 0);
    for end in ends {
        loop {
            let input = &stream[used..*end];
            match decoder.step(input, body.len() as u64, config).ok()? {
                Step::Data(length) => {
                    body.extend_from_slice(&input[..length]);
                    used += length;
                }
                Step::Framing(length) => used += length,
                Step::Starved => break,
                Step::Done => return Some((body, used)),
            }
        }
        assert_eq!(used, *end, "a decoder leaves nothing behind that it waits with");
    }
    None
}

/// The body in chunks whose sizes look random.
fn encode(body: &[u8], seed: u8) -> Vec<u8> {
    let (mut stream, mut start) = (Vec::new(), 0);
    for end in cuts(body.len(), seed) {
        stream.extend(format!("{:X}\r\n", end - start).bytes());
        stream.extend_from_slice(&body[start..end]);
        stream.extend_from_slice(b"\r\n");
        start = end;
    }
    stream.extend_from_slice(b"0\r\n\r\n");
    stream
}

/// RFC 9112, 7.1, read by whole lines: the body and where it ends.
pub(super) fn whole(stream: &[u8], limit: u64) -> Option<(Vec<u8>, usize)> {
    let (mut rest, mut body, mut extension_bytes) = (stream, Vec::new(), 0);
    loop {
        let line = line(&mut rest)?;
        let digits = line.iter().position(|byte| *byte == b';').unwrap_or(line.len());
        let (size, extensions) = (chunk_size(&line[..digits])?, &line[digits..]);
        // Behind the first semicolon, with the CR.
        extension_bytes += extensions.len();
        if !are_extensions(extensions) || extension_bytes > 8192 {
            return None;
        }
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
        if limit != 0 && body.len() as u64 > limit {
            return None;
        }
    }
    let before_trailers = rest.len();
    loop {
        let line = line(&mut rest)?;
        if before_trailers - rest.len() > 16 * 1024 {
            return None;
        }
        if line.is_empty() {
            return Some((body, stream.len() - rest.len()));
        }
        is_trailer(line).then_some(())?;
    }
}

/// The next line, without its end.
fn line<'s>(rest: &mut &'s [u8]) -> Option<&'s [u8]> {
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    Some(line)
}

/// At most 16 digits, and less than 2^56.
fn chunk_size(digits: &[u8]) -> Option<usize> {
    let plain = digits.len() <= 16 && digits.iter().all(u8::is_ascii_hexdigit);
    let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (plain && size < 1 << 56).then_some(size as usize)
}

fn is_trailer(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let forbidden = ["host", "content-length", "transfer-encoding", "trailer", "authorization", "te"];
    is_token(name)
        && is_value(value)
        && !forbidden.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
}

/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`, the first semicolon right behind the size.
fn are_extensions(mut text: &[u8]) -> bool {
    if matches!(text, [b' ' | b'\t', ..] | [.., b' ' | b'\t']) {
        return false;
    }
    while !text.is_empty() {
        let Some(rest) = blanks(text).strip_prefix(b";") else { return false };
        let Some(rest) = token(blanks(rest)) else { return false };
        let value =
            blanks(rest).strip_prefix(b"=").map(|value| quoted(blanks(value)).or(token(blanks(value))));
        match value {
            None => text = rest,
            Some(None) => return false,
            Some(Some(rest)) => text = rest,
        }
    }
    true
}

/// What is behind blanks.
fn blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()..]
}

/// What is behind a token.
fn token(text: &[u8]) -> Option<&[u8]> {
    let length = (0..text.len()).take_while(|at| is_token(&text[*at..=*at])).count();
    (length > 0).then(|| &text[length..])
}

/// What is behind a quoted string.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        rest = match rest {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] if is_value(&[*byte]) => rest,
            _ => return None,
        };
    }
}
