//! What arbiter, zygote and workers tell each other. Each variant says when it is legal.
//!
//! A closed channel means the same in both directions and in every version: the other side is gone; finish what is
//! in flight and leave.

use crate::exit::ExitCode;
use crate::id::{Generation, Slot, WorkerId};
use serde::{Deserialize, Serialize};

/// From the arbiter to a zygote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToZygote {
    /// Fork a worker. After `Booted`. Carries two descriptors: the worker's end of its channel, and a file for its stacks;
    /// and two more where what it prints is read: its standard output and standard error.
    Fork {
        /// Its place in the scoreboard.
        slot: Slot,
        /// Its name.
        worker: WorkerId,
    },
    /// The logs were reopened. Carries two descriptors: error log, access log. At any time.
    Logs,
    /// So many workers are wanted now. Where there are hooks; after `Booted`, as all that follow.
    Workers {
        /// So many.
        now: u32,
        /// So many were wanted before.
        before: u32,
    },
    /// A worker has ended. Where there are hooks.
    Ended {
        /// Its name.
        worker: WorkerId,
        /// Its process.
        pid: i32,
    },
    /// The program is about to be replaced: `pre_exec`. Answered by `ExecHook`.
    BeforeExec {
        /// For this reload.
        generation: Generation,
    },
    /// No worker will be ordered any more; the zygote stays for hooks, and lets go of the listeners. Once.
    Retire,
    /// Everybody else has left: `on_exit`. Once, last.
    Exit,
}

/// From a zygote to the arbiter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromZygote {
    /// It can fork. Once, first.
    Booted {
        /// What became of `preload`.
        preload: PreloadOutcome,
    },
    /// It cannot; it ends now. Instead of `Booted`.
    Failed(BootFailure),
    /// `pre_exec` has run, or failed. The answer to `BeforeExec`.
    ExecHook {
        /// For this reload, which may have been given up since.
        generation: Generation,
        /// How it went.
        ran: Result<(), BootFailure>,
    },
    /// What it has loaded. After `Booted`, where the settings say `reload`.
    Loaded(Loaded),
}

/// Files whose change is a reason to reload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// Their absolute paths.
    pub files: Vec<String>,
    /// Files that may appear, as patterns of absolute paths: where the application could not be imported.
    pub patterns: Vec<String>,
}

/// What became of importing the application before the fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PreloadOutcome {
    /// The application is imported; workers are forked with it.
    Imported,
    /// The settings say that every worker imports it.
    Off,
    /// It was tried, and what the import left behind does not survive a fork: start again without.
    Unsafe {
        /// What was found, as a clause: "the import left 2 threads running".
        reason: String,
    },
}

/// From the arbiter to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker {
    /// The whole ends: accept what is queued, finish what is in flight, leave. Once.
    Drain,
    /// Others serve on, and accept what is queued: as `Drain` but for that, and quiet connections may send their next
    /// request until shortly before `graceful_timeout`. Once; `Drain` may follow.
    Retire,
    /// Nobody else will accept from the listeners with these numbers: who retires takes what is queued there. Before
    /// `Retire`.
    AloneOn(Vec<u32>),
    /// The requests that have been in these lanes since then are stuck and given up: `Retire`, and do not wait for them.
    /// After `Ready`.
    GiveUp(Vec<(u32, u64)>),
    /// Leave now. At any time.
    Quit,
    /// The logs were reopened. Carries two descriptors: error log, access log. At any time.
    Logs,
}

/// From a worker to the arbiter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker {
    /// The worker exists. Sent by the process that forked it, before that ends. Once, first.
    Forked {
        /// Its process id.
        pid: i32,
    },
    /// The fork failed; there is no worker. Instead of `Forked`.
    ForkFailed {
        /// Why.
        error: String,
    },
    /// A hook has failed that runs before each fork; there is no worker. Instead of `Forked`.
    Prevented(BootFailure),
    /// The application is imported and requests are served. Once, after `Forked`.
    Ready,
    /// The application cannot be imported; the worker ends now. Instead of `Ready`.
    Failed(BootFailure),
    /// The worker was signalled to reopen its logs and asks for new descriptors. After `Ready`.
    ReopenLogs,
    /// The worker was signalled and leaves on its own account. After `Ready`.
    Leaving,
    /// What it has loaded and nobody has told yet. At any time, where the settings say `reload`.
    Loaded(Loaded),
    /// The worker has answered as many requests as it may, and serves until another takes its place. Once, after `Ready`.
    Spent,
}

/// Why a zygote or worker could not start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootFailure {
    /// What the process exits with, and the arbiter at its first start.
    pub code: ExitCode,
    /// One line: what is wrong and what to check.
    pub summary: String,
    /// The traceback as Python prints it, or nothing.
    pub traceback: String,
}
