//! The sockets that are served: bound here, or handed to us. A generation holds those that it serves; the last one
//! to let go of a listener closes it and removes the socket file that was made for it.

use super::state::{Crossing, ListenerState};
use crate::settings::{Bind, Settings};
use crate::socket_file::SocketFile;
use contract::descriptors::MOST_LISTENERS;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::rc::Rc;
use sys::socket::{self, Address, Kind, ListenOptions};
use sys::user::{Credentials, set_umask};

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    asked: Bind,
    address: Address,
    fd: OwnedFd,
    _file: Option<SocketFile>,
}

impl Listener {
    /// Takes over a descriptor that we were started with; `name` is what it is called where it cannot be served.
    pub(crate) fn adopt(number: i32, name: &str) -> Result<Rc<Self>, String> {
        let refuse = |what: &str| format!("{name} {what}");
        let fd = take(number).map_err(|error| refuse(&format!("cannot be used: {error}")))?;
        match socket::kind(fd.as_fd()) {
            Kind::Listening => {}
            Kind::NotListening => {
                return Err(refuse("does not listen; a unit for it needs ListenStream= and Accept=no"));
            }
            Kind::NotStream => {
                return Err(refuse("is no stream socket; a unit for it needs ListenStream="));
            }
            Kind::NotSocket => return Err(refuse("is no socket")),
        }
        let prepared = sys::fd::set_nonblocking(&fd, true).and_then(|()| socket::local_address(fd.as_fd()));
        let address = prepared.map_err(|error| refuse(&format!("cannot be used: {error}")))?;
        socket::send_at_once(fd.as_fd());
        Ok(Rc::new(Self { asked: Bind::Fd(number), address, fd, _file: None }))
    }

    /// As it crosses.
    pub(crate) fn pack(&self, crossing: &mut Crossing) -> ListenerState {
        let file = self._file.as_ref().map(SocketFile::pack);
        ListenerState { asked: self.asked.clone(), fd: crossing.keep(self.as_fd()), file }
    }

    /// As it was before it crossed.
    pub(crate) fn unpack(state: ListenerState) -> io::Result<Rc<Self>> {
        let fd = sys::fd::adopt(state.fd)?;
        let file = state.file.map(SocketFile::unpack);
        Ok(Rc::new(Self { asked: state.asked, address: socket::local_address(fd.as_fd())?, fd, _file: file }))
    }

    /// The settings may ask for another backlog than before. That of a socket which was handed to us is not ours to say.
    pub(crate) fn refresh(&self, settings: &Settings) -> io::Result<()> {
        match self.asked {
            Bind::Address(_) => socket::set_backlog(self.as_fd(), settings.backlog),
            Bind::Fd(_) => Ok(()),
        }
    }

    fn bind(address: &Address, settings: &Settings, owner: Option<&Credentials>) -> Result<Self, String> {
        let options =
            ListenOptions { backlog: settings.backlog, reuse_port: settings.reuse_port, mode: None };
        let mask = set_umask(settings.umask);
        let bound = socket::listen(address, options);
        set_umask(mask);
        let describe = |error: io::Error| sentence(address, &error);
        let fd = bound.map_err(describe)?;
        let file = if let Address::Unix(path) = address {
            Some(SocketFile::made(path, owner).map_err(describe)?)
        } else {
            None
        };
        let address = socket::local_address(fd.as_fd()).map_err(describe)?;
        let asked = Bind::Address(address.clone());
        Ok(Self { asked, address, fd, _file: file })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// As one types it into a browser.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp(address) => write!(f, "http://{address}"),
            other => other.fmt(f),
        }
    }
}

/// The listeners that the settings ask for: those of `open` that fit, and new ones for the rest.
pub(crate) fn gather(
    settings: &Settings,
    open: &[Rc<Listener>],
    owner: Option<&Credentials>,
) -> Result<Vec<Rc<Listener>>, String> {
    let mut gathered: Vec<Rc<Listener>> = Vec::new();
    for bind in &settings.bind {
        if gathered.iter().any(|listener| listener.asked == *bind) {
            continue;
        }
        let known = open.iter().find(|listener| listener.asked == *bind).cloned();
        gathered.push(match (known, bind) {
            (Some(listener), _) => listener,
            (None, Bind::Fd(number)) => {
                Listener::adopt(*number, &format!("descriptor {number} (fd://{number})"))?
            }
            (None, Bind::Address(address)) => {
                let mut listener = Listener::bind(address, settings, owner)?;
                listener.asked = bind.clone();
                Rc::new(listener)
            }
        });
    }
    if gathered.len() > MOST_LISTENERS {
        return Err(format!("{} addresses are too many: the most is {MOST_LISTENERS}", gathered.len()));
    }
    Ok(gathered)
}

/// Moves a descriptor out of the low numbers, which a zygote's descriptors are laid out over, and leaves a
/// placeholder there.
fn take(number: i32) -> io::Result<OwnedFd> {
    let low = sys::fd::adopt(number)?;
    let high = sys::fd::duplicate(low.as_fd())?;
    let null = std::fs::File::open("/dev/null")?;
    sys::fd::replace(low.into_raw_fd(), null.as_fd())?;
    Ok(high)
}

fn sentence(address: &Address, error: &io::Error) -> String {
    let hint = match (error.kind(), address) {
        (ErrorKind::AddrInUse, Address::Unix(_)) => {
            "the address is in use: something lies or listens there already"
        }
        (ErrorKind::AddrInUse, _) => {
            "the address is in use: another process listens there; stop it, or choose another --bind"
        }
        (ErrorKind::AddrNotAvailable, _) => "this machine has no such address",
        (ErrorKind::PermissionDenied, Address::Unix(_)) => "permission denied; check its directory",
        (ErrorKind::PermissionDenied, _) => {
            "permission denied; ports below 1024 need root or CAP_NET_BIND_SERVICE"
        }
        (ErrorKind::NotFound, Address::Unix(_)) => "its directory does not exist",
        _ => return format!("cannot listen on {address}: {error}"),
    };
    format!("cannot listen on {address}: {hint}")
}

#[cfg(test)]
mod tests;
