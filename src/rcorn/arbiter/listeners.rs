//! The sockets that are served: bound here, or handed to us. A generation holds those that it serves; the last one
//! to let go of a listener closes it and removes the socket file that was made for it.

use super::hindrance::Hindrance;
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

/// What begins with this is ours, in the store of systemd.
pub(crate) const STORED: &str = "rcorn-bind-";

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    asked: Bind,
    address: Address,
    fd: OwnedFd,
    /// What systemd calls it, where it handed it over.
    name: Option<String>,
    file: Option<SocketFile>,
}

impl Listener {
    /// Takes over a descriptor that we were started with.
    pub(crate) fn adopt(number: i32, name: Option<&str>) -> Result<Self, String> {
        let called = match name {
            Some(name) => format!("descriptor {number} (\"{name}\") from systemd"),
            None => format!("descriptor {number} (fd://{number})"),
        };
        let refuse = |what: &str| format!("{called} {what}");
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
        Ok(Self { asked: Bind::Fd(number), address, fd, name: name.map(str::to_owned), file: None })
    }

    /// One that we had bound, and that systemd kept for us; `None` when its file is gone.
    pub(crate) fn kept(mut self) -> Option<Self> {
        if let Address::Unix(path) = &self.address {
            self.file = Some(SocketFile::made(path, None).ok()?);
        }
        self.asked = Bind::Address(self.address.clone());
        self.name = None;
        Some(self)
    }

    /// The name under which systemd keeps it; nothing for one that it handed over, which is its own.
    pub(crate) fn name_in_store(&self) -> Option<String> {
        let Bind::Address(address) = &self.asked else { return None };
        Some(format!("{STORED}{}", address.to_string().replace(':', "_")))
    }

    /// Its file stays when we go: systemd keeps the socket.
    pub(crate) fn leave_file(&self) {
        if let Some(file) = &self.file {
            file.leave();
        }
    }

    /// Is it the one that metrics are answered at?
    fn is_for_metrics(&self, settings: &Settings) -> bool {
        settings.metrics.bind.as_ref().is_some_and(|bind| match bind {
            Bind::Handed(name) => self.is_called(name),
            other => self.asked == *other,
        })
    }

    /// Does systemd call it so?
    fn is_called(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }

    /// As it crosses.
    pub(crate) fn pack(&self, crossing: &mut Crossing) -> ListenerState {
        let file = self.file.as_ref().map(SocketFile::pack);
        let fd = crossing.keep(self.as_fd());
        ListenerState { asked: self.asked.clone(), fd, name: self.name.clone(), file }
    }

    /// As it was before it crossed.
    pub(crate) fn unpack(state: ListenerState) -> io::Result<Rc<Self>> {
        let fd = sys::fd::adopt(state.fd)?;
        let file = state.file.map(SocketFile::unpack);
        let address = socket::local_address(fd.as_fd())?;
        Ok(Rc::new(Self { asked: state.asked, address, fd, name: state.name, file }))
    }

    /// The settings may ask for another backlog than before. That of a socket which was handed to us is not ours to say.
    pub(crate) fn refresh(&self, settings: &Settings) -> io::Result<()> {
        match self.asked {
            Bind::Address(_) => socket::set_backlog(self.as_fd(), settings.backlog),
            Bind::Fd(_) | Bind::Handed(_) => Ok(()),
        }
    }

    fn bind(address: &Address, settings: &Settings, owner: Option<&Credentials>) -> Result<Self, Hindrance> {
        let options =
            ListenOptions { backlog: settings.backlog, reuse_port: settings.reuse_port, mode: None };
        let mask = set_umask(settings.umask);
        let bound = socket::listen(address, options);
        set_umask(mask);
        let describe = |error: io::Error| Hindrance::of(sentence(address, &error), &error);
        let fd = bound.map_err(describe)?;
        let file = if let Address::Unix(path) = address {
            Some(SocketFile::made(path, owner).map_err(describe)?)
        } else {
            None
        };
        let address = socket::local_address(fd.as_fd()).map_err(describe)?;
        let asked = Bind::Address(address.clone());
        Ok(Self { asked, address, fd, name: None, file })
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

/// The listeners that the settings ask for: those of `open` that fit, and new ones for the rest. What systemd handed
/// over replaces all of it, unless the settings call something by its name.
pub(crate) fn gather(
    settings: &Settings,
    open: &[Rc<Listener>],
    handed: &[Rc<Listener>],
    owner: Option<&Credentials>,
) -> Result<Vec<Rc<Listener>>, Hindrance> {
    let by_name = settings.bind.iter().any(|bind| matches!(bind, Bind::Handed(_)));
    let for_requests = handed.iter().filter(|listener| !listener.is_for_metrics(settings));
    let for_requests: Vec<_> = for_requests.cloned().collect();
    if !by_name && !for_requests.is_empty() {
        return Ok(for_requests);
    }
    let mut gathered: Vec<Rc<Listener>> = Vec::new();
    for bind in &settings.bind {
        let found = match bind {
            Bind::Handed(name) => named(name, handed)?,
            _ if gathered.iter().any(|listener| listener.asked == *bind) => continue,
            _ => match open.iter().chain(handed).find(|listener| listener.asked == *bind) {
                Some(listener) => vec![Rc::clone(listener)],
                None => vec![Rc::new(new(bind, settings, owner)?)],
            },
        };
        for listener in found {
            if !gathered.iter().any(|other| Rc::ptr_eq(other, &listener)) {
                gathered.push(listener);
            }
        }
    }
    if gathered.len() > MOST_LISTENERS {
        return Err(format!("{} addresses are too many: the most is {MOST_LISTENERS}", gathered.len()).into());
    }
    Ok(gathered)
}

/// The listener of the metrics that the settings ask for: one of `open` that fits and is not among `taken`, or a new
/// one. The latest come first: a wish for any port is that of a former listener of metrics.
pub(crate) fn for_metrics(
    settings: &Settings,
    open: &[Rc<Listener>],
    handed: &[Rc<Listener>],
    taken: &[Rc<Listener>],
) -> Result<Option<Rc<Listener>>, Hindrance> {
    let Some(bind) = &settings.metrics.bind else { return Ok(None) };
    if let Bind::Handed(name) = bind {
        return Ok(named(name, handed)?.into_iter().next());
    }
    let is_free = |listener: &&Rc<Listener>| !taken.iter().any(|other| Rc::ptr_eq(other, listener));
    match handed.iter().chain(open).rev().filter(is_free).find(|listener| listener.asked == *bind) {
        Some(listener) => Ok(Some(Rc::clone(listener))),
        None => new(bind, settings, None).map(|listener| Some(Rc::new(listener))),
    }
}

/// Who ends for want of requests has to be started again by somebody: systemd, which has the sockets.
pub(crate) fn outlive_us(listeners: &[Rc<Listener>]) -> Result<(), String> {
    match listeners.iter().find(|listener| listener.name.is_none()) {
        None => Ok(()),
        Some(ours) => Err(format!(
            "idle_timeout: nobody would start rcorn again, as {ours} is not a socket of a systemd socket unit; \
             take bind out and start rcorn@NAME.socket"
        )),
    }
}

/// All that systemd calls so.
fn named(name: &str, handed: &[Rc<Listener>]) -> Result<Vec<Rc<Listener>>, String> {
    let found: Vec<_> = handed.iter().filter(|listener| listener.is_called(name)).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let mut names: Vec<&str> = handed.iter().filter_map(|listener| listener.name.as_deref()).collect();
    names.dedup();
    Err(match names.as_slice() {
        [] => format!(
            "fd://{name}: systemd handed over no socket; is the socket unit started, with FileDescriptorName={name}?"
        ),
        names => format!(
            "fd://{name}: no socket of that name was handed over, but {}; FileDescriptorName= of the socket unit says how it is called",
            names.join(", ")
        ),
    })
}

fn new(bind: &Bind, settings: &Settings, owner: Option<&Credentials>) -> Result<Listener, Hindrance> {
    match bind {
        Bind::Fd(number) => Ok(Listener::adopt(*number, None)?),
        Bind::Handed(name) => Err(format!("fd://{name} can only be handed over").into()),
        Bind::Address(address) => {
            let mut listener = Listener::bind(address, settings, owner)?;
            listener.asked = bind.clone();
            Ok(listener)
        }
    }
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
