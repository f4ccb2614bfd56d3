//! Where a statsd server is: `HOST`, `HOST:PORT`, `[IPV6]:PORT`, `unix://PATH`. Names are looked up later, as a name
//! server that is not there is no reason not to serve.

use super::host;
use contract::statsd::Target;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The port where none is given.
const PORT: u16 = 8125;
const FORMS: &str = "HOST:PORT, [IPV6]:PORT or unix://PATH";

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StatsdHost {
    /// A host, by name or number, and a port.
    Udp(String, u16),
    /// A unix socket.
    Unix(PathBuf),
}

impl StatsdHost {
    /// The address, or a sentence that says why there is none.
    pub(crate) fn find(&self) -> Result<Target, String> {
        match self {
            // Workers may be in another directory.
            Self::Unix(path) => Ok(Target::Unix(std::path::absolute(path).unwrap_or_else(|_| path.clone()))),
            Self::Udp(host, port) => {
                host::find(host, *port).map(Target::Udp).ok_or_else(|| {
                    format!("statsd_host: no address of {host:?} is known; nothing is told to it before the next reload")
                })
            }
        }
    }
}

/// The place that `text` names.
pub(super) fn parse(text: &str) -> Result<StatsdHost, String> {
    let expected = || format!("expected {FORMS}, found {text:?}");
    let place = text.strip_prefix("udp://").unwrap_or(text);
    if let Some(path) = place.strip_prefix("unix:").filter(|rest| rest.parse::<u16>().is_err()) {
        let path = path.strip_prefix("//").unwrap_or(path);
        return if path.is_empty() { Err(expected()) } else { Ok(StatsdHost::Unix(path.into())) };
    }
    let (host, port) = host::parse(place, PORT, FORMS)?;
    if host.is_empty() || port == 0 || host.contains(char::is_whitespace) {
        return Err(expected());
    }
    Ok(StatsdHost::Udp(host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        let udp = |host: &str, port| StatsdHost::Udp(host.to_owned(), port);
        for (text, place) in [
            ("localhost:8125", udp("localhost", 8125)),
            ("statsd.example", udp("statsd.example", 8125)),
            ("[::1]:99", udp("::1", 99)),
            ("udp://10.0.0.1:9", udp("10.0.0.1", 9)),
            // A host of this name, as Gunicorn has it.
            ("unix:8126", udp("unix", 8126)),
            ("unix:///run/dd.sock", StatsdHost::Unix("/run/dd.sock".into())),
            ("unix:/run/dd.sock", StatsdHost::Unix("/run/dd.sock".into())),
        ] {
            assert_eq!(parse(text), Ok(place), "{text}");
        }
        assert_eq!(udp("::1", 99).find(), Ok(Target::Udp("[::1]:99".parse().unwrap())));
        for text in
            ["", ":8125", "::1", "[::1", "[::1]8125", "a b:1", "host:port", "host:0", "unix:", "unix://"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_told() {
        let sentence = StatsdHost::Udp("no-such-host.invalid".into(), 8125).find().unwrap_err();
        assert!(sentence.contains("no-such-host.invalid"), "{sentence}");
    }
}
