//! The opening handshake: is a request one, is it right, and what is answered (RFC 6455, 4.2).
//!
//! | rule                                                               | RFC              |
//! |--------------------------------------------------------------------|------------------|
//! | HTTP/1.0 cannot upgrade: its Upgrade is passed over                | 9110, 7.8        |
//! | GET without a body, `Upgrade: websocket`, `Connection: upgrade`    | 6455, 4.2.1      |
//! | one Sec-WebSocket-Key of 16 bytes                                  | 6455, 4.2.1 (5)  |
//! | one Sec-WebSocket-Version, 13, else 426                            | 6455, 4.2.1, 4.4 |
//! | the answer has at most one subprotocol, of those that were offered | 6455, 4.2.2 (5)  |
//!
//! Whether the Origin is welcome is for the application to say.

use super::Config;
use super::negotiate::{self, Agreement};
use super::session::Session;
use crate::framing::BodyLength;
use crate::head::Version;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::response::{BadHead, ResponseHead};
use crate::token::{is_token, list, lists};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest, Sha1};

/// Its tables are made once, by the compiler.
static LAX: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);
/// RFC 6455, 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What a request is to the websocket protocol.
#[derive(Debug)]
pub enum Handshake {
    /// An ordinary request.
    No,
    /// A client that wants to open a websocket.
    Offered(Offer),
    /// A client that wants to, but not in the right way. `Reply::explain` answers it.
    Refused(Refusal),
}

impl Handshake {
    /// Reads the head of `request`.
    pub fn read(request: &Request<'_>) -> Self {
        match Fields::read(request) {
            None => Self::No,
            Some(fields) => match fields.offer(request) {
                Ok(offer) => Self::Offered(offer),
                Err(refusal) => Self::Refused(refusal),
            },
        }
    }
}

/// The fields that matter.
#[derive(Default)]
struct Fields<'r> {
    upgrade: bool,
    connection: bool,
    key: Single<'r>,
    version: Single<'r>,
    protocols: Vec<&'r [u8]>,
    extensions: Vec<&'r [u8]>,
}

/// A field that may be there once.
#[derive(Default)]
struct Single<'r> {
    value: &'r [u8],
    count: usize,
}

impl<'r> Single<'r> {
    fn meet(&mut self, value: &'r [u8]) {
        self.value = value;
        self.count += 1;
    }
}

impl<'r> Fields<'r> {
    /// `None` when the request does not ask for a websocket.
    fn read(request: &Request<'r>) -> Option<Self> {
        if request.version() == Version::Http10 {
            return None;
        }
        let mut fields = Self::default();
        for (name, value) in request.headers() {
            fields.meet(name, value);
        }
        // With a key, somebody on the way has lost the Connection field, and wants to be told.
        (fields.upgrade && (fields.connection || fields.key.count > 0)).then_some(fields)
    }

    /// Names are told apart by their length first: most fields are none of these.
    fn meet(&mut self, name: &[u8], value: &'r [u8]) {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        match name.len() {
            7 if is("upgrade") => self.upgrade |= lists(value, "websocket"),
            10 if is("connection") => self.connection |= lists(value, "upgrade"),
            17 if is("sec-websocket-key") => self.key.meet(value),
            21 if is("sec-websocket-version") => self.version.meet(value),
            22 if is("sec-websocket-protocol") => self.protocols.push(value),
            24 if is("sec-websocket-extensions") => self.extensions.push(value),
            _ => {}
        }
    }

    fn offer(&self, request: &Request<'_>) -> Result<Offer, Refusal> {
        let ensure = |holds: bool, why| if holds { Ok(()) } else { Err(Refusal::bad(why)) };
        ensure(request.method() == "GET", "a websocket is opened with GET")?;
        let no_body = matches!(request.head.framing.body, BodyLength::None | BodyLength::Exactly(0));
        ensure(no_body, "the opening of a websocket has no body")?;
        ensure(self.connection, "the Connection field does not list upgrade: does a proxy not pass it on?")?;
        ensure(self.version.count == 1, "there is not exactly one Sec-WebSocket-Version")?;
        if self.version.value != b"13" {
            return Err(Refusal::new(426, "the websocket version of this server is 13"));
        }
        ensure(self.key.count == 1, "there is not exactly one Sec-WebSocket-Key")?;
        ensure(is_key(self.key.value), "the Sec-WebSocket-Key is not 16 bytes in base64")?;
        let accept = STANDARD.encode(Sha1::new().chain_update(self.key.value).chain_update(GUID).finalize());
        Ok(Offer { accept, subprotocols: self.subprotocols()?, deflate: self.compression()? })
    }

    fn subprotocols(&self) -> Result<Vec<String>, Refusal> {
        let mut subprotocols = Vec::new();
        for member in self.protocols.iter().flat_map(|value| list(value)) {
            let name = std::str::from_utf8(member).ok().filter(|_| is_token(member));
            let name = name.ok_or(Refusal::bad("the Sec-WebSocket-Protocol field is malformed"))?;
            subprotocols.push(name.to_owned());
        }
        Ok(subprotocols)
    }

    fn compression(&self) -> Result<Option<Agreement>, Refusal> {
        negotiate::choose(self.extensions.iter().copied())
    }
}

/// Sixteen bytes in base64; the bits that are left over may be anything, as with other servers.
fn is_key(value: &[u8]) -> bool {
    let mut bytes = [0; 18];
    value.len() == 24 && LAX.decode_slice(value, &mut bytes) == Ok(16)
}

/// A client waits for its websocket to be accepted, or refused by any response but 101.
#[derive(Debug)]
pub struct Offer {
    accept: String,
    subprotocols: Vec<String>,
    deflate: Option<Agreement>,
}

impl Offer {
    /// What the client would like to speak, the dearest first.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.subprotocols.iter().map(String::as_str)
    }

    /// Writes the 101 response behind what is in `out`: the websocket is open then. `common` are the fields of every
    /// response, with a line end before them; `fields` those of the application, checked as in any response. An error
    /// is the application's, and leaves `out` as it was.
    pub fn accept<'f>(
        &self,
        answer: Answer<'_, impl IntoIterator<Item = (&'f [u8], &'f [u8])>>,
        config: &Config,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Result<Session, BadHead> {
        let start = out.len();
        let deflate = self.deflate.filter(|_| config.compression);
        match self.write(answer, deflate, out) {
            Ok(()) => Ok(Session::open(deflate, config, now)),
            Err(bad) => {
                out.truncate(start);
                Err(bad)
            }
        }
    }

    fn write<'f>(
        &self,
        answer: Answer<'_, impl IntoIterator<Item = (&'f [u8], &'f [u8])>>,
        deflate: Option<Agreement>,
        out: &mut Vec<u8>,
    ) -> Result<(), BadHead> {
        out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols");
        out.extend_from_slice(answer.common);
        out.extend_from_slice(b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
        out.extend_from_slice(self.accept.as_bytes());
        out.extend_from_slice(b"\r\n");
        if let Some(name) = answer.subprotocol {
            if !self.subprotocols().any(|offered| offered == name) {
                return Err(BadHead::new(format!("the client did not offer the subprotocol {name:?}")));
            }
            let field = ["Sec-WebSocket-Protocol: ", name, "\r\n"].concat();
            out.extend_from_slice(field.as_bytes());
        }
        if let Some(agreement) = deflate {
            agreement.write(out);
        }
        // The framing of a body is noted by the head, and not written: a 101 has none (RFC 9110, 8.6).
        let mut head = ResponseHead::default();
        for (name, value) in answer.fields {
            if name.to_ascii_lowercase().starts_with(b"sec-websocket-") {
                let name = String::from_utf8_lossy(name);
                return Err(BadHead::new(format!("the header {name:?} is the server's to send")));
            }
            head.field(name, value, out)?;
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

/// What is said when a websocket is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a, F> {
    /// The subprotocol that was chosen.
    pub subprotocol: Option<&'a str>,
    /// The fields of every response, with a line end before them.
    pub common: &'a [u8],
    /// The fields of the application.
    pub fields: F,
}
