//! A format of text: what Python's `%` makes of it with a dictionary of atoms.

use super::atom::Atom;
use super::facts::Facts;
use super::quoting::Quoting;
use super::spec::{Spec, add_plain};

/// A format, in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    quoting: Quoting,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Atom(Atom),
    Formed(Atom, Spec),
}

impl Template {
    /// Understands a format, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['\n', '\r']) {
            return Err("a line of the access log is one line: the format has a line break".to_owned());
        }
        let quoting = if text.trim_start().starts_with('{') { Quoting::Json } else { Quoting::Log };
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(percent) = rest.find('%') {
            add_text(&mut pieces, &rest[..percent]);
            let behind = &rest[percent + 1..];
            if let Some(literal) = behind.strip_prefix('%') {
                add_text(&mut pieces, "%");
                rest = literal;
                continue;
            }
            let (piece, behind) = piece(behind)?;
            pieces.push(piece);
            rest = behind;
        }
        add_text(&mut pieces, rest);
        Ok(Self { pieces, quoting })
    }

    /// The atoms that it has.
    pub(super) fn atoms(&self) -> impl Iterator<Item = &Atom> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Atom(atom) | Piece::Formed(atom, _) => Some(atom),
        })
    }

    /// Adds what it makes of one request.
    pub(super) fn render(&self, facts: &impl Facts, now: &str, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Atom(atom) => add_plain(atom.value(facts, now), self.quoting, out),
                Piece::Formed(atom, spec) => spec.add(atom.value(facts, now), self.quoting, out),
            }
        }
    }
}

fn add_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(last)) => last.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// What begins behind a per cent sign, and what follows it.
fn piece(text: &str) -> Result<(Piece, &str), String> {
    let Some(inner) = text.strip_prefix('(') else {
        let cited: String = text.chars().take(8).collect();
        return Err(format!("\"%{cited}\" is no atom: they look like %(h)s, and a per cent sign is %%"));
    };
    let end = closing(inner).ok_or_else(|| format!("\"%({inner}\" has no closing bracket"))?;
    let atom = Atom::named(&inner[..end])?;
    let (spec, rest) =
        Spec::parse(&inner[end + 1..], &atom).map_err(|why| format!("%({}): {why}", &inner[..end]))?;
    let piece = match spec {
        Some(spec) => Piece::Formed(atom, spec),
        None => Piece::Atom(atom),
    };
    Ok((piece, rest))
}

/// Where the bracket is closed that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.bytes().position(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}
