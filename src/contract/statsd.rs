//! Lines for a statsd server, named and formed as Gunicorn's are, and the sender that workers and arbiter have.
//!
//! Lines that belong to one turn of a loop share a datagram, as every statsd server reads several lines. What cannot be
//! sent at once is lost, and nobody waits.

use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use sys::datagram::Datagrams;

/// What a datagram may have in it: what a network passes on whole, and what agents read from a unix socket.
const UDP_ROOM: usize = 1432;
const UNIX_ROOM: usize = 8192;

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// At an address.
    Udp(SocketAddr),
    /// At a unix socket.
    Unix(PathBuf),
}

/// What is told to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsdSettings {
    /// To whom.
    pub target: Target,
    /// What names begin with.
    pub prefix: String,
    /// What stands behind each line, for DogStatsD.
    pub tags: String,
}

/// Lines that wait to be sent.
#[derive(Debug)]
pub struct Statsd {
    datagrams: Datagrams,
    room: usize,
    prefix: String,
    suffix: String,
    lines: Vec<u8>,
}

impl Statsd {
    /// A sender. Nobody need be there.
    pub fn open(settings: &StatsdSettings) -> io::Result<Self> {
        let (datagrams, room) = match &settings.target {
            Target::Udp(address) => (Datagrams::to_address(*address)?, UDP_ROOM),
            Target::Unix(path) => (Datagrams::to_path(path)?, UNIX_ROOM),
        };
        let prefix = settings.prefix.trim_end_matches('.');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
        let suffix = if settings.tags.is_empty() { String::new() } else { format!("|#{}", settings.tags) };
        Ok(Self { datagrams, room, prefix, suffix, lines: Vec::new() })
    }

    /// Something happened so many times.
    pub fn count(&mut self, name: impl std::fmt::Display, times: u64) {
        self.line(format_args!("{name}:{times}|c|@1.0"));
    }

    /// Something took so many nanoseconds.
    pub fn time(&mut self, name: &str, nanoseconds: u64) {
        let (whole, part) = (nanoseconds / 1_000_000, nanoseconds / 1000 % 1000);
        self.line(format_args!("{name}:{whole}.{part:03}|ms"));
    }

    /// There are so many of something now.
    pub fn gauge(&mut self, name: &str, value: u64) {
        self.line(format_args!("{name}:{value}|g"));
    }

    /// There are so many of something now, and how these spread is of interest.
    pub fn histogram(&mut self, name: &str, value: u64) {
        self.line(format_args!("{name}:{value}|h"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let before = self.lines.len();
        if before > 0 {
            self.lines.push(b'\n');
        }
        let _ = write!(self.lines, "{}{line}{}", self.prefix, self.suffix);
        if self.lines.len() > self.room && before > 0 {
            self.datagrams.send(&self.lines[..before]);
            self.lines.drain(..=before);
        }
    }

    /// Sends what there is.
    pub fn flush(&mut self) {
        if !self.lines.is_empty() {
            self.datagrams.send(&self.lines);
            self.lines.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    fn sender(prefix: &str, tags: &str) -> (UdpSocket, Statsd) {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let target = Target::Udp(server.local_addr().unwrap());
        let settings = StatsdSettings { target, prefix: prefix.into(), tags: tags.into() };
        (server, Statsd::open(&settings).unwrap())
    }

    fn heard(server: &UdpSocket) -> String {
        let mut datagram = [0; 2000];
        let length = server.recv(&mut datagram).unwrap();
        String::from_utf8_lossy(&datagram[..length]).into_owned()
    }

    #[test]
    fn lines_of_every_kind_share_a_datagram() {
        let (server, mut statsd) = sender("shop..", "env:test,a");
        statsd.time("duration", 1_234_567_890);
        statsd.count("requests", 1);
        statsd.gauge("workers", 4);
        statsd.histogram("backlog", 0);
        statsd.flush();
        statsd.flush();
        let lines = ["duration:1234.567|ms", "requests:1|c|@1.0", "workers:4|g", "backlog:0|h"];
        assert_eq!(heard(&server), lines.map(|line| format!("shop.{line}|#env:test,a")).join("\n"));
    }

    #[test]
    fn no_line_is_cut_and_no_datagram_is_too_long() {
        let (server, mut statsd) = sender("", "");
        (0..200).for_each(|number| statsd.count(format_args!("metric.{number}"), 1));
        statsd.flush();
        let mut lines = Vec::new();
        while lines.len() < 200 {
            let datagram = heard(&server);
            assert!(datagram.len() <= UDP_ROOM);
            lines.extend(datagram.lines().map(str::to_owned));
        }
        let expected: Vec<String> = (0..200).map(|number| format!("metric.{number}:1|c|@1.0")).collect();
        assert_eq!(lines, expected);
    }
}
