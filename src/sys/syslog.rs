//! A socket of syslog: datagrams or a stream, by a unix socket, UDP or TCP. Nothing here ever waits: what a syslog does not
//! take is dropped and counted, and one that cannot be reached is tried again after a second.

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, UnixAddr, connect, send, socket,
};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

/// Where a syslog is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A unix socket; of the kind that is there, unless that was said.
    Unix(PathBuf, Option<Transport>),
    /// UDP.
    Udp(SocketAddr),
    /// TCP.
    Tcp(SocketAddr),
}

/// How messages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Each is a datagram.
    Datagrams,
    /// They follow each other.
    Stream,
}

/// The longest datagram.
const LONGEST: usize = 60_000;
/// What may wait for a stream that does not keep up.
const BACKLOG: usize = 256 * 1024;
/// How long one that cannot be reached is left alone, in nanoseconds.
const PAUSE: u64 = 1_000_000_000;

/// A connection to a syslog.
#[derive(Debug)]
pub struct Sender {
    place: Place,
    connection: Option<(OwnedFd, Transport)>,
    /// What a stream has not taken yet.
    backlog: Vec<u8>,
    try_again_at: u64,
    dropped: u64,
}

impl Sender {
    /// To be connected when there is something to send.
    pub fn new(place: Place) -> Self {
        Self { place, connection: None, backlog: Vec::new(), try_again_at: 0, dropped: 0 }
    }

    /// How messages are told apart, where it can be reached now.
    pub fn transport(&mut self) -> io::Result<Transport> {
        if let Some((_, transport)) = &self.connection {
            return Ok(*transport);
        }
        let now = crate::clock::now();
        if now < self.try_again_at {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let (socket, transport) = open(&self.place).inspect_err(|_| self.try_again_at = now + PAUSE)?;
        self.connection = Some((socket, transport));
        Ok(transport)
    }

    /// Sends a message, which has been framed for this transport.
    pub fn send(&mut self, message: &[u8]) {
        match self.transport() {
            Ok(Transport::Datagrams) => self.send_datagram(&message[..message.len().min(LONGEST)]),
            Ok(Transport::Stream) if self.backlog.len() + message.len() <= BACKLOG => {
                self.backlog.extend_from_slice(message);
                self.flush();
            }
            Ok(Transport::Stream) | Err(_) => self.miss(),
        }
    }

    /// Counts a message that could not even be framed, as nobody can be reached.
    pub fn miss(&mut self) {
        self.dropped += 1;
    }

    fn send_datagram(&mut self, message: &[u8]) {
        // What is reported first may be about the message before.
        for _ in 0..2 {
            match self.push(message) {
                Ok(_) => return,
                Err(Errno::ECONNREFUSED) if matches!(self.place, Place::Udp(_)) => {}
                Err(Errno::EAGAIN | Errno::ENOBUFS) => break,
                Err(_) => {
                    self.disconnect();
                    break;
                }
            }
        }
        self.dropped += 1;
    }

    /// Sends what waits, as far as there is room.
    pub fn flush(&mut self) {
        while !self.backlog.is_empty() {
            match self.push(&self.backlog) {
                Ok(sent) => drop(self.backlog.drain(..sent)),
                // Not yet connected, or no room.
                Err(Errno::EAGAIN | Errno::ENOTCONN | Errno::EALREADY | Errno::EINPROGRESS) => return,
                Err(_) => return self.disconnect(),
            }
        }
    }

    fn push(&self, bytes: &[u8]) -> Result<usize, Errno> {
        let (socket, _) = self.connection.as_ref().ok_or(Errno::ENOTCONN)?;
        send(socket.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)
    }

    /// Lets go of the connection: it is broken, or another process has it.
    pub fn disconnect(&mut self) {
        if self.connection.take().is_some() {
            self.try_again_at = crate::clock::now() + PAUSE;
        }
        let lost = self.backlog.iter().filter(|byte| **byte == b'\n').count();
        self.dropped += lost as u64;
        self.backlog.clear();
    }

    /// This process was forked: the connection is its parent's.
    pub fn is_inherited(&mut self) {
        *self = Self::new(self.place.clone());
    }

    /// How many messages were dropped since this was asked last.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

fn open(place: &Place) -> io::Result<(OwnedFd, Transport)> {
    match place {
        Place::Unix(path, transport) => {
            let address = UnixAddr::new(path)?;
            let wanted = transport.unwrap_or(Transport::Datagrams);
            match open_as(AddressFamily::Unix, wanted, &address) {
                Err(Errno::EPROTOTYPE) if transport.is_none() => {
                    Ok(open_as(AddressFamily::Unix, Transport::Stream, &address)?)
                }
                opened => Ok(opened?),
            }
        }
        Place::Udp(address) => {
            Ok(open_as(family(address), Transport::Datagrams, &SockaddrStorage::from(*address))?)
        }
        Place::Tcp(address) => {
            Ok(open_as(family(address), Transport::Stream, &SockaddrStorage::from(*address))?)
        }
    }
}

fn open_as(
    family: AddressFamily,
    transport: Transport,
    address: &dyn nix::sys::socket::SockaddrLike,
) -> Result<(OwnedFd, Transport), Errno> {
    let kind = match transport {
        Transport::Datagrams => SockType::Datagram,
        Transport::Stream => SockType::Stream,
    };
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
    match connect(socket.as_raw_fd(), address) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok((socket, transport)),
        Err(error) => Err(error),
    }
}

fn family(address: &SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixListener};

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("rcorn-syslog-{}-{name}", std::process::id()))
    }

    #[test]
    fn datagrams_reach_whoever_listens_and_are_dropped_when_nobody_reads() {
        let path = path("dgram");
        let server = UnixDatagram::bind(&path).unwrap();
        let mut sender = Sender::new(Place::Unix(path.clone(), None));
        sender.send(b"<14>one\0");
        let mut buffer = [0; 64];
        assert_eq!(server.recv(&mut buffer).unwrap(), 8);
        (0..100_000).for_each(|_| sender.send(b"x"));
        assert!(sender.take_dropped() > 0 && sender.take_dropped() == 0);
        drop(server);
        std::fs::remove_file(path).unwrap();
        sender.send(b"x");
        assert!(sender.transport().is_err());
    }

    #[test]
    fn a_unix_socket_may_be_a_stream() {
        let path = path("stream");
        let server = UnixListener::bind(&path).unwrap();
        let mut sender = Sender::new(Place::Unix(path.clone(), None));
        sender.send(b"one\n");
        let mut buffer = [0; 64];
        assert_eq!(server.accept().unwrap().0.read(&mut buffer).unwrap(), 4);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_stream_that_does_not_keep_up_loses_whole_messages() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = Sender::new(Place::Tcp(server.local_addr().unwrap()));
        let message = [&[b'x'; 9_999][..], b"\n"].concat();
        (0..2_000).for_each(|_| sender.send(&message));
        let dropped = sender.take_dropped();
        assert!(dropped > 0);
        let (mut client, _) = server.accept().unwrap();
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            client.read_to_end(&mut all).map(|_| all)
        });
        while !sender.backlog.is_empty() {
            sender.flush();
            std::thread::yield_now();
        }
        drop(sender);
        let all = reader.join().unwrap().unwrap();
        assert_eq!((all.len() as u64, all.len() % 10_000), ((2_000 - dropped) * 10_000, 0));
    }

    #[test]
    fn nobody_at_a_udp_port_is_no_reason_to_give_up() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        drop(server);
        let mut sender = Sender::new(Place::Udp(address));
        (0..3).for_each(|_| sender.send(b"lost"));
        let server = UdpSocket::bind(address).unwrap();
        sender.send(b"found");
        let mut buffer = [0; 64];
        assert_eq!(server.recv(&mut buffer).unwrap(), 5);
    }
}
