//! The head of a response as it is written: checked, framed, and without what belongs to the connection.
//!
//! | rule                                                             | RFC              |
//! |------------------------------------------------------------------|------------------|
//! | names are tokens, values have no control characters              | 9110, 5.1, 5.5   |
//! | no hop-by-hop fields of the application                          | 9110, 7.6.1      |
//! | one Content-Length, which is kept to                             | 9112, 6.3        |
//! | neither Content-Length nor body with 204, no body with 304, HEAD | 9110, 6.4.1, 8.6 |
//! | 205 has no content, and says so                                 | 9110, 15.3.6     |
//! | unknown length: chunked in HTTP/1.1, else to the end             | 9112, 6.3, 7.1   |

use crate::head::Version;
use crate::token::{decimal, is_token, is_value, lists, trim};
use std::fmt;

/// A head that the application may not send: a sentence for its log.
#[derive(Debug, PartialEq, Eq)]
pub struct BadHead(String);

impl BadHead {
    /// For what is not about one field.
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }

    /// For what comes too late.
    pub(crate) fn sent_already() -> Self {
        Self("the status and headers were sent already".to_owned())
    }
}

impl fmt::Display for BadHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the body of a response is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none, whatever is written.
    Nothing,
    /// So many bytes are still to come.
    Length(u64),
    /// In chunks.
    Chunked,
    /// Until the connection is closed.
    ToTheEnd,
}

/// The head of an interim response with these fields (RFC 8297): what would frame a body is left out.
pub(crate) fn early_hints<'f>(
    fields: impl IntoIterator<Item = (&'f [u8], &'f [u8])>,
) -> Result<Vec<u8>, BadHead> {
    let mut out = b"HTTP/1.1 103 Early Hints\r\n".to_vec();
    let mut head = ResponseHead::default();
    for (name, value) in fields {
        head.field(name, value, &mut out)?;
    }
    out.extend_from_slice(b"\r\n");
    Ok(out)
}

/// A head in the making.
#[derive(Debug, Default)]
pub(crate) struct ResponseHead {
    pub(crate) status: u16,
    pub(crate) length: Option<u64>,
    pub(crate) close: bool,
}

/// Fields that are ours alone to send: about the connection (RFC 9110, 7.6.1), and those that we always send.
const OURS: [&str; 9] = [
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "server",
    "date",
];

impl ResponseHead {
    /// Begins a head in `out`. `status` is what follows the version: `200 OK`.
    pub(crate) fn begin(status: &[u8], common: &[u8], out: &mut Vec<u8>) -> Result<Self, BadHead> {
        let code = parse_status(status).ok_or_else(|| {
            let status = String::from_utf8_lossy(status);
            BadHead(format!("the status must be three digits from 200 on, and a reason: {status:?}"))
        })?;
        out.clear();
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(status);
        if status.len() == 3 {
            out.push(b' ');
        }
        out.extend_from_slice(common);
        Ok(Self { status: code, ..Self::default() })
    }

    /// Adds a field of the application.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Result<(), BadHead> {
        if !is_token(name) {
            return Err(BadHead(format!(
                "the header name {:?} is not a token",
                String::from_utf8_lossy(name)
            )));
        }
        if !is_value(value) {
            let name = String::from_utf8_lossy(name);
            return Err(BadHead(format!("the value of the header {name:?} contains a control character")));
        }
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if is("content-length") {
            return self.note_length(trim(value));
        }
        if is("connection") {
            self.close |= lists(value, "close");
            return Ok(());
        }
        if name.len() <= 18 && OURS.iter().any(|ours| is(ours)) {
            return Ok(());
        }
        for part in [name, b": ", trim(value), b"\r\n"] {
            out.extend_from_slice(part);
        }
        Ok(())
    }

    fn note_length(&mut self, value: &[u8]) -> Result<(), BadHead> {
        let Some(length) = decimal(value) else {
            let text = String::from_utf8_lossy(value);
            return Err(BadHead(format!("Content-Length is not a number: {text:?}")));
        };
        match self.length.replace(length) {
            Some(other) if other != length => {
                Err(BadHead(format!("Content-Length is given twice, as {other} and as {length}")))
            }
            _ => Ok(()),
        }
    }

    /// Ends the head and says how the body is framed. `whole` is the body's length where all of it is known.
    pub(crate) fn seal(&self, request: &Asked, whole: Option<u64>, out: &mut Vec<u8>) -> Framing {
        let length = self.length.or(whole);
        let framing = match (self.status, length) {
            (204, _) => Framing::Nothing,
            (205, _) => self.announce(Some(0), out),
            (304, _) => self.announce(self.length, out),
            // An application that makes no body for HEAD has not said how long it would be.
            (_, _) if request.is_head => self.announce(self.length.or(whole.filter(|whole| *whole > 0)), out),
            (_, Some(length)) => {
                self.announce(Some(length), out);
                Framing::Length(length)
            }
            (_, None) if request.version == Version::Http11 => {
                out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
                Framing::Chunked
            }
            (_, None) => Framing::ToTheEnd,
        };
        let closes = framing == Framing::ToTheEnd || self.close || !request.keep_alive;
        out.extend_from_slice(match (closes, request.version) {
            (true, _) => b"Connection: close\r\n\r\n",
            (false, Version::Http10) => b"Connection: keep-alive\r\n\r\n",
            (false, Version::Http11) => b"\r\n",
        });
        framing
    }

    fn announce(&self, length: Option<u64>, out: &mut Vec<u8>) -> Framing {
        if let Some(length) = length {
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        Framing::Nothing
    }
}

/// What of the request matters for its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) version: Version,
    pub(crate) is_head: bool,
    /// May the connection be kept, as far as the client and we are concerned?
    pub(crate) keep_alive: bool,
}

/// The code of a status such as `200 OK`. Interim responses are not the application's to send this way.
fn parse_status(status: &[u8]) -> Option<u16> {
    let (digits, reason) = status.split_at_checked(3)?;
    let code = u16::try_from(decimal(digits)?).ok()?;
    let well_formed = reason.is_empty() || reason[0] == b' ';
    (well_formed && code >= 200 && is_value(reason)).then_some(code)
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
