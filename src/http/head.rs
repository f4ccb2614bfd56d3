//! The head of a request: found, parsed by `httparse`, and held to what that lets pass but RFC 9112 does not.
//!
//! The parts are kept as ranges of the bytes they came in, so a head survives being moved while its body arrives.
//!
//! | rule                                                        | RFC 9112       | where                   |
//! |-------------------------------------------------------------|----------------|-------------------------|
//! | one empty line before the request line is passed over       | 2.2            | `Head::parse`           |
//! | CRLF ends a line; a bare LF or CR does not                  | 2.2            | `lines::check`          |
//! | method SP target SP version, each valid                     | 3              | `httparse`, `check_line`|
//! | a later HTTP/1.x is read as HTTP/1.1                        | 2.5 (RFC 9110) | `Head::parse_as_1_1`    |
//! | the target's form fits the method                           | 3.2            | `target`                |
//! | names are tokens with the colon right behind                | 5.1            | `httparse`              |
//! | no obsolete folding                                         | 5.2            | `httparse`              |
//! | values without control characters                           | 5.5 (RFC 9110) | `httparse`              |

use crate::config::Config;
use crate::framing::Framing;
use crate::lines;
use crate::proxy::Via;
use crate::refusal::Refusal;
use crate::target::Target;
use crate::token::is_token;

/// A range of the bytes of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where `part` lies in `whole`.
    pub(crate) fn of(part: &[u8], whole: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        debug_assert!(start + part.len() <= whole.len());
        Self { start: start as u32, end: (start + part.len()) as u32 }
    }

    /// The bytes of `whole` in this range.
    pub(crate) fn get(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The version of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}

/// A name and a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// A parsed head. Used again and again, so that its list of fields is allocated once.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) line: Span,
    pub(crate) method: Span,
    pub(crate) target: Span,
    pub(crate) parts: Target,
    pub(crate) version: Version,
    pub(crate) fields: Vec<Field>,
    pub(crate) framing: Framing,
    pub(crate) via: Via,
}

/// How far a head has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is whole, and this long.
    Whole(usize),
    /// It is whole, and so long, but its parts lie in these bytes.
    Rewritten(usize, Vec<u8>),
    /// There is more to come; everything up to here was looked at.
    Partial(usize),
}

/// Enough for the heads of ordinary requests without an allocation.
const FIELDS_ON_STACK: usize = 100;

impl Head {
    /// Parses the head at the beginning of `bytes`, the first `seen` of which were looked at before. `trusted`: it is
    /// a trusted proxy that sent it.
    pub(crate) fn parse(
        &mut self,
        bytes: &[u8],
        seen: usize,
        config: &Config,
        trusted: bool,
    ) -> Result<Progress, Refusal> {
        let start = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
        if bytes[start..].starts_with(b"\r\n") {
            return Err(Refusal::bad("more than one empty line before the request"));
        }
        let from = seen.max(start);
        let Some(end) = lines::find_end(bytes, start, from) else {
            lines::check_unfinished(bytes, start, from, config)?;
            return Ok(Progress::Partial(bytes.len()));
        };
        lines::check(&bytes[..end], start, from, config)?;
        if let Some(rewritten) = config.permits.rewrite(&bytes[start..end]) {
            self.parse_whole(&rewritten, 0, config)?;
            self.via = Via::read(self, &rewritten, &config.trust, trusted)?;
            return Ok(Progress::Rewritten(end, rewritten));
        }
        self.parse_whole(&bytes[..end], start, config)?;
        self.via = Via::read(self, &bytes[..end], &config.trust, trusted)?;
        Ok(Progress::Whole(end))
    }

    fn parse_whole(&mut self, bytes: &[u8], start: usize, config: &Config) -> Result<(), Refusal> {
        let line_end = memchr::memchr(b'\r', &bytes[start..]).map_or(bytes.len(), |length| start + length);
        self.line = Span::of(&bytes[start..line_end], bytes);
        let most = config.request_fields as usize;
        if most <= FIELDS_ON_STACK {
            let mut fields = [const { std::mem::MaybeUninit::uninit() }; FIELDS_ON_STACK];
            self.parse_fields(bytes, start, &mut fields[..most], config)
        } else {
            self.parse_fields(bytes, start, &mut vec![std::mem::MaybeUninit::uninit(); most], config)
        }
    }

    fn parse_fields<'b>(
        &mut self,
        bytes: &'b [u8],
        start: usize,
        room: &mut [std::mem::MaybeUninit<httparse::Header<'b>>],
        config: &Config,
    ) -> Result<(), Refusal> {
        let mut request = httparse::Request::new(&mut []);
        let line = self.line.get(bytes);
        match request.parse_with_uninit_headers(&bytes[start..], room) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => {
                return Err(Refusal::bad("the head ends in the middle of a line"));
            }
            Err(httparse::Error::Version) if names_a_later_minor(line) => {
                return self.parse_as_1_1(bytes, start, config);
            }
            Err(error) => return Err(refusal_of(error, line)),
        }
        let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
        self.version = if request.version == Some(0) { Version::Http10 } else { Version::Http11 };
        check_line(method, target, config.permits.unconventional_method)?;
        (self.method, self.target) = (Span::of(method.as_bytes(), bytes), Span::of(target.as_bytes(), bytes));
        self.fields.clear();
        for field in request.headers.iter() {
            let (name, value) = (Span::of(field.name.as_bytes(), bytes), Span::of(field.value, bytes));
            self.fields.push(Field { name, value });
        }
        self.check_fields(bytes.len(), config)?;
        self.framing = Framing::of(request.headers, self.version, config)?;
        self.parts = Target::parse(method, target, bytes)?;
        self.use_authority_of_target();
        Ok(())
    }

    /// RFC 9110, 2.5: a later minor version is read as the last one that we know.
    fn parse_as_1_1(&mut self, bytes: &[u8], start: usize, config: &Config) -> Result<(), Refusal> {
        let mut known = bytes.to_vec();
        known[self.line.end as usize - 1] = b'1';
        self.parse_whole(&known, start, config)
    }

    /// Has any field's name an underscore? Hardly any has, but values often do (`x86_64`): so all of the head, which lies
    /// in `bytes`, is searched, and of each line no more than the first find is looked at.
    pub(crate) fn has_name_with_underscore(&self, bytes: &[u8]) -> bool {
        let (mut from, mut rest) = (0, self.fields.as_slice());
        while let Some(at) = memchr::memchr(b'_', &bytes[from..]).map(|at| from + at) {
            let next = rest.iter().position(|field| field.name.start as usize > at);
            let (before, behind) = rest.split_at(next.unwrap_or(rest.len()));
            if before.last().is_some_and(|field| at < field.name.end as usize) {
                return true;
            }
            let Some(field) = behind.first() else { return false };
            (from, rest) = (field.name.start as usize, behind);
        }
        false
    }

    /// The limit is for a line with all its blanks and its end, as Gunicorn counts: from one name to the next.
    fn check_fields(&self, length: usize, config: &Config) -> Result<(), Refusal> {
        let ends = self.fields.iter().skip(1).map(|field| field.name.start as usize).chain([length - 2]);
        let mut lines = self.fields.iter().zip(ends).map(|(field, end)| end - field.name.start as usize);
        if lines.any(|line| line > config.request_field_size as usize) {
            Err(lines::FIELD_TOO_LONG)
        } else {
            Ok(())
        }
    }

    /// RFC 9112, 3.2.2: the host of an absolute target counts, not that of the Host field.
    fn use_authority_of_target(&mut self) {
        if let (Some(authority), Some(host)) = (self.parts.authority, self.framing.host) {
            self.fields[host].value = authority;
        }
    }
}

fn refusal_of(error: httparse::Error, line: &[u8]) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => {
            Refusal::new(431, "there are more header fields than limit_request_fields")
        }
        httparse::Error::Version if names_another_version(line) => {
            Refusal::new(505, "this server speaks HTTP/1.1 and HTTP/1.0")
        }
        httparse::Error::Version => Refusal::bad("the HTTP version is malformed"),
        httparse::Error::HeaderName => Refusal::bad("a header name is malformed"),
        httparse::Error::HeaderValue => Refusal::bad("a header value contains a control character"),
        httparse::Error::Token => Refusal::bad("the request line is malformed"),
        _ => Refusal::bad("a line of the head is malformed"),
    }
}

/// A well-formed version that is not ours, at the end of a request line of three parts.
fn names_another_version(line: &[u8]) -> bool {
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [_, _, version] = parts.as_slice() else { return false };
    matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// HTTP/1.2 to HTTP/1.9 at the end of a request line.
fn names_a_later_minor(line: &[u8]) -> bool {
    matches!(line, [.., b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'])
}

/// Methods as Gunicorn takes them, and targets of visible ASCII (RFC 9112, 3.2; RFC 3986).
fn check_line(method: &str, target: &str, any_method: bool) -> Result<(), Refusal> {
    if !is_token(method.as_bytes()) || !(any_method || is_conventional(method)) {
        return Err(Refusal::bad("the method is malformed"));
    }
    if target.is_empty() || !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Err(Refusal::bad("the request target contains a character that must be percent-encoded"));
    }
    Ok(())
}

fn is_conventional(method: &str) -> bool {
    (3..=20).contains(&method.len()) && method.bytes().all(|byte| !byte.is_ascii_lowercase() && byte != b'#')
}
