//! What the access log may say of a request that this worker served or refused.

use contract::access::{Ending, Facts, path_of};
use contract::base64;
use http::{Outcome, Record, Request};
use pyo3::Py;
use pyo3::types::PyDict;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// Values of the variables that the format asks for, in its order.
pub(crate) type Variables = Vec<Option<Vec<u8>>>;

/// What the application's side leaves for the log.
pub(crate) enum Noted {
    Variables(Variables),
    /// All of the environment, for a logger of Python's.
    Environ(Py<PyDict>),
}

/// What the log wants of an environment.
#[derive(Clone, Default)]
pub(crate) enum Wanted {
    #[default]
    Nothing,
    Variables(Arc<[String]>),
    Environ,
}

/// A request that has ended.
pub(crate) struct Told<'a> {
    record: &'a Record<'a>,
    /// The names of these variables.
    names: &'a [String],
    values: Option<&'a Variables>,
}

impl<'a> Told<'a> {
    pub(crate) fn of(record: &'a Record<'a>, names: &'a [String]) -> Self {
        let values = match record.remark.and_then(|remark| remark.downcast_ref()) {
            Some(Noted::Variables(values)) => Some(values),
            _ => None,
        };
        Self { record, names, values }
    }
}

impl Facts for Told<'_> {
    fn client(&self) -> Option<IpAddr> {
        client(self.record)
    }

    fn line(&self) -> &[u8] {
        self.record.raw_line
    }

    fn status(&self) -> u16 {
        self.record.status
    }

    fn bytes(&self) -> u64 {
        self.record.body_sent
    }

    fn duration(&self) -> u64 {
        self.record.app_ns
    }

    fn pid(&self) -> i32 {
        sys::process::own_pid()
    }

    fn ending(&self) -> Ending {
        match self.record.outcome {
            Outcome::Answered => Ending::Answered,
            Outcome::Refused(_) => Ending::Refused,
            Outcome::Aborted => Ending::Aborted,
        }
    }

    fn reason(&self) -> Option<&str> {
        self.record.why
    }

    fn queued(&self) -> Option<u64> {
        (self.record.began != 0).then_some(self.record.queued_ns)
    }

    fn path(&self) -> Cow<'_, [u8]> {
        let Some(request) = self.record.request else { return Cow::Borrowed(path_of(self.record.raw_line)) };
        decoded_path(request)
    }

    fn user(&self) -> Option<Cow<'_, [u8]>> {
        self.record.request.and_then(basic_user).map(Cow::Owned)
    }

    fn field(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.record.request.and_then(|request| header(request, name)).map(Cow::Borrowed)
    }

    fn response_field(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let mut lines = self.record.response_head.split(|byte| *byte == b'\n');
        let _status = lines.next();
        let fields = lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        });
        let mut found = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        found.next_back().map(|(_, value)| Cow::Borrowed(value))
    }

    fn variable(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let place = self.names.iter().position(|known| known == name);
        let left = self.values.zip(place).and_then(|(values, place)| values.get(place)?.as_deref());
        left.map(Cow::Borrowed)
            .or_else(|| self.record.request.and_then(|request| common_variable(request, name)))
    }
}

/// Where the request came from, as far as that is known.
pub(crate) fn client(record: &Record<'_>) -> Option<IpAddr> {
    let forwarded = record.request.and_then(Request::forwarded_client);
    forwarded.map(|client| client.ip).or_else(|| record.peer.ip())
}

/// The variables that Gunicorn has for every request: for applications that have no environment.
fn common_variable<'a>(request: &Request<'a>, name: &str) -> Option<Cow<'a, [u8]>> {
    let text = |text: &'a str| Some(Cow::Borrowed(text.as_bytes()));
    match name {
        "request_method" => text(request.method()),
        "raw_uri" => text(request.target()),
        "query_string" => text(request.query()),
        "script_name" => text(request.script_name()),
        "path_info" => Some(decoded_path(request)),
        "server_protocol" => request.raw_line().rsplit(|byte| *byte == b' ').next().map(Cow::Borrowed),
        "remote_addr" => {
            let ip = request.forwarded_client().map(|client| client.ip).or_else(|| request.peer().ip())?;
            Some(Cow::Owned(ip.to_string().into_bytes()))
        }
        "wsgi.url_scheme" => text(if request.is_https() { "https" } else { "http" }),
        "content_type" | "content_length" => header(request, &name.replace('_', "-")).map(Cow::Borrowed),
        other => header(request, &other.strip_prefix("http_")?.replace('_', "-")).map(Cow::Borrowed),
    }
}

fn decoded_path<'a>(request: &Request<'a>) -> Cow<'a, [u8]> {
    let path = request.path().as_bytes();
    if !path.contains(&b'%') {
        return Cow::Borrowed(path);
    }
    let mut decoded = Vec::new();
    crate::escape::decode(path, &mut decoded);
    Cow::Owned(decoded)
}

fn header<'a>(request: &Request<'a>, wanted: &str) -> Option<&'a [u8]> {
    let wanted = wanted.as_bytes();
    let mut fields = request.headers();
    fields
        .find(|(name, _)| name.len() == wanted.len() && name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value)
}

/// The user that a request names by basic authentication.
fn basic_user(request: &Request<'_>) -> Option<Vec<u8>> {
    let (scheme, encoded) = header(request, "authorization")?.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = base64::decode(encoded.trim_ascii())?;
    decoded.split(|byte| *byte == b':').next().map(<[u8]>::to_vec)
}
