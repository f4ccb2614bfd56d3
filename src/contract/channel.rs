//! A typed channel: what may be sent and what is received is fixed by its type, so the two ends cannot be swapped.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use sys::seqpacket::{Packet, Seqpacket};

/// One end of a channel on which `Out` is sent and `In` received.
#[derive(Debug)]
pub struct Channel<Out, In> {
    socket: Seqpacket,
    types: PhantomData<fn(Out) -> In>,
}

/// A message with the descriptors that came with it.
#[derive(Debug)]
pub struct Received<In> {
    /// What was said.
    pub message: In,
    /// What came along.
    pub fds: Vec<OwnedFd>,
}

impl<Out: Serialize, In: DeserializeOwned> Channel<Out, In> {
    /// Takes over one end.
    pub fn new(socket: Seqpacket) -> Self {
        Self { socket, types: PhantomData }
    }

    /// Sends a message. `WouldBlock` when the other side has not read for long.
    pub fn send(&self, message: &Out, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.socket.try_send(&serde_json::to_vec(message)?, fds)
    }

    /// Waits for a message; `None` when the other side is gone. What is not known here is passed over, as the other
    /// side may be of another version.
    pub fn receive(&self) -> io::Result<Option<Received<In>>> {
        known(|| self.socket.receive())
    }

    /// Takes a message that is there; `WouldBlock` when there is none, `None` when the other side is gone.
    pub fn try_receive(&self) -> io::Result<Option<Received<In>>> {
        known(|| self.socket.try_receive())
    }

    /// Closes the channel for all who hold a copy of this end.
    pub fn shut(&self) -> io::Result<()> {
        self.socket.shut()
    }
}

/// The next packet that is understood.
fn known<In: DeserializeOwned>(
    receive: impl Fn() -> io::Result<Option<Packet>>,
) -> io::Result<Option<Received<In>>> {
    while let Some(Packet { bytes, fds }) = receive()? {
        if let Ok(message) = serde_json::from_slice(&bytes) {
            return Ok(Some(Received { message, fds }));
        }
    }
    Ok(None)
}

impl<Out, In> AsFd for Channel<Out, In> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<Out, In> AsRawFd for Channel<Out, In> {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Slot, WorkerId};
    use crate::message::{FromZygote, PreloadOutcome, ToZygote};

    #[test]
    fn both_ends_speak_their_own_language() {
        let (near, far) = Seqpacket::pair().unwrap();
        let arbiter: Channel<ToZygote, FromZygote> = Channel::new(near);
        let zygote: Channel<FromZygote, ToZygote> = Channel::new(far);
        let order = ToZygote::Fork { slot: Slot(2), worker: WorkerId(9) };
        arbiter.send(&order, &[arbiter.as_fd()]).unwrap();
        let received = zygote.receive().unwrap().unwrap();
        assert_eq!((received.message, received.fds.len()), (order, 1));
        zygote.send(&FromZygote::Booted { preload: PreloadOutcome::Off }, &[]).unwrap();
        assert!(arbiter.try_receive().unwrap().is_some());
        drop((zygote, received.fds));
        assert!(arbiter.receive().unwrap().is_none());
    }

    #[test]
    fn what_another_version_says_is_passed_over() {
        let (near, far) = Seqpacket::pair().unwrap();
        let arbiter: Channel<ToZygote, FromZygote> = Channel::new(near);
        for text in
            ["{\"Dreamt\":{\"of\":\"sheep\"}}", "nonsense", "{\"Booted\":{\"preload\":\"Off\",\"took\":3}}"]
        {
            far.try_send(text.as_bytes(), &[]).unwrap();
        }
        let booted = FromZygote::Booted { preload: PreloadOutcome::Off };
        assert_eq!(arbiter.try_receive().unwrap().unwrap().message, booted);
        assert_eq!(arbiter.try_receive().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
