//! The rows about development: nothing that a service in production wants.

use super::ReloadEngine;
use super::row::{Kind, Row, Section};

/// Settings for whoever writes the application.
pub(super) static DEVELOPMENT: &[Row] = &[
    Row::new(
        "reload",
        &["--reload"],
        Kind::Switch(&[], |s, word| s.development.reload = word == "on"),
        "reload when a file of the application changes, and show clients why it cannot be imported",
    )
    .default("off")
    .within(Section::Development),
    Row::new(
        "reload_engine",
        &["--reload-engine"],
        Kind::Choice(&["auto", "poll", "inotify"], |s, word| s.development.reload_engine = engine(word)),
        "how changes are noticed: inotify, poll (once a second), or auto: inotify where that hears of all",
    )
    .default("auto")
    .within(Section::Development),
    Row::new(
        "reload_extra_files",
        &["--reload-extra-file"],
        Kind::List(false, |s, path| {
            let pattern = glob::Pattern::new(path);
            pattern.map_err(|error| format!("no pattern of paths: {error}, found \"{path}\""))?;
            s.development.reload_extra_files.push(path.to_owned());
            Ok(())
        }),
        "further files, directories or patterns such as templates/**/*.html that are watched; repeatable",
    )
    .within(Section::Development),
    Row::new(
        "spew",
        &["--spew"],
        Kind::Switch(&[], |s, word| s.development.spew = word == "on"),
        "print every line of Python that runs, to standard error",
    )
    .default("off")
    .within(Section::Development),
];

fn engine(word: &str) -> ReloadEngine {
    match word {
        "poll" => ReloadEngine::Poll,
        "inotify" => ReloadEngine::Inotify,
        _ => ReloadEngine::Auto,
    }
}
