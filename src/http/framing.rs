//! What the fields of a head say about the message: how long its body is, and what becomes of the connection.
//!
//! | rule                                                        | RFC                    |
//! |-------------------------------------------------------------|------------------------|
//! | exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0 | 9112, 3.2              |
//! | Content-Length: one field, digits only, no overflow         | 9110, 8.6; 9112, 6.3   |
//! | never Content-Length beside Transfer-Encoding               | 9112, 6.3 (3)          |
//! | Transfer-Encoding: `chunked` alone, once, never in HTTP/1.0 | 9112, 6.1, 6.3 (4)     |
//! | Expect: 100-continue or 417                                 | 9110, 10.1.1           |
//! | Connection: a list of options without regard to case        | 9110, 7.6.1; 9112, 9.3 |
//! | one Content-Type                                            | 9110, 5.3              |

use crate::config::Config;
use crate::head::Version;
use crate::refusal::Refusal;
use crate::token::{is_host, list, trim};
use httparse::Header;

/// How the body of a request is delimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// There is none.
    #[default]
    None,
    /// This many bytes follow (nought where the client said so).
    Exactly(u64),
    /// Chunks follow.
    Chunked,
}

/// What the fields say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framing {
    pub(crate) body: BodyLength,
    pub(crate) keep_alive: bool,
    pub(crate) expects_continue: bool,
    /// Which field is the Host.
    pub(crate) host: Option<usize>,
}

/// What was met on the way through the fields.
#[derive(Default)]
struct Met<'h> {
    host: Option<usize>,
    length: Option<&'h [u8]>,
    coding: Option<&'h [u8]>,
    content_type: bool,
    expects_continue: bool,
    close: bool,
    keep: bool,
}

impl Framing {
    pub(crate) fn of(fields: &[Header<'_>], version: Version, config: &Config) -> Result<Self, Refusal> {
        let mut met = Met::default();
        for (index, field) in fields.iter().enumerate() {
            met.meet(index, field)?;
        }
        if version == Version::Http11 && met.host.is_none() {
            return Err(Refusal::bad("the Host field is missing"));
        }
        let persistent = match version {
            Version::Http11 => !met.close,
            Version::Http10 => met.keep && !met.close,
        };
        Ok(Self {
            body: met.body_length(version, config)?,
            keep_alive: persistent,
            expects_continue: met.expects_continue && version == Version::Http11,
            host: met.host,
        })
    }
}

impl<'h> Met<'h> {
    /// Names are told apart by their length first: most fields are none of these.
    fn meet(&mut self, index: usize, field: &Header<'h>) -> Result<(), Refusal> {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        match field.name.len() {
            4 if is("host") => self.meet_host(index, field.value),
            6 if is("expect") => self.meet_expect(field.value),
            10 if is("connection") => {
                self.meet_connection(field.value);
                Ok(())
            }
            12 if is("content-type") => {
                let repeated = std::mem::replace(&mut self.content_type, true);
                if repeated { Err(Refusal::bad("Content-Type is repeated")) } else { Ok(()) }
            }
            14 if is("content-length") => match self.length.replace(field.value) {
                Some(_) => Err(Refusal::bad("Content-Length is repeated")),
                None => Ok(()),
            },
            17 if is("transfer-encoding") => match self.coding.replace(field.value) {
                Some(_) => Err(Refusal::bad("Transfer-Encoding is repeated")),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn meet_host(&mut self, index: usize, value: &[u8]) -> Result<(), Refusal> {
        if self.host.replace(index).is_some() {
            return Err(Refusal::bad("the Host field is repeated"));
        }
        if is_host(trim(value)) { Ok(()) } else { Err(Refusal::bad("the Host field is malformed")) }
    }

    fn meet_expect(&mut self, value: &[u8]) -> Result<(), Refusal> {
        self.expects_continue = value.eq_ignore_ascii_case(b"100-continue");
        if self.expects_continue {
            Ok(())
        } else {
            Err(Refusal::new(417, "the only expectation that can be met is 100-continue"))
        }
    }

    fn meet_connection(&mut self, value: &[u8]) {
        for option in list(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn body_length(&self, version: Version, config: &Config) -> Result<BodyLength, Refusal> {
        match (self.length, self.coding) {
            (None, None) => Ok(BodyLength::None),
            (Some(_), Some(_)) => Err(Refusal::bad("Content-Length beside Transfer-Encoding")),
            (None, Some(_)) if version == Version::Http10 => {
                Err(Refusal::bad("Transfer-Encoding in a message of HTTP/1.0"))
            }
            (None, Some(coding)) => chunked(coding),
            (Some(length), None) => {
                let length = decimal(length).ok_or(Refusal::bad("Content-Length is not a number"))?;
                if config.body != 0 && length > config.body {
                    return Err(TOO_LARGE);
                }
                Ok(BodyLength::Exactly(length))
            }
        }
    }
}

/// The body is over the limit.
pub(crate) const TOO_LARGE: Refusal = Refusal::new(413, "the body is larger than limit_request_body");

fn chunked(coding: &[u8]) -> Result<BodyLength, Refusal> {
    if trim(coding).eq_ignore_ascii_case(b"chunked") {
        return Ok(BodyLength::Chunked);
    }
    let known = |coding: &[u8]| {
        [&b"chunked"[..], b"identity", b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress"]
            .iter()
            .any(|name| coding.eq_ignore_ascii_case(name))
    };
    let chunks = list(coding).filter(|coding| coding.eq_ignore_ascii_case(b"chunked")).count();
    let last = list(coding).last().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    if chunks == 1 && last || list(coding).any(|coding| !known(coding)) && chunks < 2 {
        return Err(Refusal::new(501, "chunked is the only transfer coding that is implemented"));
    }
    Err(Refusal::bad("Transfer-Encoding does not end in a single chunked"))
}

/// Digits, and no more than fit (RFC 9110, 8.6: a recipient must guard against overflow).
fn decimal(text: &[u8]) -> Option<u64> {
    let digit = |number: u64, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    };
    if text.is_empty() {
        None
    } else {
        text.iter().try_fold(0, digit).filter(|length| *length <= i64::MAX as u64)
    }
}
