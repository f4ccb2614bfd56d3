//! Everything that can happen to the arbiter. `run` makes these from signals, messages, ended processes and the
//! clock; `act` answers some actions with one.

use super::policy::{Moment, Rules};
use crate::control::Scale;
use contract::id::{Generation, Pid, WorkerId};
use contract::message::{FromWorker, FromZygote};
use sys::process::Ended;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The program and the settings that the generation is to have are fit to be used; or a sentence says why not.
    Checked(Generation, Result<(), String>),
    /// We could not become the program that is to serve the generation.
    NotSucceeded(Generation, String),
    /// Settings, listeners, logs and scoreboard of a new generation are there; or a sentence says why not.
    Prepared(Generation, Result<Rules, String>),
    /// The zygote's interpreter could not be started; the sentence says why.
    ZygoteNotStarted(Generation, String),
    /// A zygote said something.
    Zygote(Generation, FromZygote),
    /// A zygote closed its channel.
    ZygoteClosed(Generation),
    /// A zygote's process ended. Whatever it said was told before; the text is what it wrote to standard error
    /// before it was known to be Python.
    ZygoteEnded(Generation, Ended, String),
    /// A fork could not be ordered.
    NotForked(WorkerId, String),
    /// A worker, or whoever forked it, said something.
    Worker(WorkerId, FromWorker),
    /// A worker's channel was closed. Whatever it said was told before.
    WorkerClosed(WorkerId),
    /// A worker's process ended. Whatever it said was told before.
    WorkerEnded(Pid, Autopsy),
    /// How many bytes of memory workers have.
    Weighed(Vec<(WorkerId, u64)>),
    /// systemd, or the kernel, says that memory is short.
    MemoryIsShort,
    /// The largest of the workers that were asked about, and are in no request, has so many bytes.
    Fattest(WorkerId, u64),
    /// So much is going on.
    Counted(Activity),
    /// The operator wants something.
    Operator(Wish),
    /// Time has passed; and what workers do, where that was asked for.
    Tick(Vec<Busy>),
}

/// What the operator can want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Finish what is in flight and end. SIGTERM.
    Stop,
    /// End now. SIGINT, SIGQUIT.
    Quit,
    /// Replace the generation by a new one. SIGHUP.
    Reload,
    /// The same, by SIGUSR2: hooks can tell the difference.
    Upgrade,
    /// Open the log files again. SIGUSR1.
    ReopenLogs,
    /// One worker more. SIGTTIN.
    More,
    /// One worker less. SIGTTOU.
    Fewer,
    /// So many workers. By the control socket.
    Scale(Scale),
    /// Gunicorn's SIGWINCH: nothing, as we never put ourselves into the background.
    Winch,
}

/// A worker, and how long ago it showed that it is not stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Busy {
    /// The worker.
    pub(crate) worker: WorkerId,
    /// When it began what it does.
    pub(crate) began: Moment,
    /// When it began or last made progress.
    pub(crate) since: Moment,
    /// What it does.
    pub(crate) doing: Doing,
}

/// What a worker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// In this lane it is inside this request, of this client.
    Request(u32, String, String),
    /// Its loop turns, or should. What it is in, where that has not turned for a while and can be in several requests.
    Turning(Inside),
}

/// The requests that a loop is in, which does not turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inside {
    /// The oldest first; but before them the one whose code it is that blocks the loop, where that is certain.
    pub(crate) requests: Vec<InRequest>,
    /// Is that so?
    pub(crate) first_blocks: bool,
    /// So many more there are.
    pub(crate) more: u64,
    /// Websockets that are open.
    pub(crate) websockets: u64,
}

/// A request that a worker is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InRequest {
    /// Its first line.
    pub(crate) line: String,
    /// Its client.
    pub(crate) client: String,
    /// When it began.
    pub(crate) began: Moment,
}

/// What is going on, in all workers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Connections that are open.
    pub(crate) open: u64,
    /// Requests that were answered or refused so far.
    pub(crate) handled: u64,
}

/// How a worker ended, and what is known of its last moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Autopsy {
    /// How.
    pub(crate) how: Ended,
    /// The kernel killed it for want of memory.
    pub(crate) out_of_memory: bool,
    /// Its last request.
    pub(crate) last: Option<LastRequest>,
}

/// A worker's last request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastRequest {
    /// The request line.
    pub(crate) request: String,
    /// The client.
    pub(crate) client: String,
    /// When it began, where it was not answered yet.
    pub(crate) unanswered_since: Option<Moment>,
}
