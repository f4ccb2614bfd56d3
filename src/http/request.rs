//! A request, as the application and the book-keeping see it. Everything borrows.

use crate::framing::BodyLength;
use crate::head::{Head, Version};
use crate::proxy::{Client, Proxied};
use crate::spool::Body;
use crate::token::{lists, trim};
use sys::socket::Address;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub(crate) head: &'a Head,
    pub(crate) bytes: &'a [u8],
    pub(crate) body: Body<'a>,
    pub(crate) peer: &'a Address,
    pub(crate) proxied: Option<&'a Proxied>,
    pub(crate) listener: usize,
}

impl<'a> Request<'a> {
    /// The request line as sent.
    pub fn raw_line(&self) -> &'a [u8] {
        self.head.line.get(self.bytes)
    }

    /// The method: a token.
    pub fn method(&self) -> &'a str {
        text(self.head.method.get(self.bytes))
    }

    /// The target exactly as sent: visible ASCII.
    pub fn target(&self) -> &'a str {
        text(self.head.target.get(self.bytes))
    }

    /// The path within the application, still encoded; `*` where OPTIONS asks for the whole server.
    pub fn path(&self) -> &'a str {
        match &self.whole_path()[self.head.via.mount..] {
            "" if self.head.via.mount == 0 => "/",
            path => path,
        }
    }

    /// The beginning of the path that names the application, as the operator or a trusted proxy says.
    pub fn script_name(&self) -> &'a str {
        &self.whole_path()[..self.head.via.mount]
    }

    /// Both of them: the path as it was sent.
    pub fn whole_path(&self) -> &'a str {
        text(self.head.parts.path.get(self.bytes))
    }

    /// What follows the question mark.
    pub fn query(&self) -> &'a str {
        text(self.head.parts.query.get(self.bytes))
    }

    /// The message's version.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The fields in their order: names as sent, values without the blanks around them.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let bytes = self.bytes;
        self.head.fields.iter().map(move |field| (field.name.get(bytes), trim(field.value.get(bytes))))
    }

    /// What Content-Length said.
    pub fn content_length(&self) -> Option<u64> {
        if let BodyLength::Exactly(length) = self.head.framing.body { Some(length) } else { None }
    }

    /// Did the body come in chunks?
    pub fn chunked(&self) -> bool {
        self.head.framing.body == BodyLength::Chunked
    }

    /// Did the client say that it understands trailers (RFC 9110, 10.1.4)?
    pub fn takes_trailers(&self) -> bool {
        let mut fields =
            self.headers().filter(|(name, _)| name.len() == 2 && name.eq_ignore_ascii_case(b"te"));
        fields.any(|(_, value)| lists(value, "trailers"))
    }

    /// The body.
    pub fn body(&self) -> Body<'a> {
        self.body
    }

    /// Who is at the other end of the connection, as a PROXY header says where there was one.
    pub fn peer(&self) -> &'a Address {
        self.peer
    }

    /// Both ends of the connection that a PROXY header spoke of.
    pub fn proxied(&self) -> Option<&'a Proxied> {
        self.proxied
    }

    /// Who sent the request, as a trusted proxy says; `None` when that is the peer.
    pub fn forwarded_client(&self) -> Option<Client> {
        self.head.via.client
    }

    /// Did the client speak https, as a trusted proxy says?
    pub fn is_https(&self) -> bool {
        self.head.via.https
    }

    /// Which of the listeners the connection came by.
    pub fn listener(&self) -> usize {
        self.listener
    }
}

/// The line and its parts were checked to be ASCII.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
