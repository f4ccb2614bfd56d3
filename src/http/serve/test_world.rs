//! A server on a real socket with a fake application, turned by hand: nothing happens unless a test turns it.

use super::*;
use crate::app::{Manner, Outcome, Record, Share};
use crate::reply::Reply;
use crate::request::Request;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use sys::socket::{Address, ListenOptions};

pub(super) type Call = Box<dyn FnMut(&Request<'_>, &mut Reply<'_>)>;

/// Answers with the target, or as it is told.
pub(super) struct Application {
    pub(super) targets: Vec<String>,
    pub(super) call: Option<Call>,
}

impl App for Application {
    const MANNER: Manner = Manner::Inline;

    fn call(&mut self, request: &Request<'_>, reply: &mut Reply<'_>) {
        self.targets.push(request.target().to_owned());
        match &mut self.call {
            Some(call) => call(request, reply),
            None => {
                reply.begin(b"200 OK").unwrap();
                let _ = reply.write(request.target().as_bytes(), true);
                let _ = reply.finish();
            }
        }
    }

    fn release<R: Send>(&mut self, wait: impl FnOnce() -> R + Send) -> R {
        wait()
    }

    fn interrupted(&mut self) {}
}

/// Remembers what became of each request.
pub(super) struct Books {
    pub(super) share: Share,
    pub(super) ended: Vec<(String, u16, Outcome)>,
    /// Nanoseconds that each waited.
    pub(super) queued: Vec<u64>,
    /// Why, and the head of the response.
    pub(super) further: Vec<(Option<&'static str>, String)>,
}

impl Observer for Books {
    fn share(&self) -> Share {
        self.share
    }
    fn connections(&mut self, _: usize) {}
    fn waiting(&mut self) {}
    fn began(&mut self, _: &Request<'_>) {}
    fn ended(&mut self, record: &Record<'_>) {
        let line = String::from_utf8_lossy(record.raw_line).into_owned();
        self.ended.push((line, record.status, record.outcome));
        self.queued.push(record.queued_ns);
        let head = String::from_utf8_lossy(record.response_head).into_owned();
        self.further.push((record.why, head));
    }
}

pub(super) struct World<A = Application> {
    pub(super) server: Server,
    pub(super) app: A,
    pub(super) books: Books,
    pub(super) address: SocketAddr,
    /// Always readable, so that no turn waits.
    _restless: (UnixStream, UnixStream),
}

impl World {
    pub(super) fn new(config: Config) -> Self {
        Self::with(Application { targets: Vec::new(), call: None }, config)
    }

    /// On a listener that tests connect to by themselves.
    pub(super) fn on(listener: OwnedFd, config: Config) -> Self {
        Self::of(Application { targets: Vec::new(), call: None }, listener, config)
    }

    /// Has every request answered by `call`.
    pub(super) fn answer_by(&mut self, call: impl FnMut(&Request<'_>, &mut Reply<'_>) + 'static) {
        self.app.call = Some(Box::new(call));
    }
}

impl<A: App> World<A> {
    /// Around an application of another kind.
    pub(super) fn with(app: A, config: Config) -> Self {
        let options = ListenOptions { backlog: 64, reuse_port: false, mode: None };
        let listener = sys::socket::listen(&Address::Tcp("127.0.0.1:0".parse().unwrap()), options).unwrap();
        let Address::Tcp(address) = sys::socket::local_address(listener.as_fd()).unwrap() else { panic!() };
        Self { address, ..Self::of(app, listener, config) }
    }

    fn of(app: A, listener: OwnedFd, config: Config) -> Self {
        let address = SocketAddr::from(([0; 4], 0));
        let server = Server::new(config, vec![listener]).unwrap();
        let restless = UnixStream::pair().unwrap();
        (&restless.0).write_all(b"x").unwrap();
        // As a connection that is gone: nobody attends to it.
        server.poller.add(restless.1.as_fd(), tokens::connection(1 << 40), Interest::Read).unwrap();
        let share = Share { workers: 1, total: 0, others_free: false };
        let books = Books { share, ended: Vec::new(), queued: Vec::new(), further: Vec::new() };
        Self { server, app, books, address, _restless: restless }
    }

    pub(super) fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).unwrap();
        client.set_nodelay(true).unwrap();
        client
    }

    pub(super) fn turn(&mut self) {
        self.server.turn(&mut self.app, &mut self.books).unwrap();
    }

    pub(super) fn turn_until(&mut self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !reached(self) {
            assert!(Instant::now() < deadline, "not reached: {what}");
            self.turn();
        }
    }

    /// Turns until the server closes, and gives all that came.
    pub(super) fn read_to_end(&mut self, client: &mut TcpStream) -> String {
        client.set_nonblocking(true).unwrap();
        let (mut text, mut buffer) = (Vec::new(), [0; 65536]);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match client.read(&mut buffer) {
                Ok(0) => return String::from_utf8_lossy(&text).into_owned(),
                Ok(length) => text.extend_from_slice(&buffer[..length]),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "after {} bytes", text.len());
                }
            }
            assert!(
                Instant::now() < deadline,
                "the server did not close: {}",
                String::from_utf8_lossy(&text)
            );
            self.turn();
        }
    }
}

/// A request for `target`.
pub(super) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// Closes so that the other side sees a reset; the last descriptor of the socket must be among those that close.
pub(super) fn reset(client: TcpStream) {
    stream::reset_when_closed(&client);
    drop(client);
}

pub(super) fn send(client: &TcpStream, bytes: impl AsRef<[u8]>) {
    (&*client).write_all(bytes.as_ref()).unwrap();
}

/// Turns, and reads what is here, until `enough`.
pub(super) fn read_until<A: App>(
    world: &mut World<A>,
    client: &TcpStream,
    enough: impl Fn(&str) -> bool,
) -> String {
    client.set_nonblocking(true).unwrap();
    let mut text = String::new();
    let mut buffer = [0; 65536];
    world.turn_until("the client has read enough", |_| {
        while let Ok(length @ 1..) = (&*client).read(&mut buffer) {
            text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
        enough(&text)
    });
    text
}
