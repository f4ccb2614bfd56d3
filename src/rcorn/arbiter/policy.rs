//! How long things may take, and how long to wait before trying again. Pure: time comes in as an argument.

use contract::settings::Preload;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A moment on the monotonic clock, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// The moment that lies `duration` later.
    pub(crate) fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long it is until `later`; nothing when that has passed.
    pub(crate) fn until(self, later: Self) -> Duration {
        Duration::from_nanos(later.0.saturating_sub(self.0))
    }
}

/// What a generation's settings say to the one who supervises it. `None` switches a limit off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rules {
    /// The interpreter, for sentences about it.
    pub(crate) python: String,
    /// How many workers there are meant to be.
    pub(crate) workers: u32,
    /// Requests that a worker can be in at a time, each in a thread of its own.
    #[serde(default)]
    pub(crate) threads: u32,
    /// Whether the zygote imports the application.
    pub(crate) preload: Preload,
    /// How long a request may be in the application without progress.
    pub(crate) timeout: Option<Duration>,
    /// How long a request may take in all.
    pub(crate) request_timeout: Option<Duration>,
    /// After how long the stacks of a request are shown.
    pub(crate) slow_request: Option<Duration>,
    /// How old a worker may become.
    pub(crate) max_worker_age: Option<Duration>,
    /// How many bytes of memory a worker may have.
    pub(crate) max_worker_memory: Option<u64>,
    /// How many failures to boot a new generation may have.
    pub(crate) max_boot_failures: u32,
    /// After how long without any connection it all ends.
    pub(crate) idle_timeout: Option<Duration>,
    /// Workers are replaced one by one in a reload.
    pub(crate) rolling: bool,
    /// How many generations may exist.
    pub(crate) max_generations: u32,
    /// How long a drain may take.
    pub(crate) graceful_timeout: Duration,
    /// How long a worker, and a generation, may take to get ready.
    pub(crate) startup_timeout: Option<Duration>,
    /// The names of the hooks that its settings have.
    #[serde(default)]
    pub(crate) hooks: Vec<String>,
}

/// Hooks that Gunicorn runs before the application is imported, unless it is told otherwise.
const BEFORE_IMPORT: [&str; 6] =
    ["on_starting", "when_ready", "on_reload", "nworkers_changed", "pre_fork", "post_fork"];

impl Rules {
    /// Is there such a hook?
    pub(crate) fn has_hook(&self, name: &str) -> bool {
        self.hooks.iter().any(|hook| hook == name)
    }

    /// Does the zygote stay until its last worker has ended?
    pub(crate) fn keeps_zygote(&self) -> bool {
        self.has_hook("child_exit") || self.has_hook("on_exit")
    }

    /// The first hook that expects that the application is not imported when it runs.
    pub(crate) fn early_hook(&self) -> Option<&'static str> {
        BEFORE_IMPORT.into_iter().find(|name| self.has_hook(name))
    }
}

/// How long a process that was told to leave at once may take before it is killed.
pub(crate) const QUIT_GRACE: Duration = Duration::from_secs(1);
/// How long the requests of a generation may still take when there are too many generations.
pub(crate) const HURRY: Duration = Duration::from_secs(5);
/// How long a stuck worker has to write down the stacks of its threads before it is killed.
pub(crate) const STACKS_GRACE: Duration = Duration::from_millis(200);
/// How long one that has a hook for that, as in Gunicorn.
pub(crate) const ABORT_GRACE: Duration = Duration::from_secs(1);
/// A worker that was ready for this long has proved itself: its death is no reason to wait before the next.
pub(crate) const SETTLED: Duration = Duration::from_secs(1);
/// Scoreboards are read no more often than this.
pub(crate) const SHORTEST_LOOK: Duration = Duration::from_millis(20);
/// A loop that has not turned for this long is silent.
pub(crate) const SILENCE: Duration = Duration::from_millis(500);
/// How long a check of the program that is to follow may take.
pub(crate) const CHECK_LIMIT: Duration = Duration::from_secs(20);
/// The memory of workers is measured this often, where it has a limit.
pub(crate) const WEIGH_INTERVAL: Duration = Duration::from_secs(5);

/// Connections and requests are counted no more often than this, where somebody waits for silence.
pub(crate) const SHORTEST_COUNT: Duration = Duration::from_millis(20);

/// How often the loop of a worker turns even when nothing happens, so that its silence means something.
pub(crate) fn beat(timeout: Duration) -> Duration {
    (timeout / 4).clamp(SILENCE, Duration::from_secs(5))
}
/// Who hears the clock so much too late was asleep itself, and everybody with it: nobody is judged by that.
pub(crate) const ASLEEP: Duration = Duration::from_secs(2);

/// Under memory pressure a worker is replaced no more often than this.
pub(crate) const RELIEF_INTERVAL: Duration = Duration::from_secs(10);

/// Forks that are ordered from a zygote at a time: its channel has room for them whatever the number of workers.
pub(crate) const ORDERS: usize = 16;

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(5);

/// The wait before something that failed is tried again: 1 ms, doubling, up to 5 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackOff {
    failures: u32,
}

impl BackOff {
    /// It failed once more: how long to wait now.
    pub(crate) fn failed(&mut self) -> Duration {
        let wait = SHORTEST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_five_seconds() {
        let mut back_off = BackOff::default();
        let waits: Vec<u128> = (0..15).map(|_| back_off.failed().as_millis()).collect();
        assert_eq!(waits[..5], [1, 2, 4, 8, 16]);
        assert_eq!(waits[12..], [4096, 5000, 5000]);
        assert_eq!(BackOff { failures: u32::MAX - 1 }.failed(), LONGEST);
    }

    #[test]
    fn moments_do_not_wrap() {
        assert_eq!(Moment(u64::MAX).after(Duration::from_secs(1)), Moment(u64::MAX));
        assert_eq!(Moment(5).until(Moment(3)), Duration::ZERO);
        assert_eq!(Moment(5).after(Duration::from_nanos(7)), Moment(12));
    }
}
