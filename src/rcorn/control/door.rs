//! A socket at which HTTP is spoken, and the asks that come through it. The control socket has one, the metrics
//! listener another.

use super::Asked;
use super::serve::{self, Gate, House, Socket};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};
use sys::socket::{Address, local_address};
use tokio::sync::{Semaphore, mpsc};

/// Those who wait behind a socket.
#[derive(Debug)]
pub(super) struct Door {
    asked: mpsc::Receiver<Asked>,
    places: Arc<Semaphore>,
    house: House,
    gate: Arc<Gate>,
    task: tokio::task::JoinHandle<()>,
}

/// Asks that may wait for the loop.
const QUEUED: usize = 16;

impl Door {
    /// Lets clients in at this socket, to what this house answers. To be called within the runtime.
    pub(super) fn open(fd: OwnedFd, house: House) -> io::Result<Self> {
        sys::fd::set_nonblocking(&fd, true)?;
        let socket = match local_address(fd.as_fd())? {
            Address::Tcp(_) => Socket::Tcp(tokio::net::TcpListener::from_std(fd.into())?),
            _ => Socket::Unix(tokio::net::UnixListener::from_std(fd.into())?),
        };
        let gate = Arc::new(Gate::of(socket));
        let (sender, asked) = mpsc::channel(QUEUED);
        let places = Arc::new(Semaphore::new(house.places()));
        let task = tokio::spawn(serve::serve(Arc::clone(&gate), house, Arc::clone(&places), sender));
        Ok(Self { asked, places, house, gate, task })
    }

    /// Nobody else is let in; who is inside may finish.
    pub(super) fn close(&self) {
        self.task.abort();
    }

    /// Is nobody inside?
    pub(super) fn is_quiet(&self) -> bool {
        self.places.available_permits() == self.house.places()
    }

    /// The next ask.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Asked> {
        match self.asked.poll_recv(context) {
            Poll::Ready(Some(asked)) => Poll::Ready(asked),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
        // The task ends with the runtime's next turn: until then somebody could come who would be sent away.
        self.gate.remove();
    }
}
