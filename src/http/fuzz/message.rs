//! A response as a client reads it (RFC 9112), in the plainest way. It shares no code with `response` and `reply`.

use super::chunks::whole;
use super::oracle::{all, is_token, is_value, trim};

/// A response, as far as it is there.
#[derive(Debug)]
pub(super) struct Message {
    /// What follows the version.
    pub(super) status: Vec<u8>,
    /// Without those that speak of the connection and the body's length.
    pub(super) fields: Vec<(Vec<u8>, Vec<u8>)>,
    connection: Option<Vec<u8>>,
    length: Option<u64>,
    /// The body, without its chunks.
    pub(super) body: Vec<u8>,
    /// Does nothing more belong to it?
    pub(super) whole: bool,
    pub(super) in_chunks: bool,
    /// Is the end of the connection its end?
    pub(super) lasts_to_the_end: bool,
}

impl Message {
    /// Does it say that the connection ends? What it does not say goes by the version of the client.
    pub(super) fn closes(&self, is_1_1: bool) -> bool {
        match self.connection.as_deref() {
            Some(b"close") => true,
            Some(b"keep-alive") => false,
            Some(other) => panic!("Connection: {}", super::shown(other)),
            None => !is_1_1,
        }
    }

    pub(super) fn has_length(&self) -> bool {
        self.length.is_some()
    }

    /// Has it no body, whatever was written?
    pub(super) fn has_no_body(&self, is_head: bool) -> bool {
        is_head || matches!(&self.status[..3], b"204" | b"205" | b"304")
    }
}

/// Takes the next message from `rest`; says what is wrong with it.
pub(super) fn read_message(rest: &mut &[u8], is_head: bool) -> Result<Message, &'static str> {
    let end = rest.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the head does not end")?;
    let (head, body) = (&rest[..end], &rest[end + 4..]);
    let mut lines = lines(head)?.into_iter();
    let line = lines.next().ok_or("no line")?;
    let status = line.strip_prefix(b"HTTP/1.1 ").ok_or("another version")?.to_vec();
    if status.len() < 4 || !status[..3].iter().all(u8::is_ascii_digit) || status[3] != b' ' {
        return Err("the status is malformed");
    }
    let mut fields = Vec::new();
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':').ok_or("a line has no colon")?;
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        if !is_token(name) {
            return Err("a name is no token");
        }
        fields.push((name.to_vec(), value.to_vec()));
    }
    let connection = only(&mut fields, "connection")?;
    let length = only(&mut fields, "content-length")?;
    let coding = only(&mut fields, "transfer-encoding")?;
    let length = length.map(|text| String::from_utf8_lossy(&text).parse()).transpose();
    let length = length.map_err(|_| "Content-Length is no number")?;
    let none = (Vec::new(), true, false, 0);
    let (body, whole, lasts_to_the_end, used) = match (length, coding.as_deref()) {
        (Some(_), Some(_)) => return Err("the body is framed twice"),
        _ if is_head || matches!(&status[..3], b"103" | b"204" | b"304") => none,
        (Some(length), None) => {
            let used = body.len().min(length as usize);
            (body[..used].to_vec(), used as u64 == length, false, used)
        }
        (None, Some(b"chunked")) => match whole(body, 0) {
            Some((content, used)) => (content, true, false, used),
            // Cut off: what the chunks so far held is not compared.
            None => (Vec::new(), false, false, body.len()),
        },
        (None, Some(_)) => return Err("another transfer coding"),
        (None, None) => (body.to_vec(), true, true, body.len()),
    };
    *rest = &rest[end + 4 + used..];
    let in_chunks = coding.is_some() && !is_head;
    Ok(Message { status, fields, connection, length, body, whole, in_chunks, lasts_to_the_end })
}

/// The lines of a head; none has a control character.
fn lines(head: &[u8]) -> Result<Vec<&[u8]>, &'static str> {
    let mut lines = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        let line = if lines.is_empty() || !line.is_empty() { line } else { return Err("an empty line") };
        lines.push(line.strip_suffix(b"\r").unwrap_or(line));
    }
    let ends = head.iter().filter(|byte| **byte == b'\n').count();
    let proper = head.windows(2).filter(|two| two == b"\r\n").count() == ends;
    if proper && lines.iter().all(|line| is_value(line)) {
        Ok(lines)
    } else {
        Err("a control character in the head")
    }
}

/// Takes the field with this name out; it may be there once.
fn only(fields: &mut Vec<(Vec<u8>, Vec<u8>)>, name: &str) -> Result<Option<Vec<u8>>, &'static str> {
    let values = all(fields, name);
    let value = match values[..] {
        [] => None,
        [value] => Some(value.to_vec()),
        _ => return Err("a field of ours is there twice"),
    };
    fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name.as_bytes()));
    Ok(value)
}
