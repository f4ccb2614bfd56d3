//! The table: the only list of settings. Flags, keys of the file, help, `--print-config` and all checks come from it.
//!
//! Names, flags and meanings are Gunicorn's wherever Gunicorn has them. What Gunicorn has and rcorn has no use for is in
//! `table_gunicorn`. A new setting is one entry here, and a field of `Settings` that it fills.

use super::Settings;
use super::bind;
use super::paste::PASTE;
use super::row::{Kind, Row, Section, Wish};
use super::table_asgi::ASGI;
use super::table_clients::CLIENTS;
use super::table_control::CONTROL;
use super::table_development::DEVELOPMENT;
use super::table_gunicorn::GUNICORN;
use super::table_logging::LOGGING;
use super::table_metrics::METRICS;
use super::table_proxy::PROXY;
use super::table_workers::WORKERS;
use contract::settings::Preload;

/// Every setting there is.
pub(super) fn all() -> impl DoubleEndedIterator<Item = &'static Row> {
    SETTINGS
        .iter()
        .chain(PASTE)
        .chain(WORKERS)
        .chain(ASGI)
        .chain(CLIENTS)
        .chain(LOGGING)
        .chain(FURTHER)
        .chain(METRICS)
        .chain(PROXY)
        .chain(CONTROL)
        .chain(DEVELOPMENT)
        .chain(GUNICORN)
}

/// What rcorn has for applications, sockets and workers.
static SETTINGS: &[Row] = &[
    Row::new("app", &[], Kind::Text(|s, text| text.clone_into(&mut s.app)), "MODULE[:CALLABLE] to serve")
        .alias("wsgi_app")
        .within(Section::Application),
    Row::new(
        "",
        &["-c", "--config"],
        Kind::Path(|_, _| {}),
        "settings file: TOML, or Python as FILE.py, file:PATH or python:MODULE; else ./gunicorn.conf.py",
    )
    .within(Section::Application),
    Row::new(
        "hooks",
        &["--hooks"],
        Kind::Text(|_, _| {}),
        "Python file (FILE.py or python:MODULE) with Gunicorn's hooks, beside settings in TOML; its settings do not count",
    )
    .within(Section::Application),
    Row::new(
        "python",
        &["--python"],
        Kind::Path(|s, path| s.python = Some(path)),
        "the application's interpreter, or the directory of its virtual environment",
    )
    .within(Section::Application),
    Row::new(
        "chdir",
        &["--chdir"],
        Kind::Path(|s, path| s.chdir = path),
        "directory that the application works in and is imported from; other paths start from it",
    )
    .default(".")
    .within(Section::Application),
    Row::new(
        "pythonpath",
        &["--pythonpath"],
        Kind::List(true, |s, path| {
            s.pythonpath.push(path.to_owned());
            Ok(())
        }),
        "directories that are put in front of sys.path, separated by commas",
    )
    .within(Section::Application),
    Row::new(
        "env",
        &["-e", "--env"],
        Kind::Pairs(add_variable),
        "environment of the application; repeatable",
    )
    .alias("raw_env")
    .within(Section::Application),
    Row::new(
        "env_file",
        &["--env-file"],
        Kind::Path(|s, path| s.env_file = Some(path)),
        "file of NAME=VALUE lines for that environment, read again at each reload",
    )
    .within(Section::Application),
    Row::new(
        "preload",
        &["--preload"],
        Kind::Switch(&["auto"], |s, word| s.preload = preload(word)),
        "import the application before the workers are forked: on, off, or auto: if it survives that",
    )
    .alias("preload_app")
    .default("auto")
    .within(Section::Application),
    Row::new(
        "warm_up",
        &["--warm-up"],
        Kind::Text(|s, text| s.warm_up = Some(text.to_owned()).filter(|text| !text.is_empty())),
        "MODULE:CALLABLE that is called with the application before that serves, once where it is preloaded",
    )
    .within(Section::Application),
    Row::new(
        "bind",
        &["-b", "--bind"],
        Kind::List(true, |s, text| bind::parse(text).map(|bind| s.bind.push(bind))),
        "HOST:PORT, [IPV6]:PORT, unix:PATH, unix:@NAME or fd://N; repeatable",
    )
    .default("127.0.0.1:8000")
    .moved_by("PORT", "0.0.0.0:{}")
    .within(Section::Sockets),
    Row::new(
        "backlog",
        &["--backlog"],
        Kind::Number(1, 65_535, |s, n| s.backlog = small(n).cast_signed()),
        "connections that may wait to be accepted",
    )
    .default("2048")
    .within(Section::Sockets),
    Row::new(
        "reuse_port",
        &["--reuse-port"],
        Kind::Switch(&[], |s, word| s.reuse_port = word == "on"),
        "let other servers listen at the same address",
    )
    .default("off")
    .within(Section::Sockets),
];

/// What rcorn has for its process, and what else it can be asked for.
static FURTHER: &[Row] = &[
    Row::new(
        "user",
        &["-u", "--user"],
        Kind::Text(|s, text| s.user = some(text)),
        "user that runs the application, by name or number",
    )
    .within(Section::Process),
    Row::new(
        "group",
        &["-g", "--group"],
        Kind::Text(|s, text| s.group = some(text)),
        "group that runs the application, by name or number",
    )
    .within(Section::Process),
    Row::new(
        "umask",
        &["-m", "--umask"],
        Kind::Mask(|s, mask| s.umask = mask),
        "file mode mask of unix sockets, octal",
    )
    .default("0")
    .within(Section::Process),
    Row::new("pid", &["-p", "--pid"], Kind::Path(|s, path| s.pid = Some(path)), "file for the process id")
        .alias("pidfile")
        .within(Section::Process),
    Row::new(
        "name",
        &["-n", "--name"],
        Kind::Text(|s, text| s.name = some(text)),
        "name that ps shows; else the application's",
    )
    .alias("proc_name")
    .within(Section::Process),
    Row::new(
        "default_proc_name",
        &[],
        Kind::Text(|s, text| s.name = s.name.take().or_else(|| some(text))),
        "the same, where name says nothing",
    )
    .within(Section::Process),
    Row::new(
        "",
        &["--check-config"],
        Kind::Wish(Wish::Check),
        "try everything but serving, the application's import too",
    )
    .within(Section::Other),
    Row::new("", &["--print-config"], Kind::Wish(Wish::Print), "show every setting and where it comes from")
        .within(Section::Other),
    Row::new(
        "",
        &["--migrate"],
        Kind::Wish(Wish::Migrate),
        "FILE in the place of the application: print gunicorn.conf.py, or an .ini of uWSGI's, as TOML",
    )
    .within(Section::Other),
    Row::new("", &["-h", "--help"], Kind::Wish(Wish::Help), "show this").within(Section::Other),
    Row::new("", &["-v", "--version", "-V"], Kind::Wish(Wish::Version), "show the version")
        .within(Section::Other),
    Row::new("extension", &["--extension"], Kind::Path(|s, path| s.extension = Some(path)), ""),
];

/// The settings file's own row.
pub(super) fn config() -> &'static Row {
    &SETTINGS[1]
}

/// The row that names a file with hooks.
pub(super) fn hooks() -> &'static Row {
    &SETTINGS[2]
}

/// The row with this key, for errors that concern several settings.
pub(super) fn app() -> &'static Row {
    &SETTINGS[0]
}

pub(super) fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn preload(word: &str) -> Preload {
    match word {
        "on" => Preload::On,
        "off" => Preload::Off,
        _ => Preload::Auto,
    }
}

fn add_variable(settings: &mut Settings, text: &str) -> Result<(), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !text.contains('\0') => {
            settings.env.push((name.to_owned(), value.to_owned()));
            Ok(())
        }
        _ => Err(format!("expected NAME=VALUE, found {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_name_and_no_flag_is_there_twice() {
        let mut seen = HashSet::new();
        for row in all() {
            for name in row.flags.iter().copied().chain([row.key, row.alias]) {
                assert!(name.is_empty() || seen.insert(name), "{name} is there twice");
            }
        }
    }

    #[test]
    fn flags_look_like_flags_and_keys_like_keys() {
        for row in all() {
            assert!(row.flags.iter().all(|flag| flag.starts_with("--") != (flag.len() == 2)), "{row:?}");
            let is_key =
                |key: &str| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit());
            assert!(is_key(row.key) && is_key(row.alias), "{row:?}");
            assert!(
                !row.flags.iter().any(|flag| flag.contains('_')),
                "flags are looked up with dashes: {row:?}"
            );
        }
    }

    #[test]
    fn what_is_shown_says_what_it_is() {
        let shown = all().filter(|row| row.section != Section::Hidden);
        assert!(shown.filter(|row| row.help.is_empty()).count() == 0);
        assert_eq!((app().key, config().flags[1], hooks().key), ("app", "--config", "hooks"));
    }
}
