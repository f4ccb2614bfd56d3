//! Chunk extensions (RFC 9112, 7.1.1): `*( ";" name [ "=" ( token / quoted-string ) ] )`, with blanks around names
//! and values. They mean nothing to us and are dropped, but what is no extension may be half of another message to
//! somebody else on the way, so the grammar is kept to.

use crate::token::{is_token_byte, is_value_byte};

/// Behind which part of the extensions we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    /// The semicolon: a name must follow.
    Semicolon,
    /// Part of a name.
    Name,
    /// A name and a blank.
    NameEnd,
    /// The equals sign: a value must follow.
    Equals,
    /// Part of a token.
    Token,
    /// Part of a quoted string.
    Quoted,
    /// A backslash in a quoted string.
    Escape,
    /// The closing quote of a string.
    Unquote,
    /// A value and a blank.
    ValueEnd,
}

impl Extension {
    /// The state behind `byte`; `None` when it may not be there.
    pub(crate) fn next(self, byte: u8) -> Option<Self> {
        match byte {
            b'"' if self == Self::Quoted => Some(Self::Unquote),
            b'\\' if self == Self::Quoted => Some(Self::Escape),
            _ if matches!(self, Self::Quoted | Self::Escape) => is_value_byte(byte).then_some(Self::Quoted),
            b' ' | b'\t' => Some(self.behind_blank()),
            b'=' => matches!(self, Self::Name | Self::NameEnd).then_some(Self::Equals),
            b';' => (!matches!(self, Self::Semicolon | Self::Equals)).then_some(Self::Semicolon),
            b'"' => (self == Self::Equals).then_some(Self::Quoted),
            _ => self.behind_token_byte().filter(|_| is_token_byte(byte)),
        }
    }

    fn behind_blank(self) -> Self {
        match self {
            Self::Name => Self::NameEnd,
            Self::Token | Self::Unquote => Self::ValueEnd,
            same => same,
        }
    }

    fn behind_token_byte(self) -> Option<Self> {
        match self {
            Self::Semicolon | Self::Name => Some(Self::Name),
            Self::Equals | Self::Token => Some(Self::Token),
            _ => None,
        }
    }

    /// May the line end here? Not with a blank before it: blanks belong to what follows them.
    pub(crate) fn may_end(self) -> bool {
        matches!(self, Self::Name | Self::Token | Self::Unquote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows the size of a chunk, without the line's end.
    fn is_extension(text: &[u8]) -> bool {
        let Some((b';', rest)) = text.split_first() else { return false };
        let end = rest.iter().try_fold(Extension::Semicolon, |state, byte| state.next(*byte));
        end.is_some_and(Extension::may_end)
    }

    #[test]
    fn what_rfc_9112_7_1_1_allows() {
        let good = [
            ";a",
            ";a=b",
            ";a;b",
            "; a = b",
            ";a=\"\"",
            ";a=\"b c\"",
            ";a=\"\\\"\"",
            ";a=\"\\\\\";b",
            ";a=\";\"",
            ";a \t;b",
            ";!#$%&'*+-.^_`|~=1",
            ";a=\"\u{e9}\"",
        ];
        for text in good {
            assert!(is_extension(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_it_does_not() {
        let bad = [
            ";",
            ";;a",
            ";a;",
            ";=b",
            ";a=",
            ";a=;b",
            ";a b",
            ";a=b c",
            ";a=\"b",
            ";a=\"b\"c",
            ";a=\"b\\",
            ";a==b",
            ";a=\"\r\"",
            ";a=\"\n\"",
            ";\0",
            ";a=\x7f",
            ";a\u{e9}",
            ";(a)",
            ";a ",
            ";a=b ",
            ";a=\"b\" ",
        ];
        for text in bad {
            assert!(!is_extension(text.as_bytes()), "{text:?}");
        }
    }
}
