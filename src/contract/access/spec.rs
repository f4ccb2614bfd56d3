//! How an atom is shown: what stands between `)` and the letter in `%(h)-15s`, as Python's `%` reads it.

use super::atom::{Atom, Value};
use super::quoting::Quoting;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};

/// Flags, width and precision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spec {
    left: bool,
    zeros: bool,
    sign: Option<u8>,
    width: usize,
    precision: Option<usize>,
    kind: Kind,
}

/// The letter at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// `s`, `r`, `a`.
    #[default]
    Text,
    /// `d`, `i`, `u`.
    Integer,
    /// `f`, `F`.
    Float,
}

/// A wider field is a mistake.
const WIDEST: usize = 1000;

impl Spec {
    /// Understands what begins behind the atom's name: `None` where it is only `s`, and what follows it.
    pub(super) fn parse<'t>(text: &'t str, atom: &Atom) -> Result<(Option<Self>, &'t str), String> {
        let (mut spec, mut rest) = (Self::default(), text);
        while let Some(flag @ (b'-' | b'0' | b'+' | b' ' | b'#')) = rest.bytes().next() {
            match flag {
                b'-' => spec.left = true,
                b'0' => spec.zeros = true,
                b'+' => spec.sign = Some(b'+'),
                b' ' => spec.sign = spec.sign.or(Some(b' ')),
                _ => {}
            }
            rest = &rest[1..];
        }
        (spec.width, rest) = number(rest)?;
        if let Some(behind) = rest.strip_prefix('.') {
            let (precision, behind) = number(behind)?;
            (spec.precision, rest) = (Some(precision), behind);
        }
        rest = rest.trim_start_matches(['h', 'l', 'L']);
        let letter = rest.chars().next().ok_or("the format ends within an atom")?;
        spec.kind = kind(letter, atom)?;
        Ok((Some(spec).filter(|spec| *spec != Self::default()), &rest[letter.len_utf8()..]))
    }

    /// Adds a value in this form.
    pub(super) fn add(&self, value: Value<'_>, quoting: Quoting, out: &mut Vec<u8>) {
        let start = out.len();
        let is_number = match (self.kind, number_of(&value)) {
            (Kind::Integer, Some(micros)) => self.add_integer(micros / 1_000_000, out),
            (Kind::Float, Some(micros)) => self.add_float(micros, out),
            _ => {
                self.add_text(value, quoting, out);
                false
            }
        };
        self.pad(start, is_number, out);
    }

    fn add_integer(&self, number: u128, out: &mut Vec<u8>) -> bool {
        out.extend(self.sign);
        let _ = write!(out, "{number:0digits$}", digits = self.precision.unwrap_or(0));
        true
    }

    fn add_float(&self, micros: u128, out: &mut Vec<u8>) -> bool {
        out.extend(self.sign);
        let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
        #[allow(clippy::cast_precision_loss, reason = "what is shown has six decimals")]
        let number = whole as f64 + rest as f64 / 1e6;
        let _ = write!(out, "{number:.decimals$}", decimals = self.precision.unwrap_or(6));
        true
    }

    /// What is cut is cut before it is quoted.
    fn add_text(&self, value: Value<'_>, quoting: Quoting, out: &mut Vec<u8>) {
        let Some(most) = self.precision else { return add_plain(value, quoting, out) };
        match value {
            Value::Foreign(text) => quoting.add(&text[..text.len().min(most)], out),
            value => {
                let start = out.len();
                add_plain(value, quoting, out);
                out.truncate(start + most);
            }
        }
    }

    fn pad(&self, start: usize, is_number: bool, out: &mut Vec<u8>) {
        let missing = self.width.saturating_sub(out.len() - start);
        if missing == 0 {
            return;
        }
        let (at, filler) = match (self.left, self.zeros && is_number) {
            (true, _) => (out.len(), b' '),
            (false, true) => (start + usize::from(self.sign.is_some()), b'0'),
            (false, false) => (start, b' '),
        };
        out.splice(at..at, std::iter::repeat_n(filler, missing));
    }
}

fn kind(letter: char, atom: &Atom) -> Result<Kind, String> {
    let kind = match letter {
        's' | 'r' | 'a' => return Ok(Kind::Text),
        'd' | 'i' | 'u' => Kind::Integer,
        'f' | 'F' => Kind::Float,
        other => return Err(format!("an atom ends with s, d or f, not with {other:?}")),
    };
    if atom.is_number() {
        Ok(kind)
    } else {
        Err(format!("{letter:?} is for numbers, which this atom is not"))
    }
}

/// The digits at the beginning, and what follows them.
fn number(text: &str) -> Result<(usize, &str), String> {
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    match digits.parse() {
        Err(_) if digits.is_empty() => Ok((0, rest)),
        Ok(number) if number <= WIDEST => Ok((number, rest)),
        _ => Err(format!("{digits} is too wide: at most {WIDEST}")),
    }
}

/// In millionths.
fn number_of(value: &Value<'_>) -> Option<u128> {
    match value {
        Value::Number(number) => Some(u128::from(*number) * 1_000_000),
        Value::Seconds(micros) => Some(u128::from(*micros)),
        Value::Status(status) => Some(u128::from(*status) * 1_000_000),
        Value::Client(_) | Value::Ours(_) | Value::Foreign(_) => None,
    }
}

/// Adds a value as it is.
pub(super) fn add_plain(value: Value<'_>, quoting: Quoting, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => add_number(number, out),
        Value::Seconds(micros) => {
            let _ = write!(out, "{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        }
        Value::Status(status) => {
            let digits = [status / 100 % 10, status / 10 % 10, status % 10];
            out.extend(digits.map(|digit| b'0' + digit as u8));
        }
        Value::Client(IpAddr::V4(ip)) => add_v4(ip, out),
        Value::Client(ip) => {
            let _ = write!(out, "{ip}");
        }
        Value::Ours(text) => out.extend_from_slice(text.as_bytes()),
        Value::Foreign(text) => quoting.add(&text, out),
    }
}

fn add_v4(ip: Ipv4Addr, out: &mut Vec<u8>) {
    for (place, octet) in ip.octets().into_iter().enumerate() {
        if place > 0 {
            out.push(b'.');
        }
        add_number(u64::from(octet), out);
    }
}

/// Faster than `write!`, which matters here.
fn add_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
