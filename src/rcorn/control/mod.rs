//! The control socket: plain HTTP with JSON over a unix socket, for `rcornctl` and for curl; and the `endpoint` of
//! metrics and health, which is a `door` of the same kind.
//!
//! `serve` speaks HTTP, each client in a task of its own with limits in number, size and time, and turns a request into
//! an `Ask`. The arbiter's loop takes one ask at a time and answers it from what it knows (`answer`), or makes an
//! event of it. It never waits for a client.

pub(crate) mod answer;
mod door;
mod endpoint;
mod rates;
mod serve;

pub(crate) use endpoint::Endpoint;
pub(crate) use rates::{Meters, Totals};

use crate::metrics::Form;
use crate::socket_file::SocketFile;
use door::Door;
use serve::House;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use sys::socket::{Address, ListenOptions};
use sys::user::{Credentials, change_owner};
use tokio::sync::oneshot;

/// What somebody wants to know, or to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// How it goes.
    Status,
    /// The settings that are in force, with their origins.
    Settings,
    /// The Python stacks of the worker with this number or process, or of all.
    Stacks(Option<u32>),
    /// Reload.
    Reload,
    /// What became of that reload?
    Outcome(u64),
    /// So many workers.
    Scale(Scale),
    /// Finish what is in flight and end.
    Stop,
    /// End now.
    Quit,
    /// Open the log files again.
    Reopen,
    /// The metrics, in this form.
    Metrics(Form),
    /// Is it well?
    Live,
    /// Would new requests be served?
    Ready,
}

/// How many workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// So many.
    To(u32),
    /// So many more, or fewer.
    By(i32),
}

/// An answer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A status and JSON.
    Json(u16, Vec<u8>),
    /// A status, a type and text.
    Text(u16, &'static str, String),
    /// Stacks that are being written to these files, each under a heading.
    Stacks(Vec<(String, OwnedFd)>),
}

/// An ask, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The socket and those who wait behind it.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    file: SocketFile,
    fd: OwnedFd,
    door: Door,
}

impl Control {
    /// Listens at `path`. To be called within the runtime.
    pub(crate) fn open(path: &Path, mode: u32, owner: Option<&str>) -> Result<Self, String> {
        let sentence = |error| sentence(path, &error);
        let owner = owner.map(find_owner).transpose()?;
        let options = ListenOptions { backlog: 64, reuse_port: false, mode: Some(mode) };
        let fd = sys::socket::listen(&Address::Unix(path.to_path_buf()), options).map_err(sentence)?;
        let file = SocketFile::made(path, owner.as_ref()).map_err(sentence)?;
        Self::on(path.to_path_buf(), file, fd).map_err(sentence)
    }

    fn on(path: PathBuf, file: SocketFile, fd: OwnedFd) -> std::io::Result<Self> {
        let door = Door::open(fd.try_clone()?, House::Control)?;
        Ok(Self { path, file, fd, door })
    }

    /// From now on it has this mode and owner.
    pub(crate) fn give(&self, mode: u32, owner: Option<&str>) -> Result<(), String> {
        let owner = owner.map(find_owner).transpose()?;
        let given = std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(mode));
        let given = given.and_then(|()| match owner {
            Some(owner) => change_owner(&self.path, Some(owner.uid), Some(owner.gid)),
            None => Ok(()),
        });
        given.map_err(|error| sentence(&self.path, &error))
    }

    /// Where it listens.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next ask.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Asked> {
        self.door.poll(context)
    }

    /// As it crosses: its path, and the file with its device and number.
    pub(crate) fn pack(&self) -> (PathBuf, (PathBuf, u64, u64)) {
        (self.path.clone(), self.file.pack())
    }

    /// As it was before it crossed. To be called within the runtime.
    pub(crate) fn unpack(path: PathBuf, file: (PathBuf, u64, u64), fd: OwnedFd) -> std::io::Result<Self> {
        Self::on(path, SocketFile::unpack(file), fd)
    }
}

fn sentence(path: &Path, error: &std::io::Error) -> String {
    let why = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another instance listens there, or something else lies there".into()
        }
        _ => error.to_string(),
    };
    format!("cannot make the control socket {}: {why}", path.display())
}

/// `USER`, `USER:GROUP` or `:GROUP`.
fn find_owner(owner: &str) -> Result<Credentials, String> {
    let (user, group) = owner.split_once(':').map_or((owner, None), |(user, group)| (user, Some(group)));
    let found = Credentials::look_up(Some(user).filter(|user| !user.is_empty()), group);
    let found = found.map_err(|error| format!("cannot read the user database: {error}"))?;
    found.ok_or_else(|| format!("control_socket_owner: there is no such user or group: {owner:?}"))
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
