//! One request over a unix socket, and its answer. HTTP/1.1 as the control socket speaks it, no more.

use crate::Trouble;
use contract::control::Said;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(35);

/// How long a takeover may take, and how long to wait before the next try.
const TAKEOVER: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// Speaks to one instance.
#[derive(Debug)]
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    pub(crate) fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Asks.
    pub(crate) fn get(&self, path: &str) -> Result<String, Trouble> {
        self.insist("GET", path)
    }

    /// Has something done that may as well be done twice.
    pub(crate) fn post_again(&self, path: &str) -> Result<String, Trouble> {
        self.insist("POST", path)
    }

    /// Tries again when the connection ends without an answer: another program has just taken over.
    fn insist(&self, method: &str, path: &str) -> Result<String, Trouble> {
        let begun = Instant::now();
        loop {
            match self.exchange(method, path, "") {
                Err(error) if is_cut(&error) && begun.elapsed() < TAKEOVER => std::thread::sleep(PAUSE),
                result => return self.judge(result),
            }
        }
    }

    /// Has something done.
    pub(crate) fn post(&self, path: &str, body: &str) -> Result<String, Trouble> {
        self.send("POST", path, body)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<String, Trouble> {
        self.judge(self.exchange(method, path, body))
    }

    fn judge(&self, answer: std::io::Result<String>) -> Result<String, Trouble> {
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        let (status, body) = parse(&answer).ok_or_else(|| {
            Trouble::Unreachable(format!("{} does not speak as rcorn does", self.socket.display()))
        })?;
        if status < 400 {
            return Ok(body.to_owned());
        }
        let said: Said = serde_json::from_str(body).unwrap_or_default();
        Err(Trouble::Failed(if said.message.is_empty() { format!("status {status}") } else { said.message }))
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: rcorn\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.is_empty() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(answer) }
    }

    fn unreachable(&self, error: &std::io::Error) -> Trouble {
        let socket = self.socket.display();
        Trouble::Unreachable(match error.kind() {
            ErrorKind::NotFound => format!("{socket}: it does not run, or has no control socket there"),
            ErrorKind::ConnectionRefused => {
                format!("{socket}: nobody listens there any more: it does not run")
            }
            ErrorKind::PermissionDenied => {
                format!("{socket}: you may not speak to it: see control_socket_mode, or use sudo")
            }
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                format!("{socket}: no answer: it is stopped or stuck")
            }
            _ => format!("{socket}: {error}"),
        })
    }
}

fn is_cut(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// Status and body.
fn parse(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        assert_eq!(parse("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}\n"), Some((200, "{}\n")));
        assert_eq!(parse("HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(parse("220 mail.example ESMTP\r\n\r\n"), None);
    }

    #[test]
    fn who_is_not_there_is_told_from_who_is_not_to_be_spoken_to() {
        let Err(Trouble::Unreachable(sentence)) = Client::new("/nowhere/control.sock".into()).get("/status")
        else {
            panic!("it cannot be reached")
        };
        assert!(sentence.contains("does not run"), "{sentence}");
    }
}
