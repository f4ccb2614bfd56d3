//! The atoms of a format: Gunicorn's, and those that are ours (`queue`, `reason`).

use super::facts::{Facts, split_query, word};
use std::borrow::Cow;
use std::net::IpAddr;

/// Something that a line says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    Client,
    Dash,
    User,
    Time,
    Line,
    Method,
    Path,
    Query,
    Protocol,
    Status,
    Bytes,
    Referer,
    Agent,
    Seconds,
    Milliseconds,
    Microseconds,
    Decimal,
    Pid,
    /// Ours: microseconds that it waited.
    Queue,
    /// Ours: why it was not answered by the application, or not to the end.
    Reason,
    /// In lower case, as the following.
    RequestField(String),
    ResponseField(String),
    Variable(String),
}

/// What an atom stands for in one request.
pub(super) enum Value<'a> {
    Number(u64),
    /// Microseconds, shown as seconds with six decimals.
    Seconds(u64),
    /// A number that has three digits.
    Status(u16),
    Client(IpAddr),
    /// What nobody but us wrote.
    Ours(Cow<'a, str>),
    /// What somebody else wrote.
    Foreign(Cow<'a, [u8]>),
}

const DASH: Value<'static> = Value::Ours(Cow::Borrowed("-"));

impl Atom {
    /// The atom of this name.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        if let Some(inner) = name.strip_prefix('{') {
            return Self::in_braces(inner).ok_or_else(|| unknown(name));
        }
        Ok(match name {
            "h" => Self::Client,
            "l" => Self::Dash,
            "u" => Self::User,
            "t" => Self::Time,
            "r" => Self::Line,
            "m" => Self::Method,
            "U" => Self::Path,
            "q" => Self::Query,
            "H" => Self::Protocol,
            "s" => Self::Status,
            "B" | "b" => Self::Bytes,
            "f" => Self::Referer,
            "a" => Self::Agent,
            "T" => Self::Seconds,
            "M" => Self::Milliseconds,
            "D" => Self::Microseconds,
            "L" => Self::Decimal,
            "p" => Self::Pid,
            "queue" => Self::Queue,
            "reason" => Self::Reason,
            _ => return Err(unknown(name)),
        })
    }

    fn in_braces(inner: &str) -> Option<Self> {
        let (name, kind) = inner.rsplit_once('}')?;
        let name = name.to_ascii_lowercase();
        match kind {
            _ if name.is_empty() => None,
            "i" => Some(Self::RequestField(name)),
            "o" => Some(Self::ResponseField(name)),
            "e" => Some(Self::Variable(name)),
            _ => None,
        }
    }

    /// Does it stand for a number?
    pub(super) fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Status
                | Self::Bytes
                | Self::Seconds
                | Self::Milliseconds
                | Self::Microseconds
                | Self::Decimal
                | Self::Queue
        )
    }

    /// What it stands for in this request.
    pub(super) fn value<'a>(&self, facts: &'a impl Facts, now: &'a str) -> Value<'a> {
        let foreign =
            |text: &'a [u8]| if text.is_empty() { DASH } else { Value::Foreign(Cow::Borrowed(text)) };
        let found = |text: Option<Cow<'a, [u8]>>| text.map_or(DASH, Value::Foreign);
        match self {
            Self::Client => facts.client().map_or(DASH, Value::Client),
            Self::Dash => DASH,
            Self::User => found(facts.user().filter(|user| !user.is_empty())),
            Self::Time => Value::Ours(Cow::Borrowed(now)),
            Self::Line => foreign(facts.line()),
            Self::Method => foreign(word(facts.line(), 0)),
            Self::Path => Value::Foreign(facts.path()),
            Self::Query => Value::Foreign(Cow::Borrowed(split_query(word(facts.line(), 1)).1)),
            Self::Protocol => foreign(word(facts.line(), 2)),
            Self::Status => Value::Status(facts.status()),
            Self::Bytes => Value::Number(facts.bytes()),
            Self::Referer => found(facts.field("referer")),
            Self::Agent => found(facts.field("user-agent")),
            Self::Seconds => Value::Number(facts.duration() / 1_000_000_000),
            Self::Milliseconds => Value::Number(facts.duration() / 1_000_000),
            Self::Microseconds => Value::Number(facts.duration() / 1_000),
            Self::Decimal => Value::Seconds(facts.duration() / 1_000),
            Self::Pid => Value::Ours(Cow::Owned(format!("<{}>", facts.pid()))),
            Self::Queue => facts.queued().map_or(DASH, |queued| Value::Number(queued / 1_000)),
            Self::Reason => facts.reason().map_or(DASH, |why| Value::Foreign(Cow::Borrowed(why.as_bytes()))),
            Self::RequestField(name) => found(facts.field(name)),
            Self::ResponseField(name) => found(facts.response_field(name)),
            Self::Variable(name) => found(facts.variable(name)),
        }
    }
}

fn unknown(name: &str) -> String {
    format!(
        "there is no atom %({name}); there are h l u t r m U q H s B b f a T D M L p, queue and reason, and \
         {{FIELD}}i, {{FIELD}}o and {{VARIABLE}}e"
    )
}
