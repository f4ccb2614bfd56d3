//! How a worker comes into the world: two forks, so that the arbiter becomes its parent.
//!
//! The one in the middle is made by a plain fork and makes the worker by Python's `os.fork`, so that the handlers of
//! `os.register_at_fork` run where they count and the zygote itself stays as it was. It tells the worker's process id
//! before it ends; the arbiter, a subreaper, adopts the worker then.

use crate::hooks::Hooks;
use contract::channel::Channel;
use contract::id::WorkerId;
use contract::message::{FromWorker, ToWorker};
use pyo3::prelude::*;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;
use sys::clock;
use sys::process::{self, Fork, PidFd};
use sys::seqpacket::Seqpacket;

/// How long the process in the middle may take to end, in nanoseconds.
const ADOPTION: u64 = 10_000_000_000;

/// A worker's end of its channel.
pub(crate) type WorkerChannel = Channel<FromWorker, ToWorker>;

/// Who one is after `fork`.
pub(crate) enum Role {
    /// Still the zygote.
    Zygote,
    /// The new worker.
    Worker(WorkerChannel),
}

/// Forks a worker that owns `end`.
pub(crate) fn fork(py: Python<'_>, end: OwnedFd) -> io::Result<Role> {
    match process::fork()? {
        Fork::Parent(middle) => process::wait_for(middle).map(|_| Role::Zygote),
        Fork::Child => Ok(Role::Worker(second_fork(py, WorkerChannel::new(end.into()), None))),
    }
}

/// The same, between the hooks that run in the zygote. They are to know the worker's process id, so it is told to us, too.
pub(crate) fn fork_with(py: Python<'_>, end: OwnedFd, worker: WorkerId, hooks: &Hooks) -> io::Result<Role> {
    if let Err(failure) = hooks.before_fork(py, worker) {
        WorkerChannel::new(end.into()).send(&FromWorker::Prevented(failure), &[])?;
        return Ok(Role::Zygote);
    }
    let (near, far) = Seqpacket::pair()?;
    let forked = match process::fork()? {
        Fork::Child => {
            drop(near);
            return Ok(Role::Worker(second_fork(py, WorkerChannel::new(end.into()), Some(far))));
        }
        Fork::Parent(middle) => process::wait_for(middle),
    };
    drop(far);
    let told = near.try_receive().ok().flatten();
    let pid = told.and_then(|packet| packet.bytes.try_into().ok()).map(i32::from_ne_bytes);
    hooks.after_fork(py, worker, pid);
    forked.map(|_| Role::Zygote)
}

/// Returns in the worker; the process in the middle ends here.
fn second_fork(py: Python<'_>, channel: WorkerChannel, zygote: Option<Seqpacket>) -> WorkerChannel {
    let forked = py.import("os").and_then(|os| os.call_method0("fork")).and_then(|pid| pid.extract::<i32>());
    let message = match forked {
        Ok(0) => return channel,
        Ok(pid) => {
            // A zygote that is gone needs to know nothing.
            let _ = zygote.map(|zygote| zygote.try_send(&pid.to_ne_bytes(), &[]));
            FromWorker::Forked { pid }
        }
        Err(error) => FromWorker::ForkFailed { error: error.to_string() },
    };
    let told = channel.send(&message, &[]);
    process::exit_now(i32::from(told.is_err()))
}

/// Waits until the arbiter is the parent. False when it is gone.
pub(crate) fn await_adoption(arbiter: i32) -> bool {
    let deadline = clock::now() + ADOPTION;
    while clock::now() < deadline {
        let parent = process::parent_pid();
        if parent == arbiter {
            return true;
        }
        match PidFd::open(parent) {
            // The middle process ends as soon as it is scheduled.
            Ok(middle) => drop(middle.wait(100)),
            // It has ended just now, or there are no such descriptors here, as under valgrind.
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
        if parent == 1 {
            return false;
        }
    }
    false
}
