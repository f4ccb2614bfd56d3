//! Base64, as far as rcorn is given some: in `Authorization`, and in what systemd says.

/// What `text` stands for; `None` when it is none.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut decoded) = (0u32, 0, Vec::new());
    for byte in text.iter().take_while(|byte| **byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_out() {
        assert_eq!(decode(b"YWxpY2U6c2VjcmV0").unwrap(), b"alice:secret");
        assert_eq!(decode(b"c29tZSAyMDAwMDAgMjAwMDAwMAA=").unwrap(), b"some 200000 2000000\0");
        assert_eq!((decode(b""), decode(b"a b")), (Some(Vec::new()), None));
    }
}
