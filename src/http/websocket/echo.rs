//! A websocket server that says what it hears, one thread a connection: what real clients are tried against, and the
//! smallest program that uses the layer. Only the tests see it (feature `fuzzing`).
//!
//! The query of a request may set limits: `?limit=1000&ping=50&silence=100&compression=0&drain=1`.

use super::{Answer, Config, Event, Handshake, Offer, Session};
use crate::head::{Head, Progress};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::spool::Body;
use crate::status::reason;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};
use sys::socket::Address;

/// Serves one connection to its end.
pub fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (head, rest) = read_head(&mut stream)?;
    match open(&head) {
        Ok((offer, config)) => Echo::accept(stream, &offer, config)?.run(rest),
        Err(Refusal { status, why }) => write!(
            stream,
            "HTTP/1.1 {status} {}\r\nContent-Length: {}\r\n\r\n{why}",
            reason(status),
            why.len()
        ),
    }
}

/// Reads to the end of the head: the head, and what came with it.
fn read_head(stream: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut bytes, mut room) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((bytes, rest));
        }
        match stream.read(&mut room)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&room[..count]),
        }
    }
}

fn open(bytes: &[u8]) -> Result<(Offer, Config), Refusal> {
    with_request(bytes, |request| match Handshake::read(request) {
        Handshake::Offered(offer) => Ok((offer, settings(request.query()))),
        Handshake::Refused(refusal) => Err(refusal),
        Handshake::No => Err(Refusal::new(426, "this server speaks websocket only")),
    })
}

/// Parses a head without a body.
pub(super) fn with_request<T>(
    bytes: &[u8],
    then: impl FnOnce(&Request<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut head = Head::default();
    let Progress::Whole(_) = head.parse(bytes, 0, &crate::Config::default(), false)? else {
        return Err(Refusal::bad("the head is not whole"));
    };
    then(&Request {
        head: &head,
        bytes,
        body: Body::Empty,
        peer: &Address::Unnamed,
        proxied: None,
        listener: 0,
    })
}

fn settings(query: &str) -> Config {
    let mut config = Config { ping_interval: 0, ..Config::default() };
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let number = value.parse().unwrap_or(0);
        match name {
            "limit" => config.message_limit = number as usize,
            "ping" => config.ping_interval = number,
            "silence" => config.ping_timeout = number,
            "compression" => config.compression = number != 0,
            _ => {}
        }
    }
    config
}

struct Echo {
    stream: TcpStream,
    session: Session,
    out: Vec<u8>,
    began: Instant,
}

impl Echo {
    fn accept(stream: TcpStream, offer: &Offer, config: Config) -> io::Result<Self> {
        let mut out = Vec::new();
        let answer = Answer { subprotocol: offer.subprotocols().next(), common: b"\r\n", fields: [] };
        let session = offer
            .accept(answer, &config, 1, &mut out)
            .map_err(|bad| io::Error::new(ErrorKind::InvalidInput, bad.to_string()))?;
        Ok(Self { stream, session, out, began: Instant::now() })
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64 + 1
    }

    fn run(mut self, first: Vec<u8>) -> io::Result<()> {
        let mut bytes = first;
        let mut room = vec![0; 64 * 1024];
        loop {
            self.hear(&bytes);
            self.session.tick(self.now(), &mut self.out);
            self.stream.write_all(&self.out)?;
            self.out.clear();
            if self.session.is_over() {
                return self.hang_up(&mut room);
            }
            bytes.clear();
            match self.read(&mut room) {
                Ok(0) => drop(self.session.lost()),
                Ok(count) => bytes.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for bytes no longer than until something is due.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let patience = match self.session.deadline() {
            0 => None,
            at => Some(Duration::from_millis(at.saturating_sub(self.now()).max(1))),
        };
        self.stream.set_read_timeout(patience)?;
        self.stream.read(room)
    }

    fn hear(&mut self, mut input: &[u8]) {
        let mut said = Vec::new();
        while let Some(event) = self.session.receive(&mut input, &mut self.out) {
            match event {
                Event::Text(text) => said.push((true, text.as_bytes().to_vec())),
                Event::Binary(bytes) => said.push((false, bytes.to_vec())),
                Event::Ended(_) => {}
            }
            for (is_text, bytes) in said.drain(..) {
                self.say(is_text, &bytes);
            }
        }
    }

    fn say(&mut self, is_text: bool, bytes: &[u8]) {
        let now = self.now();
        let _ = match (is_text, bytes) {
            (true, b"please drain") => {
                self.session.drain(now, &mut self.out);
                Ok(())
            }
            (true, text) => {
                self.session.send_text(std::str::from_utf8(text).unwrap_or_default(), &mut self.out)
            }
            (false, bytes) => self.session.send_binary(bytes, &mut self.out),
        };
    }

    fn hang_up(&mut self, room: &mut [u8]) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        self.stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        while self.stream.read(room)? > 0 {}
        Ok(())
    }
}
