//! What the kernel tells of its queues: how many connections wait at a listener, and for how long bytes have lain at a
//! connection. TCP sockets are asked themselves, unix sockets by sock_diag(7). What cannot be told is `None`.

use crate::checked;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, getsockname, recv, send, socket,
};
use nix::sys::socket::{SockaddrLike, SockaddrStorage};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Connections that wait to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// So many there are.
    pub waiting: u32,
    /// So many there may be.
    pub limit: u32,
}

/// Who waits at a listening socket.
pub fn backlog(listener: BorrowedFd<'_>) -> Option<Backlog> {
    match getsockname::<SockaddrStorage>(listener.as_raw_fd()).ok()?.family()? {
        AddressFamily::Inet | AddressFamily::Inet6 => {
            // Of a listener these two mean something else than of a connection (tcp_get_info in the kernel).
            let info = tcp_info(listener)?;
            Some(Backlog { waiting: info.tcpi_unacked, limit: info.tcpi_sacked })
        }
        AddressFamily::Unix => unix_backlog(inode(listener)?),
        _ => None,
    }
}

/// For how many nanoseconds nothing has arrived at a TCP connection, in steps of the kernel's clock.
pub fn since_last_data(connection: BorrowedFd<'_>) -> Option<u64> {
    tcp_info(connection).map(|info| u64::from(info.tcpi_last_data_recv) * 1_000_000)
}

fn tcp_info(fd: BorrowedFd<'_>) -> Option<libc::tcp_info> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    let (number, place) = (fd.as_raw_fd(), info.as_mut_ptr().cast());
    // SAFETY: the kernel writes at most `length` bytes into `info`.
    let told = unsafe { libc::getsockopt(number, libc::IPPROTO_TCP, libc::TCP_INFO, place, &raw mut length) };
    checked(told).ok()?;
    // SAFETY: all of it is numbers, and what the kernel did not write is nought.
    Some(unsafe { info.assume_init() })
}

fn inode(fd: BorrowedFd<'_>) -> Option<u32> {
    u32::try_from(nix::sys::stat::fstat(fd).ok()?.st_ino).ok()
}

/// The kind of message that asks for one socket, and that answers.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
/// "Show how long its queue is", and the attribute that does.
const UDIAG_SHOW_RQLEN: u32 = 0x10;
const UNIX_DIAG_RQLEN: u16 = 4;
/// The lengths of `nlmsghdr` and `unix_diag_msg`.
const HEADER: usize = 16;
const MESSAGE: usize = 16;

fn unix_backlog(inode: u32) -> Option<Backlog> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let kernel = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkSockDiag).ok()?;
    send(kernel.as_raw_fd(), &question(inode), MsgFlags::empty()).ok()?;
    let mut answer = [0; 512];
    // It has been put there before `send` came back.
    let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT).ok()?;
    understood(&answer[..length])
}

/// `nlmsghdr` and `unix_diag_req` (linux/netlink.h, linux/unix_diag.h).
fn question(inode: u32) -> Vec<u8> {
    let (every_state, no_cookie) = (u32::MAX, u32::MAX);
    let words = [every_state, inode, UDIAG_SHOW_RQLEN, no_cookie, no_cookie];
    let length = HEADER + 4 + 4 * words.len();
    let mut question = Vec::with_capacity(length);
    question.extend((length as u32).to_ne_bytes());
    question.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    question.extend(NLM_F_REQUEST.to_ne_bytes());
    question.extend([0; 8]);
    // The family is one byte, and three are nought behind it.
    question.push(libc::AF_UNIX as u8);
    question.extend([0; 3]);
    question.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    question
}

fn understood(answer: &[u8]) -> Option<Backlog> {
    let short = |at: usize, of: &[u8]| Some(u16::from_ne_bytes(of.get(at..at + 2)?.try_into().ok()?));
    let long = |at: usize, of: &[u8]| Some(u32::from_ne_bytes(of.get(at..at + 4)?.try_into().ok()?));
    if short(4, answer)? != SOCK_DIAG_BY_FAMILY {
        return None;
    }
    let mut attributes = answer.get(HEADER + MESSAGE..)?;
    loop {
        let length = usize::from(short(0, attributes)?);
        if short(2, attributes)? == UNIX_DIAG_RQLEN {
            return Some(Backlog { waiting: long(4, attributes)?, limit: long(8, attributes)? });
        }
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::{Address, ListenOptions, accept, listen, local_address};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn listener(address: &Address) -> std::os::fd::OwnedFd {
        listen(address, ListenOptions { backlog: 7, reuse_port: false, mode: None }).unwrap()
    }

    #[test]
    fn who_waits_at_a_tcp_listener_is_counted() {
        let listener = listener(&Address::Tcp("127.0.0.1:0".parse().unwrap()));
        let Address::Tcp(address) = local_address(listener.as_fd()).unwrap() else { panic!("not TCP") };
        assert_eq!(backlog(listener.as_fd()), Some(Backlog { waiting: 0, limit: 7 }));
        let _clients: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        assert_eq!(backlog(listener.as_fd()), Some(Backlog { waiting: 3, limit: 7 }));
        let (connection, _) = accept(listener.as_fd()).unwrap().unwrap();
        assert_eq!(backlog(listener.as_fd()).unwrap().waiting, 2);
        assert!(since_last_data(connection.as_fd()).is_some());
    }

    #[test]
    fn who_waits_at_a_unix_listener_is_counted() {
        let path = std::env::temp_dir().join(format!("rcorn-backlog-{}", crate::process::own_pid()));
        let listener = listener(&Address::Unix(path.clone()));
        let _clients: Vec<_> = (0..2).map(|_| UnixStream::connect(&path).unwrap()).collect();
        std::fs::remove_file(path).unwrap();
        assert_eq!(backlog(listener.as_fd()), Some(Backlog { waiting: 2, limit: 7 }));
    }

    #[test]
    fn of_others_nothing_is_told() {
        let (stream, _other) = UnixStream::pair().unwrap();
        assert_eq!(since_last_data(stream.as_fd()), None);
        assert_eq!(backlog(std::fs::File::open("/dev/null").unwrap().as_fd()), None);
        assert_eq!(understood(b"no such message at all"), None);
    }
}
