//! A value as it was written, before anybody knows whether it fits.

use super::origin::Origin;
use super::row::Row;
use std::borrow::Cow;
use std::fmt;

/// What was written. Flags and the environment have text only; the file has types.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Text.
    Text(String),
    /// A whole number and how it was written, which the file mode mask must know.
    Integer(i64, String),
    /// Another number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A function of a file in Python, by its dotted name.
    Function(String),
    /// A list without anything in it.
    Nothing,
    /// Something that is no setting's value, by its name: "a table".
    Other(Cow<'static, str>),
}

impl Value {
    /// Without quotes, as `--print-config` shows it.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(_, written) => written.clone(),
            other => other.to_string(),
        }
    }
}

/// As an error cites it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(_, written) => f.write_str(written),
            Self::Float(number) => number.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
            Self::Function(name) => write!(f, "the function {name}"),
            Self::Nothing => f.write_str("nothing"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// A value that somebody gave to a setting.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The setting.
    pub(super) row: &'static Row,
    /// The value.
    pub(super) value: Value,
    /// Where it was written.
    pub(super) origin: Origin,
}
