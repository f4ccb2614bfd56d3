//! Answers as many requests as it is told to, one after the other on one connection, all in this thread: what
//! `tests/speed` counts the instructions of. The application is as small as can be, and there is no Python.

use http::{App, Config, Manner, Observer, Record, Reply, Request, Server, Share};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

const REQUEST: &[u8] = b"GET /index?a=1 HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\
    Accept: text/html,application/json;q=0.9\r\nAccept-Language: en\r\nAccept-Encoding: gzip\r\nCookie: a=b; c=d\r\n\r\n";
const HELLO: &[u8] = b"Hello, world!";

struct Hello;

impl App for Hello {
    const MANNER: Manner = Manner::Inline;

    fn call(&mut self, _: &Request<'_>, reply: &mut Reply<'_>) {
        let begun = reply.begin(b"200 OK").is_ok()
            && reply.header(b"Content-Type", b"text/plain").is_ok()
            && reply.header(b"Content-Length", b"13").is_ok();
        if begun && reply.write(HELLO, true).is_ok() {
            let _ = reply.finish();
        }
    }

    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        wait()
    }

    fn interrupted(&mut self) {}
}

/// Counts answers.
#[derive(Default)]
struct Counter {
    ended: usize,
}

impl Observer for Counter {
    fn share(&self) -> Share {
        Share { workers: 1, total: 0, others_free: false }
    }
    fn connections(&mut self, _: usize) {}
    fn waiting(&mut self) {}
    fn began(&mut self, _: &Request<'_>) {}
    fn ended(&mut self, _: &Record<'_>) {
        self.ended += 1;
    }
}

fn main() -> std::io::Result<()> {
    let count: usize = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1000);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let mut server = Server::new(Config::default(), vec![listener.into()])?;
    let mut counter = Counter::default();
    // A turn that takes long accepts nobody, and one that only accepts answers nobody.
    while server.connections() == 0 {
        server.turn(&mut Hello, &mut counter)?;
    }
    let mut answer = [0; 4096];
    for before in 0..count {
        client.write_all(REQUEST)?;
        while counter.ended == before {
            server.turn(&mut Hello, &mut counter)?;
        }
        let length = client.read(&mut answer)?;
        assert!(answer[..length].ends_with(HELLO), "{}", String::from_utf8_lossy(&answer[..length]));
    }
    Ok(())
}
