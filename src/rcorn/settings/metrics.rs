//! What was said of metrics: their listener, and statsd.

use super::{Bind, StatsdHost};
use serde::{Deserialize, Serialize};

/// What is measured, and who is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Metrics {
    /// Where metrics and health are told; `None`: nowhere but at the control socket.
    pub(crate) bind: Option<Bind>,
    /// The statsd server that is told of each request.
    pub(crate) statsd_host: Option<StatsdHost>,
    /// What its metrics' names begin with.
    pub(crate) statsd_prefix: String,
    /// And what stands behind each of them.
    pub(crate) dogstatsd_tags: String,
    /// Is it told how many connections wait?
    pub(crate) enable_backlog_metric: bool,
}
