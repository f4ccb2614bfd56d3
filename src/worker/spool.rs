//! Where large bodies are to wait: tried when a zygote starts, so that what is missing is told before it is missed.

use crate::log;
use contract::logline::Level;
use contract::settings::HttpSettings;
use std::path::Path;

/// Leaves no directory where none can be written and memory may serve instead; says what that means.
pub(crate) fn settle(settings: &mut HttpSettings) {
    let directories = &settings.spool_directories;
    if directories.iter().any(|directory| sys::spool::unnamed_file(Path::new(directory)).is_ok()) {
        return;
    }
    let names = directories.join(", ");
    if settings.spool_in_memory {
        settings.spool_directories.clear();
        let what = "request bodies above 1 MiB are kept in memory: mount a directory there, or name one as tmp_upload_dir";
        log::write(Level::Warning, &format!("no file can be made in {names}; {what}"));
    } else {
        let what = "request bodies above 1 MiB are answered with 500";
        log::write(Level::Warning, &format!("tmp_upload_dir: no file can be made in {names}; {what}"));
    }
}
