//! What the tests of this room share.

use crate::settings::{Invocation, Settings};

/// Settings as they are without any wish, listening nowhere.
pub(crate) fn settings() -> Settings {
    let invocation =
        Invocation { arguments: vec!["app".into()], environment: Vec::new(), ..Invocation::of_process() };
    let mut settings = invocation.load().expect("an application is all that has to be named");
    settings.bind.clear();
    settings
}
