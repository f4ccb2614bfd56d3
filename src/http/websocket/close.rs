//! How a websocket ends: which codes may be said, what a Close frame says, and what is wrong with a message.
//!
//! | rule                                                          | RFC 6455 |
//! |---------------------------------------------------------------|----------|
//! | a Close is empty, or begins with a code of two bytes          | 5.5.1    |
//! | its reason is UTF-8                                           | 5.5.1    |
//! | 1004, 1005, 1006, 1015 and what nobody registered is not sent | 7.4.1    |
//! | 3000 to 4999 are for libraries and applications               | 7.4.2    |

use std::fmt;

/// The other side's message breaks the rules of the protocol.
pub(crate) const PROTOCOL_ERROR: u16 = 1002;
/// What a Close without a code is taken for; never sent.
pub(crate) const NO_STATUS: u16 = 1005;
/// What the loss of the connection is taken for; never sent.
pub(crate) const ABNORMAL: u16 = 1006;
/// A message is not what it says, such as text that is no UTF-8.
pub(crate) const INVALID_DATA: u16 = 1007;
/// A message is larger than the limit.
pub(crate) const TOO_BIG: u16 = 1009;
/// The other side is not heard of any more.
pub(crate) const INTERNAL_ERROR: u16 = 1011;
/// The server leaves or starts anew: the client may come again.
pub(crate) const RESTART: u16 = 1012;

/// The longest payload of a control frame.
pub(crate) const LONGEST_CONTROL: usize = 125;

/// What a client did wrong, and which code tells it so. Nothing that follows is interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) code: u16,
    pub(crate) why: &'static str,
}

impl Violation {
    pub(crate) const fn protocol(why: &'static str) -> Self {
        Self { code: PROTOCOL_ERROR, why }
    }

    pub(crate) const fn data(why: &'static str) -> Self {
        Self { code: INVALID_DATA, why }
    }

    pub(crate) const fn too_big(why: &'static str) -> Self {
        Self { code: TOO_BIG, why }
    }
}

/// A Close that the application may not send: a sentence for its log.
#[derive(Debug, PartialEq, Eq)]
pub enum BadClose {
    /// Not a code that may be sent.
    Code(u16),
    /// A reason of so many bytes.
    Reason(usize),
}

impl fmt::Display for BadClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => {
                write!(f, "the close code must be 1000 to 1003, 1007 to 1014 or 3000 to 4999, not {code}")
            }
            Self::Reason(length) => {
                write!(f, "the reason of a close has at most {} bytes, not {length}", LONGEST_CONTROL - 2)
            }
        }
    }
}

/// May a Close say this?
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// What the payload of a Close says: its code (1005 when there is none) and the reason.
pub(crate) fn read(payload: &[u8]) -> Result<(u16, &str), Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok((NO_STATUS, "")),
            _ => Err(Violation::protocol("a Close has half a code")),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        return Err(Violation::protocol("a Close has a code that may not be sent"));
    }
    let reason =
        std::str::from_utf8(reason).map_err(|_| Violation::data("the reason of a Close is not UTF-8"))?;
    Ok((code, reason))
}

/// The payload of a Close; 1005 makes an empty one.
pub(crate) fn payload(code: u16, reason: &str) -> Result<Vec<u8>, BadClose> {
    match code {
        NO_STATUS => Ok(Vec::new()),
        _ if !may_be_sent(code) => Err(BadClose::Code(code)),
        _ if reason.len() > LONGEST_CONTROL - 2 => Err(BadClose::Reason(reason.len())),
        _ => Ok([&code.to_be_bytes(), reason.as_bytes()].concat()),
    }
}
