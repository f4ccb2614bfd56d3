//! What Gunicorn's `permit_…` settings let pass: a head in an old or odd style is written anew in the style that the
//! strict parser takes. Whatever else is wrong with it stays wrong. Off unless an operator asks for it.
//!
//! | setting                              | what becomes of it                                                     |
//! |--------------------------------------|------------------------------------------------------------------------|
//! | `permit_obsolete_folding`            | a line that begins with a blank goes on with the line before (9112, 5.2)|
//! | `strip_header_spaces`                | blanks between name and colon are taken out                            |
//! | `permit_unconventional_http_version` | a version outside 1.x is read as the nearest one: 1.0 or 1.1           |
//! | `casefold_http_method`               | the method becomes upper case                                          |
//!
//! `permit_unconventional_http_method` needs no writing: `head` asks for it.

use crate::token::trim;

/// What an operator lets pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "five independent switches")]
pub struct Permits {
    /// Header fields that go on in the next line.
    pub obsolete_folding: bool,
    /// Blanks between a field's name and its colon.
    pub header_spaces: bool,
    /// Methods with lower case letters or `#`, shorter than 3 or longer than 20.
    pub unconventional_method: bool,
    /// Versions outside HTTP/1.x.
    pub unconventional_version: bool,
    /// Methods are made upper case.
    pub casefold_method: bool,
}

impl Permits {
    /// The head in `bytes`, which ends with its empty line, as the strict parser wants it. `None`: it is so already.
    pub(crate) fn rewrite(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if *self == (Self { unconventional_method: self.unconventional_method, ..Self::default() }) {
            return None;
        }
        let mut written = Vec::with_capacity(bytes.len());
        for (index, line) in lines(bytes).enumerate() {
            match index {
                0 => self.request_line(line, &mut written),
                // Before the second field there is none that could go on.
                2.. if self.obsolete_folding && matches!(line, [b' ' | b'\t', ..]) => {
                    go_on(line, &mut written);
                }
                _ => self.field_line(line, &mut written),
            }
        }
        (written != bytes).then_some(written)
    }

    fn request_line(&self, line: &[u8], written: &mut Vec<u8>) {
        let (method, rest) = line.split_at(memchr::memchr(b' ', line).unwrap_or(line.len()));
        if self.casefold_method {
            written.extend(method.to_ascii_uppercase());
        } else {
            written.extend_from_slice(method);
        }
        match rest {
            [target @ .., b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b'\r', b'\n']
                if self.unconventional_version && major.is_ascii_digit() && minor.is_ascii_digit() =>
            {
                written.extend_from_slice(target);
                let is_old = (*major, *minor) <= (b'1', b'0');
                written.extend_from_slice(if is_old { b" HTTP/1.0\r\n" } else { b" HTTP/1.1\r\n" });
            }
            _ => written.extend_from_slice(rest),
        }
    }

    fn field_line(&self, line: &[u8], written: &mut Vec<u8>) {
        let (name, rest) = line.split_at(memchr::memchr(b':', line).unwrap_or(0));
        written.extend_from_slice(if self.header_spaces { trim_end(name) } else { name });
        written.extend_from_slice(rest);
    }
}

/// Joins a folded line to the field before it, with one blank between them.
fn go_on(line: &[u8], written: &mut Vec<u8>) {
    let before = written.strip_suffix(b"\r\n").unwrap_or(written);
    written.truncate(trim_end(before).len());
    written.push(b' ');
    written.extend_from_slice(trim(line.strip_suffix(b"\r\n").unwrap_or(line)));
    written.extend_from_slice(b"\r\n");
}

/// Without the blanks behind it. Other white space is not ours to take out: it is to be refused.
fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    &text[..end]
}

/// The lines with their ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Permits = Permits {
        obsolete_folding: true,
        header_spaces: true,
        unconventional_method: true,
        unconventional_version: true,
        casefold_method: true,
    };

    #[track_caller]
    fn becomes(permits: Permits, odd: &str, plain: &str) {
        let written = permits.rewrite(odd.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(written.as_deref().unwrap_or(odd), plain);
    }

    #[test]
    fn folded_lines_are_joined_by_one_blank() {
        let permits = Permits { obsolete_folding: true, ..Permits::default() };
        becomes(
            permits,
            "GET / HTTP/1.1\r\nA: b \r\n \t c\r\n\td\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b c d\r\n\r\n",
        );
        let nothing_before = "GET / HTTP/1.1\r\n A: b\r\n\r\n";
        becomes(permits, nothing_before, nothing_before);
        becomes(Permits { obsolete_folding: false, ..ALL }, nothing_before, nothing_before);
    }

    #[test]
    fn blanks_before_the_colon_go() {
        let permits = Permits { header_spaces: true, ..Permits::default() };
        becomes(permits, "GET / HTTP/1.1\r\nA \t: b : c\r\n\r\n", "GET / HTTP/1.1\r\nA: b : c\r\n\r\n");
    }

    #[test]
    fn what_is_no_blank_stays_to_be_refused() {
        for (odd, plain) in [
            ("A\r : b", "A\r: b"),
            ("A\x0c : b", "A\x0c: b"),
            ("A: b\r\r\n c", "A: b\r c"),
            ("B: c\r\n\r\r\n d", "B: c\r\n\r d"),
            ("A: b\x0c\r\n c", "A: b\x0c c"),
        ] {
            let head = |lines| format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n");
            becomes(ALL, &head(odd), &head(plain));
        }
    }

    #[test]
    fn versions_become_the_nearest_known() {
        let permits = Permits { unconventional_version: true, ..Permits::default() };
        for (odd, plain) in [("0.9", "1.0"), ("1.0", "1.0"), ("1.3", "1.1"), ("2.0", "1.1"), ("9.9", "1.1")] {
            becomes(permits, &format!("GET / HTTP/{odd}\r\n\r\n"), &format!("GET / HTTP/{plain}\r\n\r\n"));
        }
        becomes(permits, "GET / HTTP/11.1\r\n\r\n", "GET / HTTP/11.1\r\n\r\n");
    }

    #[test]
    fn methods_become_upper_case() {
        let permits = Permits { casefold_method: true, ..Permits::default() };
        becomes(permits, "get /a HTTP/1.1\r\nb: c\r\n\r\n", "GET /a HTTP/1.1\r\nb: c\r\n\r\n");
    }

    #[test]
    fn what_is_in_order_is_left_alone() {
        assert_eq!(ALL.rewrite(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), None);
        assert_eq!(Permits::default().rewrite(b"get / HTTP/3.0\r\nHost : a\r\n\r\n"), None);
    }
}
