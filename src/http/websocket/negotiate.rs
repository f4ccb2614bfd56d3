//! permessage-deflate: which of the client's offers is taken, and what is answered (RFC 7692, 7).
//!
//! | parameter                    | what becomes of it                                                         |
//! |------------------------------|----------------------------------------------------------------------------|
//! | `server_no_context_takeover` | granted                                                                    |
//! | `client_no_context_takeover` | granted: it saves us the client's window                                   |
//! | `server_max_window_bits=N`   | granted from 9 to 15; an offer with 8 is passed over                       |
//! | `client_max_window_bits[=N]` | answered with 12, or less where the client offers less: its window is small|
//! | any other one, one twice     | the offer is passed over (7.1)                                             |
//!
//! Our own window is 4 KiB (12 bits) at most: what the larger ones gain is little for messages, and they cost 8 times
//! the memory. Other extensions than this one are passed over.

use crate::refusal::Refusal;
use crate::token::is_token_byte;
use std::io::Write;

/// The window that we want, for each direction.
const BITS: u8 = 12;
/// The window of a client that does not let us choose.
const LARGEST: u8 = 15;
/// zlib does not make smaller ones.
const SMALLEST: u8 = 9;

const MALFORMED: Refusal = Refusal::bad("the Sec-WebSocket-Extensions field is malformed");

/// What was agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// What the client said of our window, and we repeat.
    server_bits: Option<u8>,
    /// What we say of the client's window.
    client_bits: Option<u8>,
    pub(crate) server_takeover: bool,
    pub(crate) client_takeover: bool,
}

impl Agreement {
    /// The window of our compressor.
    pub(crate) fn our_bits(&self) -> u8 {
        self.server_bits.map_or(BITS, |bits| bits.min(BITS))
    }

    /// The window of the client's compressor.
    pub(crate) fn their_bits(&self) -> u8 {
        self.client_bits.unwrap_or(LARGEST)
    }

    /// Writes the field of the response.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Sec-WebSocket-Extensions: permessage-deflate");
        if !self.server_takeover {
            out.extend_from_slice(b"; server_no_context_takeover");
        }
        if !self.client_takeover {
            out.extend_from_slice(b"; client_no_context_takeover");
        }
        if self.server_bits.is_some() {
            let _ = write!(out, "; server_max_window_bits={}", self.our_bits());
        }
        if let Some(bits) = self.client_bits {
            let _ = write!(out, "; client_max_window_bits={bits}");
        }
        out.extend_from_slice(b"\r\n");
    }

    /// `None`: an offer that we cannot take.
    fn of(offer: &Offer<'_>) -> Option<Self> {
        let mut agreement = Self { server_takeover: true, client_takeover: true, ..Self::default() };
        for (index, (name, value)) in offer.parameters.iter().enumerate() {
            if offer.parameters[..index].iter().any(|(other, _)| other == name) {
                return None;
            }
            match (*name, value.map(window_bits)) {
                (b"server_no_context_takeover", None) => agreement.server_takeover = false,
                (b"client_no_context_takeover", None) => agreement.client_takeover = false,
                (b"server_max_window_bits", Some(Some(bits @ SMALLEST..))) => {
                    agreement.server_bits = Some(bits);
                }
                (b"client_max_window_bits", None) => agreement.client_bits = Some(BITS),
                (b"client_max_window_bits", Some(Some(bits))) => agreement.client_bits = Some(bits.min(BITS)),
                _ => return None,
            }
        }
        Some(agreement)
    }
}

/// 8 to 15, without a leading nought (7.1.2).
fn window_bits(value: &[u8]) -> Option<u8> {
    match value {
        [digit @ b'8'..=b'9'] | [b'1', digit @ b'0'..=b'5'] => {
            Some(digit - b'0' + if value.len() == 2 { 10 } else { 0 })
        }
        _ => None,
    }
}

/// The first offer of permessage-deflate that we can take.
pub(crate) fn choose<'f>(fields: impl Iterator<Item = &'f [u8]>) -> Result<Option<Agreement>, Refusal> {
    let mut chosen = None;
    for field in fields {
        let mut rest = Rest(field);
        while let Some(offer) = rest.offer()? {
            if chosen.is_none() && offer.name.eq_ignore_ascii_case(b"permessage-deflate") {
                chosen = Agreement::of(&offer);
            }
        }
    }
    Ok(chosen)
}

/// One extension with its parameters.
struct Offer<'f> {
    name: &'f [u8],
    parameters: Vec<(&'f [u8], Option<&'f [u8]>)>,
}

/// What is left of a field: `extension *( ";" name [ "=" ( token / quoted-string ) ] )`, a list of them (6455, 9.1).
struct Rest<'f>(&'f [u8]);

impl<'f> Rest<'f> {
    fn offer(&mut self) -> Result<Option<Offer<'f>>, Refusal> {
        while self.takes(b',') {}
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut offer = Offer { name: self.token()?, parameters: Vec::new() };
        while self.takes(b';') {
            let name = self.token()?;
            let value = if self.takes(b'=') { Some(self.value()?) } else { None };
            offer.parameters.push((name, value));
        }
        if self.0.is_empty() || self.takes(b',') { Ok(Some(offer)) } else { Err(MALFORMED) }
    }

    fn skip_blanks(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    /// Takes this byte and the blanks around it.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let Some(rest) = self.0.strip_prefix(&[byte]) else { return false };
        self.0 = rest;
        self.skip_blanks();
        true
    }

    fn token(&mut self) -> Result<&'f [u8], Refusal> {
        let length = self.0.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(length);
        self.0 = rest;
        if token.is_empty() { Err(MALFORMED) } else { Ok(token) }
    }

    /// What is quoted must be a token as well (9.1), so there is nothing to unquote.
    fn value(&mut self) -> Result<&'f [u8], Refusal> {
        let Some(quoted) = self.0.strip_prefix(b"\"") else { return self.token() };
        self.0 = quoted;
        let value = self.token()?;
        self.0 = self.0.strip_prefix(b"\"").ok_or(MALFORMED)?;
        Ok(value)
    }
}
