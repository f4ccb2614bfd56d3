//! Percent-encoding (RFC 3986, 2.1).

/// Decodes once, behind what is in `decoded`; an invalid escape stays as it is.
pub(crate) fn decode(encoded: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = encoded;
    while let Some(next) = memchr::memchr(b'%', rest) {
        decoded.extend_from_slice(&rest[..next]);
        let escape = hex_pair(&rest[next + 1..]);
        decoded.push(escape.unwrap_or(b'%'));
        rest = &rest[next + if escape.is_some() { 3 } else { 1 }..];
    }
    decoded.extend_from_slice(rest);
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    Some((digit(0)? * 16 + digit(1)?) as u8)
}
