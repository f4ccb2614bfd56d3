//! Listening sockets: bound by us or handed to us, and the addresses they have.

use crate::checked;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::socket::{
    self as nixsock, AddressFamily, Backlog, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr,
    sockopt,
};
use std::fmt;
use std::fs::{File, Permissions};
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a socket is, or who is at its other end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// TCP over IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A unix socket with a path.
    Unix(PathBuf),
    /// A unix socket with an abstract name (without its leading NUL).
    Abstract(Vec<u8>),
    /// A unix socket without a name, as most clients have.
    Unnamed,
}

impl Address {
    /// The IP address, where there is one.
    pub fn ip(&self) -> Option<IpAddr> {
        if let Self::Tcp(address) = self { Some(address.ip()) } else { None }
    }

    pub(crate) fn from_storage(storage: &SockaddrStorage) -> Self {
        if let Some(v4) = storage.as_sockaddr_in() {
            return Self::Tcp(SocketAddr::new(IpAddr::V4(v4.ip()), v4.port()));
        }
        if let Some(v6) = storage.as_sockaddr_in6() {
            return Self::Tcp((*v6).into());
        }
        let Some(unix) = storage.as_unix_addr() else { return Self::Unnamed };
        match (unix.path(), unix.as_abstract()) {
            (Some(path), _) => Self::Unix(path.to_path_buf()),
            (None, Some(name)) => Self::Abstract(name.to_vec()),
            (None, None) => Self::Unnamed,
        }
    }
}

/// As `bind` is written: `127.0.0.1:8000`, `[::1]:8000`, `unix:/run/app.sock`, `unix:@app`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{}", String::from_utf8_lossy(name)),
            Self::Unnamed => f.write_str("unix:"),
        }
    }
}

/// How to listen.
#[derive(Clone, Copy, Debug)]
pub struct ListenOptions {
    /// Connections that the kernel queues.
    pub backlog: i32,
    /// Let several sockets have the same address.
    pub reuse_port: bool,
    /// The mode of a unix socket's file; `None`: what the file mode mask leaves.
    pub mode: Option<u32>,
}

/// Binds and listens. A unix socket's file that nobody listens on is replaced, one in use is not.
pub fn listen(address: &Address, options: ListenOptions) -> io::Result<OwnedFd> {
    // Who else looks at the file between our bind and our listen would find nobody there.
    let _turn = if let Address::Unix(path) = address { lock_directory(path) } else { None };
    let fd = match address {
        Address::Tcp(address) => bind_tcp(address, options.reuse_port)?,
        Address::Unix(path) => bind_unix(path)?,
        Address::Abstract(name) => bind_name(&UnixAddr::new_abstract(name)?)?,
        Address::Unnamed => return Err(io::ErrorKind::InvalidInput.into()),
    };
    if let (Address::Unix(path), Some(mode)) = (address, options.mode) {
        std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    set_backlog(fd.as_fd(), options.backlog)?;
    Ok(fd)
}

/// How many connections the kernel queues from now on. Makes a bound socket one that listens.
pub fn set_backlog(fd: BorrowedFd<'_>, backlog: i32) -> io::Result<()> {
    let backlog = Backlog::new(backlog.clamp(1, i32::from(u16::MAX))).unwrap_or(Backlog::MAXCONN);
    Ok(nixsock::listen(&fd, backlog)?)
}

fn new_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(nixsock::socket(family, SockType::Stream, flags, None)?)
}

fn bind_tcp(address: &SocketAddr, reuse_port: bool) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let fd = new_socket(family)?;
    nixsock::setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    if reuse_port {
        nixsock::setsockopt(&fd, sockopt::ReusePort, &true)?;
    }
    send_at_once(fd.as_fd());
    nixsock::bind(fd.as_raw_fd(), &SockaddrStorage::from(*address))?;
    Ok(fd)
}

fn bind_unix(path: &Path) -> io::Result<OwnedFd> {
    let name = UnixAddr::new(path)?;
    match bind_name(&name) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(path) => {
            std::fs::remove_file(path)?;
            bind_name(&name)
        }
        result => result,
    }
}

fn bind_name(name: &UnixAddr) -> io::Result<OwnedFd> {
    let fd = new_socket(AddressFamily::Unix)?;
    nixsock::bind(fd.as_raw_fd(), name)?;
    Ok(fd)
}

/// True for the socket file of a server that is gone. One that is too busy to answer is not gone.
fn is_stale(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    let Ok(client) = new_socket(AddressFamily::Unix) else { return false };
    let connected = UnixAddr::new(path).and_then(|name| nixsock::connect(client.as_raw_fd(), &name));
    is_socket && connected == Err(Errno::ECONNREFUSED)
}

/// One process at a time may put a socket into a directory. Other programs lock directories too, so nobody waits
/// for long: without the lock the only risk is that two servers start in the same instant.
fn lock_directory(path: &Path) -> Option<Flock<File>> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut directory = File::open(parent).ok()?;
    for _ in 0..LOCK_ATTEMPTS {
        directory = match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
            Ok(locked) => return Some(locked),
            Err((directory, _)) => directory,
        };
        std::thread::sleep(LOCK_PAUSE);
    }
    None
}

const LOCK_ATTEMPTS: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Switches Nagle's delay off; connections inherit that from their listener. Meaningless for unix sockets.
pub fn send_at_once(listener: BorrowedFd<'_>) {
    let _ = nixsock::setsockopt(&listener, sockopt::TcpNoDelay, &true);
}

/// The address that a socket is bound to.
pub fn local_address(fd: BorrowedFd<'_>) -> io::Result<Address> {
    Ok(Address::from_storage(&nixsock::getsockname::<SockaddrStorage>(fd.as_raw_fd())?))
}

/// Whether a descriptor that was handed to us can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A stream socket that listens.
    Listening,
    /// A stream socket that does not listen (connected, or `Accept=yes`).
    NotListening,
    /// A datagram or sequential-packet socket.
    NotStream,
    /// No socket at all.
    NotSocket,
}

/// Looks at a descriptor that was handed to us.
pub fn kind(fd: BorrowedFd<'_>) -> Kind {
    let Ok(socket_type) = nixsock::getsockopt(&fd, sockopt::SockType) else { return Kind::NotSocket };
    if socket_type != SockType::Stream {
        return Kind::NotStream;
    }
    match nixsock::getsockopt(&fd, sockopt::AcceptConn) {
        Ok(true) => Kind::Listening,
        _ => Kind::NotListening,
    }
}

/// Accepts one connection: non-blocking and close-on-exec. `None` when none is waiting.
pub fn accept(listener: BorrowedFd<'_>) -> io::Result<Option<(OwnedFd, Address)>> {
    use std::os::fd::FromRawFd;
    let mut storage = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the kernel writes at most `length` bytes into `storage`.
    let number =
        unsafe { libc::accept4(listener.as_raw_fd(), storage.as_mut_ptr().cast(), &raw mut length, flags) };
    let number = match checked(number) {
        Ok(number) => number,
        Err(error) => return accept_failed(error),
    };
    // SAFETY: the kernel just made this descriptor for us.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    // SAFETY: the kernel filled `length` bytes of a zeroed storage.
    let peer = unsafe { SockaddrStorage::from_raw(storage.as_ptr().cast(), Some(length)) };
    Ok(Some((fd, peer.map_or(Address::Unnamed, |peer| Address::from_storage(&peer)))))
}

fn accept_failed(error: io::Error) -> io::Result<Option<(OwnedFd, Address)>> {
    match error.raw_os_error() {
        // Nobody waits, or the one who waited gave up, or the network had something to say about it (accept(2)).
        Some(
            libc::EAGAIN
            | libc::EINTR
            | libc::ECONNABORTED
            | libc::EPERM
            | libc::EPROTO
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::ENOPROTOOPT
            | libc::EOPNOTSUPP,
        ) => Ok(None),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    const OPTIONS: ListenOptions = ListenOptions { backlog: 16, reuse_port: false, mode: None };

    #[test]
    fn a_free_port_is_bound_and_named() {
        let listener = listen(&Address::Tcp("127.0.0.1:0".parse().unwrap()), OPTIONS).unwrap();
        let Address::Tcp(address) = local_address(listener.as_fd()).unwrap() else { panic!("not TCP") };
        assert!(accept(listener.as_fd()).unwrap().is_none());
        let client = std::net::TcpStream::connect(address).unwrap();
        let (_, peer) = accept(listener.as_fd()).unwrap().unwrap();
        assert_eq!(peer, Address::Tcp(client.local_addr().unwrap()));
        assert_eq!(kind(listener.as_fd()), Kind::Listening);
        assert_eq!(listen(&Address::Tcp(address), OPTIONS).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_stale_socket_file_is_replaced_and_a_live_one_is_not() {
        let path = std::env::temp_dir().join(format!("rcorn-socket-{}", crate::process::own_pid()));
        let address = Address::Unix(path.clone());
        drop(listen(&address, OPTIONS).unwrap());
        let listener = listen(&address, OPTIONS).unwrap();
        assert_eq!(listen(&address, OPTIONS).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let _client = UnixStream::connect(&path).unwrap();
        assert!(accept(listener.as_fd()).unwrap().is_some());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_server_that_is_too_busy_to_answer_keeps_its_socket() {
        let path = std::env::temp_dir().join(format!("rcorn-busy-{}", crate::process::own_pid()));
        let address = Address::Unix(path.clone());
        let _listener = listen(&address, ListenOptions { backlog: 1, mode: Some(0o600), ..OPTIONS }).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let clients: Vec<OwnedFd> = std::iter::repeat_with(|| new_socket(AddressFamily::Unix).unwrap())
            .take_while(|client| nixsock::connect(client.as_raw_fd(), &UnixAddr::new(&path).unwrap()).is_ok())
            .collect();
        assert!(!clients.is_empty() && !is_stale(&path));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn addresses_read_as_they_are_written() {
        assert_eq!(Address::Tcp("[::1]:80".parse().unwrap()).to_string(), "[::1]:80");
        assert_eq!(Address::Abstract(b"app".to_vec()).to_string(), "unix:@app");
    }

    #[test]
    fn what_cannot_be_served_is_told_apart() {
        let (stream, _other) = UnixStream::pair().unwrap();
        let datagram = std::os::unix::net::UnixDatagram::unbound().unwrap();
        let file = File::open("/dev/null").unwrap();
        assert_eq!(kind(stream.as_fd()), Kind::NotListening);
        assert_eq!(kind(datagram.as_fd()), Kind::NotStream);
        assert_eq!(kind(file.as_fd()), Kind::NotSocket);
    }
}
