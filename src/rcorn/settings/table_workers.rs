//! The rows about workers: how many, what they may take, and when they are replaced.

use super::row::{Kind, Row, Section};
use super::table::small;
use super::worker_class;
use contract::scoreboard::{MOST_LANES, MOST_WORKERS};

/// The CPUs that this process may use: those of its affinity mask, or what the quota of its control group comes to where
/// that is less, rounded down; at least one. The standard library asks both anew each time.
fn cpus() -> u64 {
    std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64)
}

/// Settings about workers.
pub(super) static WORKERS: &[Row] = &[
    Row::new(
        "workers",
        &["-w", "--workers"],
        Kind::NumberOrAuto(cpus, 1, MOST_WORKERS as u64, |s, n| s.workers = small(n)),
        "worker processes; auto: one for each CPU that rcorn may use",
    )
    .default("1")
    .moved_by("WEB_CONCURRENCY", "{}")
    .within(Section::Workers),
    Row::new(
        "worker_class",
        &["-k", "--worker-class"],
        Kind::Known(worker_class::WORDS, |s, name| worker_class::read(name).map(|class| s.worker_class = class)),
        "kind of workers, by these names or by those of Gunicorn and uvicorn; auto: what the application needs",
    )
    .default("auto")
    .within(Section::Workers),
    Row::new(
        "threads",
        &["--threads"],
        Kind::Number(1, MOST_LANES as u64, |s, n| s.threads = small(n)),
        "threads of each worker for requests of a WSGI application; sync workers become threaded with more than 1",
    )
    .default("1")
    .within(Section::Workers),
    Row::new(
        "worker_connections",
        &["--worker-connections"],
        Kind::Number(1, 1_000_000, |s, n| s.worker_connections = small(n)),
        "connections that one worker keeps open",
    )
    .default("1000")
    .within(Section::Workers),
    Row::new(
        "timeout",
        &["-t", "--timeout"],
        Kind::Duration(|s, time| s.timeout = time),
        "time that a request may take without progress; 0: no limit",
    )
    .default("30")
    .within(Section::Workers),
    Row::new(
        "request_timeout",
        &["--request-timeout"],
        Kind::Duration(|s, time| s.request_timeout = time),
        "time that a request may take in all; 0: no limit",
    )
    .default("0")
    .within(Section::Workers),
    Row::new(
        "slow_request",
        &["--slow-request"],
        Kind::Duration(|s, time| s.slow_request = time),
        "time after which the Python stacks of a request are logged, once; 0: never",
    )
    .default("0")
    .within(Section::Workers),
    Row::new(
        "max_requests",
        &["--max-requests"],
        Kind::Number(0, i64::MAX as u64, |s, n| s.max_requests = n),
        "requests after which a worker is replaced; 0: never",
    )
    .default("0")
    .within(Section::Workers),
    Row::new(
        "max_requests_jitter",
        &["--max-requests-jitter"],
        Kind::Number(0, 1_000_000_000, |s, n| s.max_requests_jitter = n),
        "up to so many more, by chance",
    )
    .default("0")
    .within(Section::Workers),
    Row::new(
        "max_worker_age",
        &["--max-worker-age"],
        Kind::Duration(|s, time| s.max_worker_age = time),
        "age at which a worker is replaced; 0: never",
    )
    .default("0")
    .within(Section::Workers),
    Row::new(
        "max_worker_memory",
        &["--max-worker-memory"],
        Kind::Size(|s, bytes| s.max_worker_memory = bytes),
        "memory (PSS) above which a worker is replaced, such as 300M; 0: never",
    )
    .default("0")
    .within(Section::Workers),
    Row::new(
        "max_boot_failures",
        &["--max-boot-failures"],
        Kind::Number(1, 1_000_000, |s, n| s.max_boot_failures = small(n)),
        "failures after which the first start, or a reload, is given up",
    )
    .default("1")
    .within(Section::Workers),
    Row::new(
        "max_generations",
        &["--max-generations"],
        Kind::Number(2, 100, |s, n| s.max_generations = small(n)),
        "generations that may exist at a time; the oldest has to hurry then",
    )
    .default("3")
    .within(Section::Workers),
    Row::new(
        "graceful_timeout",
        &["--graceful-timeout"],
        Kind::Duration(|s, time| s.graceful_timeout = time),
        "time that a stop waits for requests in flight",
    )
    .default("30")
    .within(Section::Workers),
    // Below the 90 s of systemd's TimeoutStartSec, so that the sentence that says why comes before systemd's kill.
    Row::new(
        "startup_timeout",
        &["--startup-timeout"],
        Kind::Duration(|s, time| s.startup_timeout = time),
        "time until the workers are ready; 0: no limit",
    )
    .default("60")
    .within(Section::Workers),
    Row::new(
        "idle_timeout",
        &["--idle-timeout"],
        Kind::Duration(|s, time| s.idle_timeout = time),
        "time without any connection after which rcorn ends, for systemd to start it on demand; 0: never",
    )
    .default("0")
    .within(Section::Workers),
    Row::new(
        "rolling",
        &["--rolling"],
        Kind::Switch(&[], |s, word| s.rolling = word == "on"),
        "replace workers one by one in a reload, where there is no memory for two generations",
    )
    .default("off")
    .within(Section::Workers),
];
