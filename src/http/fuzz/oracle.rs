//! A head read a second time, in the plainest way there is: split into lines, lines into parts, each rule one check.
//! It shares no code with `head`, `framing` and `leniency`, and is only asked about heads that those have taken.

use crate::config::Config;
use crate::framing::BodyLength;
use crate::head::Version;
use crate::leniency::Permits;

/// What a head says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) version: Version,
    /// Names and values in their order, without what comes after `drop_underscores`.
    pub(super) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) length: BodyLength,
    pub(super) keep_alive: bool,
}

/// Reads the head `wire`, with its empty line; says which rule it breaks.
pub(super) fn read(wire: &[u8], config: &Config) -> Result<Read, &'static str> {
    let wire = wire.strip_prefix(b"\r\n").unwrap_or(wire);
    let lines = lines(wire).ok_or("its lines do not end in CRLF, the last one being empty")?;
    ensure(
        lines.len() <= 1 + config.request_fields as usize || config.permits.obsolete_folding,
        "many lines",
    )?;
    ensure(lines[0].len() <= config.longest_line(), "the line is too long")?;
    let (method, target, version) = request_line(lines[0], &config.permits)?;
    let mut fields = fields(&lines[1..], config)?;
    let length = body_length(&fields, version, config)?;
    let keep_alive = persists(&fields, version);
    check_host(&mut fields, &target, version)?;
    ensure(all(&fields, "content-type").len() <= 1, "Content-Type is repeated")?;
    ensure(all(&fields, "expect").iter().all(|value| is(value, "100-continue")), "another expectation")?;
    fields.retain(|(name, _)| !name.contains(&b'_'));
    Ok(Read { method, target, version, fields, length, keep_alive })
}

fn ensure(holds: bool, why: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(why) }
}

fn is(text: &[u8], other: &str) -> bool {
    text.eq_ignore_ascii_case(other.as_bytes())
}

/// The lines in front of the empty one, with nothing behind that. No line has a CR or LF of its own.
fn lines(wire: &[u8]) -> Option<Vec<&[u8]>> {
    let text = wire.strip_suffix(b"\r\n\r\n")?;
    let mut lines = Vec::new();
    let mut start = 0;
    for end in 0..=text.len() {
        if end == text.len() || text[end..].starts_with(b"\r\n") {
            lines.push(&text[start.min(end)..end]);
            start = end + 2;
        }
    }
    let clean = |line: &&[u8]| !line.is_empty() && !line.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    lines.iter().all(clean).then_some(lines)
}

/// RFC 9110, 5.6.2.
pub(super) fn is_token(text: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_tchar)
}

/// RFC 9110, 5.5.
pub(super) fn is_value(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}

/// RFC 9110, 5.6.3.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    match text {
        [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] => trim(rest),
        same => same,
    }
}

fn request_line(line: &[u8], permits: &Permits) -> Result<(String, String, Version), &'static str> {
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts[..] else { return Err("the request line has not three parts") };
    ensure(is_token(method), "the method is no token")?;
    let visible = |byte: &u8| matches!(byte, b'!'..=b'~') && *byte != b'#';
    ensure(!target.is_empty() && target.iter().all(visible), "the target has other characters")?;
    let [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] = version else {
        return Err("the version is malformed");
    };
    ensure(*major == b'1' || permits.unconventional_version, "the version is not ours")?;
    let old = *major == b'0' || *major == b'1' && *minor == b'0';
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (method, target) = (text(method), text(target));
    let method = if permits.casefold_method { method.to_ascii_uppercase() } else { method };
    let odd =
        method.len() < 3 || method.len() > 20 || method.contains(|c: char| c.is_lowercase() || c == '#');
    ensure(!odd || permits.unconventional_method, "the method is unconventional")?;
    let path_or_url =
        target.starts_with('/') || target.contains("://") || target == "*" && method == "OPTIONS";
    ensure(path_or_url && method != "CONNECT", "the target does not fit the method")?;
    Ok((method, target, if old { Version::Http10 } else { Version::Http11 }))
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn fields(lines: &[&[u8]], config: &Config) -> Result<Fields, &'static str> {
    let mut fields: Fields = Vec::new();
    let mut length = 0;
    for line in lines {
        ensure(is_value(line), "a line has a control character")?;
        let folded = matches!(line[0], b' ' | b'\t');
        length = if folded { length + line.len() + 2 } else { line.len() + 2 };
        ensure(length <= config.request_field_size as usize, "a field is too long")?;
        if folded {
            let before = fields.last_mut().filter(|_| config.permits.obsolete_folding);
            let (_, value) = before.ok_or("a line begins with a blank")?;
            value.push(b' ');
            value.extend_from_slice(trim(line));
            *value = trim(value).to_vec();
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or("a field has no colon")?;
        let name = if config.permits.header_spaces { trim(&line[..colon]) } else { &line[..colon] };
        ensure(is_token(name), "a name is no token")?;
        fields.push((name.to_vec(), trim(&line[colon + 1..]).to_vec()));
    }
    ensure(fields.len() <= config.request_fields as usize, "there are too many fields")?;
    Ok(fields)
}

/// The values of all fields with this name.
pub(super) fn all<'f>(fields: &'f [(Vec<u8>, Vec<u8>)], name: &str) -> Vec<&'f [u8]> {
    fields.iter().filter(|(other, _)| is(other, name)).map(|(_, value)| value.as_slice()).collect()
}

/// RFC 9112, 6.3, without anything that two readers could read differently.
fn body_length(fields: &Fields, version: Version, config: &Config) -> Result<BodyLength, &'static str> {
    match (&all(fields, "content-length")[..], &all(fields, "transfer-encoding")[..]) {
        ([], []) => Ok(BodyLength::None),
        ([length], []) => {
            let digits = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
            let number: Option<u64> = String::from_utf8_lossy(length).parse().ok();
            let number = number.filter(|_| digits).ok_or("Content-Length is no number")?;
            ensure(config.body == 0 || number <= config.body, "the body is too large")?;
            Ok(BodyLength::Exactly(number))
        }
        ([], [coding]) => {
            ensure(
                version == Version::Http11 && is(coding, "chunked"),
                "another transfer coding, or in 1.0",
            )?;
            Ok(BodyLength::Chunked)
        }
        _ => Err("the body is framed twice"),
    }
}

fn persists(fields: &Fields, version: Version) -> bool {
    let values = all(fields, "connection");
    let says = |what: &str| {
        values.iter().flat_map(|value| value.split(|byte| *byte == b',')).any(|option| is(trim(option), what))
    };
    !says("close") && (version == Version::Http11 || says("keep-alive"))
}

/// One Host, which the host of an absolute target replaces (RFC 9112, 3.2).
fn check_host(fields: &mut Fields, target: &str, version: Version) -> Result<(), &'static str> {
    let hosts = all(fields, "host");
    let count = hosts.len();
    ensure(count <= 1 && (count == 1 || version == Version::Http10), "not exactly one Host")?;
    let outside =
        |byte: &u8| matches!(byte, b' ' | b'\t' | b'/' | b'\\' | b'@' | b'?' | b'#' | b'"' | b'<' | 0x80..);
    ensure(!hosts.iter().any(|host| host.iter().any(outside)), "the Host is none")?;
    if let (false, Some((_, rest))) = (target.starts_with('/') || target == "*", target.split_once("://")) {
        let authority = rest.split(['/', '?']).next().unwrap_or_default().as_bytes();
        ensure(!authority.is_empty() && !authority.iter().any(outside), "the target has no host")?;
        for (name, value) in fields {
            if is(name, "host") {
                *value = authority.to_vec();
            }
        }
    }
    Ok(())
}
