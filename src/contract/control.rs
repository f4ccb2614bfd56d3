//! What the control socket says, as JSON: the answers that `rcornctl` shows. Fields may be added; none changes its
//! meaning, so that a client and an arbiter of different versions understand each other.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /status`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The arbiter's version.
    pub version: String,
    /// Its process.
    pub pid: i32,
    /// The name of the instance.
    pub name: String,
    /// The application.
    pub app: String,
    /// `booting`, `serving`, `reloading` or `stopping`.
    pub state: String,
    /// The generation that serves.
    pub generation: u64,
    /// All that exist, the oldest first.
    pub generations: Vec<u64>,
    /// Where it listens.
    pub listeners: Vec<String>,
    /// How many workers are wanted.
    pub target: u32,
    /// What became of preloading.
    pub preload: String,
    /// The workers.
    pub workers: Vec<WorkerStatus>,
    /// Workers that were replaced, by reason.
    pub restarts: BTreeMap<String, u64>,
    /// Everything since the start.
    pub total: Total,
    /// Who waits at the listeners, as far as that is known.
    pub backlogs: Vec<Backlog>,
    /// Reloads since the start.
    pub reloads: Reloads,
    /// The last minute.
    pub last_minute: Rates,
    /// What became of the last reload.
    pub last_reload: Option<Reload>,
}

/// One worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerStatus {
    /// Its number.
    pub number: u32,
    /// Its process; nought as long as there is none.
    pub pid: i32,
    /// Its generation.
    pub generation: u64,
    /// `booting`, `idle`, `busy`, `draining`, `leaving`.
    pub state: String,
    /// Seconds since it was ready.
    pub age: f64,
    /// Requests answered by the application.
    pub requests: u64,
    /// Requests refused before they reached it.
    pub refused: u64,
    /// Connections open.
    pub connections: u64,
    /// Requests that the application has and has not answered.
    pub in_application: u64,
    /// Its threads that can be in a request at a time; nought where that is not what limits it.
    pub threads: u32,
    /// The requests that it is in, the oldest first.
    pub in_flight: Vec<InFlight>,
    /// So many more, of which nothing is known.
    pub more_in_flight: u64,
    /// Websockets open.
    pub websockets: u64,
    /// Memory in bytes, what is shared in proportion.
    pub memory: u64,
    /// Seconds of CPU.
    pub cpu: f64,
}

/// A request that is being answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InFlight {
    /// Its first line.
    pub line: String,
    /// Its client.
    pub client: String,
    /// For how many seconds.
    pub seconds: f64,
}

/// What was done since the start, by workers that are gone as well; a reload is no start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Total {
    /// Requests answered by the application.
    pub requests: u64,
    /// Requests refused before they reached it.
    pub refused: u64,
    /// Requests among the answered whose response is not whole.
    pub aborted: u64,
    /// Responses by class, 1xx to 5xx.
    pub by_class: [u64; 5],
    /// Bytes of their bodies.
    pub bytes: u64,
}

/// Connections that wait to be accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backlog {
    /// Where.
    pub listener: String,
    /// So many.
    pub waiting: u32,
    /// So many may.
    pub limit: u32,
}

/// What became of reloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reloads {
    /// So many were done.
    pub done: u64,
    /// So many failed, and changed nothing.
    pub failed: u64,
}

/// What was done within some time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Seconds that this is about.
    pub seconds: f64,
    /// Requests a second.
    pub requests_per_second: f64,
    /// Half of the requests took at most so many microseconds in the application.
    pub p50: u64,
    /// 99 of 100 requests.
    pub p99: u64,
    /// Responses by class, 1xx to 5xx.
    pub by_class: [u64; 5],
}

/// `POST /reload`, `GET /reloads/ID`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reload {
    /// By which it is asked for: the generation that is to serve.
    pub id: u64,
    /// `pending`, `done` or `failed`.
    pub state: String,
    /// One line.
    pub summary: String,
    /// As Python prints it, or nothing.
    pub traceback: String,
}

/// `GET /settings`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value, as it is written.
    pub value: String,
    /// Where that comes from.
    pub origin: String,
}

/// What was wrong, with any status from 400 on; and what was done, where there is nothing else to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// A sentence.
    pub message: String,
}
