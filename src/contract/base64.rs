//! Base64, as far as rcorn is given some: in `Authorization`, and in what systemd says.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// As those who write it have it: with its end filled up, or not.
static LAX: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What `text` stands for; `None` when it is none.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    LAX.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_out() {
        assert_eq!(decode(b"YWxpY2U6c2VjcmV0").unwrap(), b"alice:secret");
        assert_eq!(decode(b"c29tZSAyMDAwMDAgMjAwMDAwMAA=").unwrap(), b"some 200000 2000000\0");
        assert_eq!(decode(b"YWxpY2U6").unwrap(), b"alice:");
        assert!(["YWw=", "YWw", "YWx="].iter().all(|text| decode(text.as_bytes()).unwrap() == b"al"));
        assert_eq!((decode(b""), decode(b"a b")), (Some(Vec::new()), None));
    }
}
