//! What a client sent, in a form that can neither end a line nor a quoted field.

use std::io::Write;

/// How that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// `\"`, `\\`, and `\x` with two digits: what tools that read access logs expect.
    Log,
    /// As within a text of JSON, where the format is an object that somebody wrote by hand.
    Json,
}

impl Quoting {
    /// Adds `text`.
    pub(super) fn add(self, text: &[u8], out: &mut Vec<u8>) {
        // Without a way out in the middle it looks at many bytes at a time.
        if text.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
            return out.extend_from_slice(text);
        }
        match self {
            Self::Log => text.iter().for_each(|byte| add_escaped(*byte, out)),
            Self::Json => {
                // A text has no maps with odd keys, so it cannot fail.
                let quoted = serde_json::to_string(&String::from_utf8_lossy(text))
                    .unwrap_or_else(|_| "\"\"".to_owned());
                out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
            }
        }
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\')
}

fn add_escaped(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b' '..=b'~' => out.push(byte),
        _ => {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}
