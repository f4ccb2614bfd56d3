//! Datagrams to somebody who may or may not be there. Sending never waits, and never fails in a way that matters.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// Where they go.
#[derive(Debug)]
pub struct Datagrams(To);

#[derive(Debug)]
enum To {
    /// Not connected: that would fail for good where there is no way to the address yet.
    Udp(UdpSocket, SocketAddr),
    /// By its name each time, as whoever listens there may be another one the next time.
    Unix(UnixDatagram, PathBuf),
}

impl Datagrams {
    /// To an address.
    pub fn to_address(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
        };
        socket.set_nonblocking(true)?;
        Ok(Self(To::Udp(socket, address)))
    }

    /// To a unix socket.
    pub fn to_path(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self(To::Unix(socket, path.to_path_buf())))
    }

    /// Sends one. It is lost where there is no room, or nobody.
    pub fn send(&self, datagram: &[u8]) {
        let _ = match &self.0 {
            To::Udp(socket, address) => socket.send_to(datagram, address),
            To::Unix(socket, path) => socket.send_to(datagram, path),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_under_the_same_name_is_heard_again() {
        let path = std::env::temp_dir().join(format!("rcorn-datagram-{}", crate::process::own_pid()));
        let datagrams = Datagrams::to_path(&path).unwrap();
        datagrams.send(b"lost");
        for text in [b"one", b"two"] {
            let server = UnixDatagram::bind(&path).unwrap();
            datagrams.send(text);
            let mut heard = [0; 8];
            assert_eq!(server.recv(&mut heard).unwrap(), 3);
            assert_eq!(&heard[..3], text);
            drop(server);
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn an_address_without_a_way_to_it_is_no_failure() {
        // Of a block that is routed nowhere.
        let datagrams = Datagrams::to_address("240.0.0.1:9".parse().unwrap()).unwrap();
        datagrams.send(b"lost");
    }

    #[test]
    fn a_full_socket_holds_nobody_up() {
        let path = std::env::temp_dir().join(format!("rcorn-datagrams-{}", crate::process::own_pid()));
        let _server = UnixDatagram::bind(&path).unwrap();
        let datagrams = Datagrams::to_path(&path).unwrap();
        (0..5000).for_each(|_| datagrams.send(&[b'x'; 1000]));
        std::fs::remove_file(&path).unwrap();
    }
}
