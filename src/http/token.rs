//! The character classes of RFC 9110 (section 5.6) and RFC 3986, as tables.

const TOKEN: [bool; 256] =
    table(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/// Without the percent sign.
const HOST: [bool; 256] =
    table(b"-._~!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

const fn table(members: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut index = 0;
    while index < members.len() {
        table[members[index] as usize] = true;
        index += 1;
    }
    table
}

/// One byte of a token.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// A token (RFC 9110, 5.6.2): method and field names.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_token_byte(*byte))
}

/// A field value (RFC 9110, 5.5): visible characters, bytes beyond ASCII, blanks; no control characters.
pub(crate) fn is_value(text: &[u8]) -> bool {
    text.iter().all(|byte| is_value_byte(*byte))
}

/// One byte of a field value.
pub(crate) fn is_value_byte(byte: u8) -> bool {
    (byte >= b' ' && byte != 0x7f) || byte == b'\t'
}

/// `host [":" port]` (RFC 9110, 7.2; RFC 3986, 3.2): no user, no path, no blanks. It may be empty, but not
/// with a port.
pub(crate) fn is_host(text: &[u8]) -> bool {
    let (host, port) = match text.strip_prefix(b"[") {
        Some(literal) => {
            let Some(end) = memchr::memchr(b']', literal) else { return false };
            let valid = std::str::from_utf8(&literal[..end])
                .is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok());
            if !valid {
                return false;
            }
            (&b""[..], &literal[end + 1..])
        }
        None => text.split_at(text.iter().position(|byte| *byte == b':').unwrap_or(text.len())),
    };
    !text.starts_with(b":")
        && (host.iter().all(|byte| HOST[*byte as usize]) || is_encoded_host(host))
        && is_port(port)
}

/// Hardly any host has percent signs.
fn is_encoded_host(host: &[u8]) -> bool {
    host.iter().all(|byte| HOST[*byte as usize] || *byte == b'%') && percents_are_whole(host)
}

/// Two hex digits behind each percent sign (RFC 3986, 2.1).
fn percents_are_whole(text: &[u8]) -> bool {
    memchr::memchr_iter(b'%', text)
        .all(|at| text.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// Nothing, or a colon with a number up to 65535 or nothing behind it.
fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => {
            let number = digits.iter().try_fold(0u32, |number, digit| {
                digit.is_ascii_digit().then(|| (number * 10 + u32::from(digit - b'0')).min(100_000))
            });
            number.is_some_and(|number| number <= 65_535)
        }
        _ => false,
    }
}

/// A whole number in digits, and nothing else.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let number =
        text.iter().try_fold(0u64, |number, byte| number.checked_mul(10)?.checked_add(digit(*byte)?));
    number.filter(|_| !text.is_empty())
}

/// Does a list have this member, in whatever case?
pub(crate) fn lists(value: &[u8], member: &str) -> bool {
    list(value).any(|other| other.eq_ignore_ascii_case(member.as_bytes()))
}

/// Without blanks at both ends (OWS, RFC 9110, 5.6.3).
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// The members of a list (RFC 9110, 5.6.1), without the empty ones.
pub(crate) fn list(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b',').map(trim).filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for good in [
            "",
            "example.com",
            "example.com:80",
            "a:",
            "[::1]",
            "[::1]:8000",
            "127.0.0.1:65535",
            "a_b",
            "%41",
        ] {
            assert!(is_host(good.as_bytes()), "{good}");
        }
        for bad in [
            "a b",
            "a/b",
            "user@host",
            "a:65536",
            "a:x",
            ":80",
            "[::1",
            "[x]",
            "[::1]x",
            "a:-1",
            "a\\b",
            "a:80:80",
            "a%",
            "a%4",
            "%4g",
            "é",
        ] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn numbers() {
        let all = [("0", Some(0)), ("007", Some(7)), ("18446744073709551615", Some(u64::MAX))];
        let none = ["", "+1", "-0", "1 ", "0x1", "18446744073709551616", "1_0"].map(|text| (text, None));
        for (text, number) in all.into_iter().chain(none) {
            assert_eq!(decimal(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn lists_skip_what_is_empty() {
        assert_eq!(list(b" a ,, b\t,").collect::<Vec<_>>(), [b"a", b"b"]);
    }

    #[test]
    fn values() {
        assert!(is_value(b"a\tb \xff"));
        for bad in [b"\0", b"\r", b"\n", b"\x7f", b"\x01"] {
            assert!(!is_value(bad));
        }
    }
}
