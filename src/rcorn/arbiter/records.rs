//! What the register remembers beside who is there: what runs, what became of it, how long it has been quiet.

use super::policy::Moment;
use contract::id::Generation;
use contract::message::BootFailure;
use serde::{Deserialize, Serialize};

/// A check that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checking {
    /// What it is for.
    pub(crate) generation: Generation,
    /// When it is killed, if it was not yet.
    pub(crate) kill_at: Option<Moment>,
    /// It was passed.
    #[serde(default)]
    pub(crate) passed: bool,
    /// `pre_exec` has not answered yet.
    #[serde(default)]
    pub(crate) awaits_hook: bool,
}

/// What became of a reload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The generation that was to serve.
    pub(crate) generation: Generation,
    /// Why it does not.
    pub(crate) failure: Option<BootFailure>,
}

/// What is known of a silence that may end it all.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Idle {
    /// Since when it lasts.
    pub(crate) since: Moment,
    /// How many requests there were by then.
    pub(crate) handled: u64,
    /// When it is counted next.
    pub(crate) count_at: Option<Moment>,
}
