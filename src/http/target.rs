//! The four forms of a request target (RFC 9112, 3.2).

use crate::head::Span;
use crate::refusal::Refusal;
use crate::token::is_host;

/// The parts of a target.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    /// The path as sent; nothing when an absolute target has none.
    pub(crate) path: Span,
    /// What follows the question mark.
    pub(crate) query: Span,
    /// Host and port of an absolute target.
    pub(crate) authority: Option<Span>,
}

impl Target {
    /// Splits a target of visible ASCII that lies within `bytes`.
    pub(crate) fn parse(method: &str, target: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        if method == "CONNECT" {
            return Err(Refusal::new(501, "this server is no proxy: CONNECT is not implemented"));
        }
        if target.starts_with('/') {
            return Ok(Self::with_path(target, bytes));
        }
        if target == "*" {
            let whole = Span::of(target.as_bytes(), bytes);
            let asterisk = Self { path: whole, ..Self::default() };
            return if method == "OPTIONS" {
                Ok(asterisk)
            } else {
                Err(Refusal::bad("only OPTIONS may ask for *"))
            };
        }
        Self::absolute(target, bytes)
    }

    fn absolute(target: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        let malformed = Refusal::bad("the request target is neither a path nor an http URL");
        let (scheme, rest) = target.split_once("://").ok_or(malformed)?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(malformed);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() || !is_host(authority.as_bytes()) {
            return Err(Refusal::bad("the host in the request target is malformed"));
        }
        Ok(Self { authority: Some(Span::of(authority.as_bytes(), bytes)), ..Self::with_path(path, bytes) })
    }

    fn with_path(target: &str, bytes: &[u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, &target[target.len()..]));
        Self {
            path: Span::of(path.as_bytes(), bytes),
            query: Span::of(query.as_bytes(), bytes),
            authority: None,
        }
    }
}
