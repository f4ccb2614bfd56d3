//! What `step` can decide. `act` carries each of these out and decides nothing.

use contract::exit::ExitCode;
use contract::id::{Generation, Pid, Slot, WorkerId};
use contract::logline::Level;
use contract::message::{BootFailure, Loaded, ToWorker, ToZygote};
use contract::settings::Preload;

pub(crate) use crate::systemd::Notice;

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Have the program that is to follow, and the settings, tried by themselves.
    Check(Generation),
    /// End that check.
    KillCheck,
    /// Become the program that follows, which then prepares the ground of the generation.
    Succeed(Generation),
    /// Start its zygote.
    StartZygote(Generation, Preload),
    /// Close the zygote's channel: it leaves once it has done what it was ordered.
    CloseZygote(Generation),
    /// Kill the zygote.
    KillZygote(Generation),
    /// Order a worker.
    Fork(Generation, WorkerId, Slot),
    /// Tell a worker something.
    Tell(WorkerId, ToWorker),
    /// Tell a zygote something, for its hooks.
    TellZygote(Generation, ToZygote),
    /// Give a worker the log files that are open now.
    GiveLogs(Generation, WorkerId),
    /// Measure the memory of workers.
    Weigh(Vec<(WorkerId, Pid)>),
    /// Find the largest of these workers that is in no request.
    FindFattest(Vec<(WorkerId, Pid)>),
    /// Count connections and requests.
    Count,
    /// Send a worker's process a signal.
    Signal(Pid, i32),
    /// Have a worker show the stacks of its threads, that of the request in this lane first.
    ShowStacks(Pid, Option<u32>),
    /// Have a stuck worker answer the client of the request in this lane, where that has got nothing yet.
    LastWord(Pid, u32),
    /// The same for all clients of a worker that have got nothing yet.
    LastWordToAll(Pid),
    /// These files were loaded: notice when they change.
    Watch(Loaded),
    /// Let go of a worker that is gone: its channel and its slot.
    Release(Generation, WorkerId, Slot),
    /// Let go of a generation that is gone.
    Discard(Generation),
    /// The generation is the one that serves now: its listeners, logs and names are ours.
    Adopt(Generation),
    /// Wait a moment for those of this generation who were told to leave to accept nothing more.
    AwaitDeaf(Generation),
    /// Close our copies of the listeners and remove the socket files that we made.
    StopListening,
    /// Open all log files again and hand them to everyone.
    ReopenLogs,
    /// Write a line to the log.
    Log(Level, String),
    /// Write a traceback to the log, as Python prints it.
    Traceback(String),
    /// Say why the first start failed, to the log and to whoever started us.
    Refuse(BootFailure),
    /// Tell systemd.
    Notify(Notice, String),
    /// Leave the loop.
    Leave(ExitCode),
}
