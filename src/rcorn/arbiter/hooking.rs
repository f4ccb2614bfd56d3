//! What the register knows of the hooks of a generation: whether they have begun, and how they are to end.

use super::fleet::Fleet;
use super::policy::Moment;
use contract::id::{Generation, Pid, WorkerId};
use contract::settings::Occasion;
use serde::{Deserialize, Serialize};

/// Of one crew.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hooking {
    /// A zygote has booted.
    pub(crate) begun: bool,
    /// Workers that have ended while there was no zygote to be told.
    pub(crate) ended: Vec<(WorkerId, Pid)>,
    /// The zygote runs `on_exit` when everybody is gone.
    pub(crate) has_last_word: bool,
    /// Until when hooks may run at its end.
    pub(crate) until: Moment,
}

impl Fleet {
    /// Why the zygote of a generation starts, as its hooks are to know it.
    pub(crate) fn occasion(&self, generation: Generation) -> Occasion {
        let begun = self.crews.get(&generation).is_some_and(|crew| crew.hooking.begun);
        match self.serving() {
            _ if begun => Occasion::Again,
            Some((_, serving)) => Occasion::Reload { workers: serving.target },
            None => Occasion::Start,
        }
    }
}
