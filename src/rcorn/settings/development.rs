//! What was said for whoever writes the application.

use serde::{Deserialize, Serialize};

/// For whoever writes the application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Development {
    /// Reload when a file changes, and show why the application cannot be imported.
    pub(crate) reload: bool,
    /// How changes are noticed.
    pub(crate) reload_engine: ReloadEngine,
    /// Further files, directories and patterns that are watched.
    pub(crate) reload_extra_files: Vec<String>,
    /// Print every line of Python that runs.
    pub(crate) spew: bool,
}

/// How changes of files are noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ReloadEngine {
    /// The kernel tells, where it knows.
    #[default]
    Auto,
    /// All files are looked at once a second.
    Poll,
    /// The kernel tells.
    Inotify,
}
