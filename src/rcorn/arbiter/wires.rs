//! The channels to zygotes and workers, and one poller that watches all of them. Turns what is heard into events.

use super::event::Event;
use super::output::Outputs;
use super::state::{Crossing, WorkerState, ZygoteState};
use super::zygote::{Started, ZygoteChannel};
use crate::systemd::Pressure;
use contract::channel::{Channel, Received};
use contract::id::{Generation, Pid, WorkerId};
use contract::message::{FromWorker, FromZygote, ToWorker, ToZygote};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};
use sys::poll::{Interest, Poller};
use sys::seqpacket::Seqpacket;
use tokio::io::unix::AsyncFd;

type WorkerChannel = Channel<ToWorker, FromWorker>;

/// The poller's token for memory pressure: no end has so large a number.
const PRESSURE: u64 = u64::MAX;

/// The most channels that are looked at in one turn.
const BATCH: usize = 64;

/// Everyone who can be talked to.
#[derive(Debug)]
pub(crate) struct Wires {
    poller: AsyncFd<Poller>,
    zygotes: BTreeMap<Generation, ZygoteWire>,
    workers: BTreeMap<WorkerId, WorkerWire>,
    pressure: Option<Pressure>,
}

#[derive(Debug)]
struct ZygoteWire {
    pid: Pid,
    channel: Option<ZygoteChannel>,
    said: OwnedFd,
}

#[derive(Debug)]
struct WorkerWire {
    generation: Generation,
    channel: WorkerChannel,
    open: bool,
    /// Where it writes its stacks when it is asked to.
    stacks: OwnedFd,
    /// The pipes of what it prints, where somebody reads them.
    outputs: Option<Outputs>,
}

/// Whose channel it is, as the poller's token: zygotes have even numbers, workers odd ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Zygote(Generation),
    Worker(WorkerId),
}

impl End {
    fn token(self) -> u64 {
        match self {
            Self::Zygote(Generation(number)) => number << 1,
            Self::Worker(WorkerId(number)) => number << 1 | 1,
        }
    }

    fn of_token(token: u64) -> Self {
        match token & 1 {
            0 => Self::Zygote(Generation(token >> 1)),
            _ => Self::Worker(WorkerId(token >> 1)),
        }
    }
}

impl Wires {
    /// Nobody yet. To be called within the runtime.
    pub(crate) fn new() -> io::Result<Self> {
        #[allow(
            deprecated,
            reason = "its successor is unsafe and asks that the descriptor be owned and never swapped: \
                      the poller's is both, and this room has no unsafe"
        )]
        let poller = AsyncFd::new(Poller::new(BATCH)?)?;
        Ok(Self { poller, zygotes: BTreeMap::new(), workers: BTreeMap::new(), pressure: None })
    }

    /// Everyone, as they cross.
    pub(crate) fn pack(
        &self,
        crossing: &mut Crossing,
    ) -> (BTreeMap<Generation, ZygoteState>, BTreeMap<WorkerId, WorkerState>) {
        let mut keep = |fd: BorrowedFd<'_>| crossing.keep(fd);
        let zygotes = self.zygotes.iter().map(|(generation, wire)| {
            let channel = wire.channel.as_ref().map(|channel| keep(channel.as_fd()));
            (*generation, ZygoteState { pid: wire.pid, channel, said: keep(wire.said.as_fd()) })
        });
        let zygotes = zygotes.collect();
        let workers = self.workers.iter().map(|(worker, wire)| {
            let channel = keep(wire.channel.as_fd());
            let stacks = keep(wire.stacks.as_fd());
            let outputs = wire.outputs.as_ref();
            let outputs = outputs.map(|outputs| outputs.ends().each_ref().map(|end| keep(end.as_fd())));
            (*worker, WorkerState { generation: wire.generation, channel, open: wire.open, stacks, outputs })
        });
        (zygotes, workers.collect())
    }

    /// Everyone, as they were before they crossed. To be called within the runtime.
    pub(crate) fn unpack(
        zygotes: BTreeMap<Generation, ZygoteState>,
        workers: BTreeMap<WorkerId, WorkerState>,
    ) -> io::Result<Self> {
        let mut wires = Self::new()?;
        for (generation, ZygoteState { pid, channel, said }) in zygotes {
            let channel = channel.map(|number| Ok::<_, io::Error>(Channel::new(Seqpacket::adopt(number)?)));
            let channel: Option<ZygoteChannel> = channel.transpose()?;
            if let Some(channel) = &channel {
                wires.watch(channel.as_fd(), End::Zygote(generation))?;
            }
            wires.zygotes.insert(generation, ZygoteWire { pid, channel, said: sys::fd::adopt(said)? });
        }
        for (worker, WorkerState { generation, channel, open, stacks, outputs }) in workers {
            let channel: WorkerChannel = Channel::new(Seqpacket::adopt(channel)?);
            if open {
                wires.watch(channel.as_fd(), End::Worker(worker))?;
            }
            let stacks = sys::fd::adopt(stacks)?;
            let outputs = match outputs {
                Some([out, err]) => Some(Outputs::of([sys::fd::adopt(out)?, sys::fd::adopt(err)?])),
                None => None,
            };
            wires.workers.insert(worker, WorkerWire { generation, channel, open, stacks, outputs });
        }
        Ok(wires)
    }

    /// Memory pressure is heard of from now on.
    pub(crate) fn watch_pressure(&mut self, pressure: Pressure) -> io::Result<()> {
        self.poller.get_ref().add(pressure.as_fd(), PRESSURE, pressure.interest())?;
        self.pressure = Some(pressure);
        Ok(())
    }

    /// A zygote was started.
    pub(crate) fn add_zygote(&mut self, generation: Generation, started: Started) -> io::Result<()> {
        let Started { pid, channel, said } = started;
        self.watch(channel.as_fd(), End::Zygote(generation))?;
        self.zygotes.insert(generation, ZygoteWire { pid, channel: Some(channel), said });
        Ok(())
    }

    /// A worker was ordered; this is our end of its channel.
    pub(crate) fn add_worker(
        &mut self,
        worker: WorkerId,
        generation: Generation,
        channel: WorkerChannel,
        (stacks, outputs): (OwnedFd, Option<Outputs>),
    ) -> io::Result<()> {
        self.watch(channel.as_fd(), End::Worker(worker))?;
        self.workers.insert(worker, WorkerWire { generation, channel, open: true, stacks, outputs });
        Ok(())
    }

    /// The pipes of what workers print.
    pub(crate) fn outputs(&mut self) -> impl Iterator<Item = (WorkerId, Generation, &mut Outputs)> {
        let wires = self.workers.iter_mut();
        wires.filter_map(|(worker, wire)| Some((*worker, wire.generation, wire.outputs.as_mut()?)))
    }

    fn watch(&self, fd: BorrowedFd<'_>, end: End) -> io::Result<()> {
        self.poller.get_ref().add(fd, end.token(), Interest::Read)
    }

    fn unwatch(&self, fd: BorrowedFd<'_>) {
        // It fails for what is not watched any more, which is what is wanted.
        let _ = self.poller.get_ref().remove(fd);
    }

    /// Lets go of a worker.
    pub(crate) fn remove_worker(&mut self, worker: WorkerId) {
        if let Some(wire) = self.workers.remove(&worker) {
            self.unwatch(wire.channel.as_fd());
        }
    }

    /// Closes a zygote's channel.
    pub(crate) fn close_zygote(&mut self, generation: Generation) {
        let channel = self.zygotes.get_mut(&generation).and_then(|wire| wire.channel.take());
        if let Some(channel) = channel {
            self.unwatch(channel.as_fd());
        }
    }

    /// A process ended and was reaped: which zygote it was, if it was one, and what it said before it was Python.
    pub(crate) fn forget_zygote(&mut self, pid: Pid) -> Option<(Generation, String)> {
        let (generation, _) = self.zygotes.iter().find(|(_, wire)| wire.pid == pid)?;
        let generation = *generation;
        self.close_zygote(generation);
        let wire = self.zygotes.remove(&generation)?;
        Some((generation, super::zygote::text_of(wire.said)))
    }

    /// The process of a zygote.
    pub(crate) fn zygote_pid(&self, generation: Generation) -> Option<Pid> {
        self.zygotes.get(&generation).map(|wire| wire.pid)
    }

    /// Tells a zygote something.
    pub(crate) fn tell_zygote(
        &self,
        generation: Generation,
        message: &ToZygote,
        fds: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let channel = self.zygotes.get(&generation).and_then(|wire| wire.channel.as_ref());
        channel.ok_or(ErrorKind::NotConnected)?.send(message, fds)
    }

    /// Tells a worker something.
    pub(crate) fn tell(
        &self,
        worker: WorkerId,
        message: &ToWorker,
        fds: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let wire = self.workers.get(&worker).ok_or(ErrorKind::NotConnected)?;
        wire.channel.send(message, fds)
    }

    /// Where a worker writes its stacks when it is asked to.
    pub(crate) fn stacks_of(&self, worker: WorkerId) -> Option<BorrowedFd<'_>> {
        self.workers.get(&worker).map(|wire| wire.stacks.as_fd())
    }

    /// The workers of a generation.
    pub(crate) fn workers_of(&self, generation: Generation) -> Vec<WorkerId> {
        let ours = self.workers.iter().filter(|(_, wire)| wire.generation == generation);
        ours.map(|(worker, _)| *worker).collect()
    }

    /// Waits until somebody says something.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Vec<Event>> {
        loop {
            let Ok(mut guard) = ready!(self.poller.poll_read_ready_mut(context)) else {
                return Poll::Pending;
            };
            let poller = guard.get_inner_mut();
            let count = poller.wait(Some(0)).unwrap_or(0);
            let tokens: Vec<u64> = (0..count).filter_map(|index| Some(poller.get(index)?.token)).collect();
            if tokens.is_empty() {
                guard.clear_ready();
                continue;
            }
            return Poll::Ready(tokens.into_iter().flat_map(|token| self.hear_token(token)).collect());
        }
    }

    /// Everything that was said so far.
    pub(crate) fn hear_everyone(&mut self) -> Vec<Event> {
        let zygotes = self.zygotes.keys().map(|generation| End::Zygote(*generation));
        let ends: Vec<End> = zygotes.chain(self.workers.keys().map(|worker| End::Worker(*worker))).collect();
        ends.into_iter().flat_map(|end| self.hear(end)).collect()
    }

    fn hear_token(&mut self, token: u64) -> Vec<Event> {
        match &mut self.pressure {
            Some(pressure) if token == PRESSURE => {
                pressure.acknowledge();
                vec![Event::MemoryIsShort]
            }
            _ => self.hear(End::of_token(token)),
        }
    }

    fn hear(&mut self, end: End) -> Vec<Event> {
        match end {
            End::Zygote(generation) => self.hear_zygote(generation),
            End::Worker(worker) => self.hear_worker(worker),
        }
    }

    fn hear_zygote(&mut self, generation: Generation) -> Vec<Event> {
        let Some(channel) = self.zygotes.get(&generation).and_then(|wire| wire.channel.as_ref()) else {
            return Vec::new();
        };
        let (messages, closed) = take_all::<ToZygote, FromZygote>(channel);
        let mut events: Vec<_> =
            messages.into_iter().map(|message| Event::Zygote(generation, message)).collect();
        if closed {
            self.close_zygote(generation);
            events.push(Event::ZygoteClosed(generation));
        }
        events
    }

    fn hear_worker(&mut self, worker: WorkerId) -> Vec<Event> {
        let Some(wire) = self.workers.get_mut(&worker).filter(|wire| wire.open) else { return Vec::new() };
        let (messages, closed) = take_all(&wire.channel);
        let mut events: Vec<_> = messages.into_iter().map(|message| Event::Worker(worker, message)).collect();
        if closed {
            wire.open = false;
            let _ = self.poller.get_ref().remove(wire.channel.as_fd());
            events.push(Event::WorkerClosed(worker));
        }
        events
    }
}

/// What was said, and whether that was all that ever will be.
fn take_all<Out, In>(channel: &Channel<Out, In>) -> (Vec<In>, bool)
where
    Out: serde::Serialize,
    In: serde::de::DeserializeOwned,
{
    let mut messages = Vec::new();
    loop {
        match channel.try_receive() {
            Ok(Some(Received { message, .. })) => messages.push(message),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return (messages, false),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(None) | Err(_) => return (messages, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_come_before_the_end() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let mut wires = Wires::new().unwrap();
            let (near, far) = Seqpacket::pair().unwrap();
            let stacks = sys::memory::log("stacks").unwrap();
            wires.add_worker(WorkerId(3), Generation(1), Channel::new(near), (stacks, None)).unwrap();
            let far: Channel<FromWorker, ToWorker> = Channel::new(far);
            far.send(&FromWorker::Forked { pid: 7 }, &[]).unwrap();
            let first = std::future::poll_fn(|context| wires.poll(context)).await;
            assert_eq!(first, [Event::Worker(WorkerId(3), FromWorker::Forked { pid: 7 })]);
            far.send(&FromWorker::Ready, &[]).unwrap();
            drop(far);
            let rest = std::future::poll_fn(|context| wires.poll(context)).await;
            let ready = Event::Worker(WorkerId(3), FromWorker::Ready);
            assert_eq!(rest, [ready, Event::WorkerClosed(WorkerId(3))]);
            assert!(wires.hear_everyone().is_empty());
            assert_eq!(wires.workers_of(Generation(1)), [WorkerId(3)]);
            wires.remove_worker(WorkerId(3));
            assert!(wires.tell(WorkerId(3), &ToWorker::Quit, &[]).is_err());
        });
    }

    #[test]
    fn tokens_name_their_ends() {
        for end in [End::Zygote(Generation(5)), End::Worker(WorkerId(5))] {
            assert_eq!(End::of_token(end.token()), end);
        }
    }
}
