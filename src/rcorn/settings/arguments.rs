//! Flags: the command line, and the environment variables that hold flags. One way to read for both.

use super::nearest::nearest;
use super::origin::{Origin, Words};
use super::refusal::Refusal;
use super::row::{Kind, Row, Section, Takes, Wish};
use super::table;
use super::value::{Given, Value};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::ffi::OsString;

/// What was said in one place.
pub(super) struct Said {
    pub(super) given: Vec<Given>,
    pub(super) wish: Wish,
}

/// The id of the one word that is no flag.
const APP: &str = "APP";

/// Reads flags.
pub(super) fn read(words: Words, arguments: &[OsString]) -> Result<Said, Refusal> {
    let named = std::iter::once(OsString::from("rcorn")).chain(with_modes(arguments));
    let matches = command().try_get_matches_from(named).map_err(|error| refusal(words, &error))?;
    let mut said = Said { given: Vec::new(), wish: Wish::Serve };
    for row in table::all().filter(|row| !row.flags.is_empty()) {
        take(row, words, &matches, &mut said)?;
    }
    if let Some(app) = matches.get_one::<String>(APP).filter(|app| !app.is_empty()) {
        let origin = only_on_the_command_line(words, app)?;
        said.given.push(Given { row: table::app(), value: Value::Text(app.clone()), origin });
    }
    Ok(said)
}

/// Gunicorn's `--proxy-protocol v1` in the form that a flag with a value of its own choice has here.
fn with_modes(arguments: &[OsString]) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::with_capacity(arguments.len());
    for word in arguments {
        let is_mode = ["off", "v1", "v2", "auto"].iter().any(|mode| word == mode);
        match words.last_mut() {
            Some(flag) if is_mode && flag == "--proxy-protocol" => {
                flag.push("=");
                flag.push(word);
            }
            _ => words.push(word.clone()),
        }
    }
    words
}

fn take(row: &'static Row, words: Words, matches: &ArgMatches, said: &mut Said) -> Result<(), Refusal> {
    let id = id(row);
    if let Kind::Wish(wish) = row.kind {
        if matches.get_flag(id) {
            only_on_the_command_line(words, id)?;
            said.wish = wish;
        }
        return Ok(());
    }
    for flag in [id, row.negated_by].into_iter().filter(|flag| !flag.is_empty()) {
        for value in matches.get_many::<String>(flag).into_iter().flatten() {
            let origin = Origin::Flag { words, flag: flag.to_owned() };
            said.given.push(Given { row, value: Value::Text(value.clone()), origin });
        }
    }
    Ok(())
}

/// The origin of a word that only the command line may have: in a variable it is more likely a slip than a wish, and
/// to overlook it would be to do something else than what was asked for.
fn only_on_the_command_line(words: Words, word: &str) -> Result<Origin, Refusal> {
    let origin = Origin::Flag { words, flag: word.to_owned() };
    match words {
        Words::CommandLine => Ok(origin),
        Words::Variable(_) => Err(Refusal::of_value(&origin, "this belongs on the command line")),
    }
}

/// The help for the command line.
pub(super) fn help() -> String {
    command().render_help().to_string()
}

fn command() -> Command {
    command_of(|_| true)
}

/// The command with the flags that `keep` keeps.
pub(super) fn command_of(keep: fn(&Row) -> bool) -> Command {
    let rows = || table::all().filter(move |row| keep(row));
    let app = Arg::new(APP).value_name("MODULE[:CALLABLE]").num_args(1).help("the application to serve");
    Command::new("rcorn")
        .about("Serves a Python application (WSGI or ASGI) with pre-forked workers.")
        .override_usage("rcorn [FLAGS] [MODULE[:CALLABLE]]")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .infer_long_args(true)
        .arg(app)
        .args(rows().filter(|row| !row.flags.is_empty()).map(argument))
        .args(rows().filter(|row| !row.negated_by.is_empty()).map(negation))
}

fn negation(row: &'static Row) -> Arg {
    let id = row.negated_by;
    let argument = Arg::new(id).long(id.trim_start_matches('-')).hide(true).action(ArgAction::Append);
    argument.num_args(0).default_missing_value("off")
}

fn argument(row: &'static Row) -> Arg {
    let mut argument = Arg::new(id(row)).help(help_of(row)).hide(row.section == Section::Hidden);
    for flag in row.flags {
        argument = match flag.strip_prefix("--") {
            Some(long) if argument.get_long().is_none() => argument.long(long),
            Some(long) => argument.visible_alias(long),
            None if argument.get_short().is_none() => argument.short(flag.chars().nth(1)),
            None => argument.short_alias(flag.chars().nth(1)),
        };
    }
    if row.key == "limit_request_field_size" {
        // Gunicorn's own spelling.
        argument = argument.alias("limit-request-field_size");
    }
    if let Some((_, heading)) = Section::SHOWN.iter().find(|(section, _)| *section == row.section) {
        argument = argument.help_heading(*heading);
    }
    match row.kind {
        Kind::Wish(_) => argument.action(ArgAction::SetTrue),
        Kind::Switch(..) => argument
            .action(ArgAction::Append)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("on")
            .value_name(row.placeholder()),
        Kind::Unused(Takes::Switch, _) => {
            argument.action(ArgAction::Append).num_args(0).default_missing_value("on")
        }
        // Whether it takes a value does not matter: it is refused.
        Kind::Refused(..) => argument.action(ArgAction::Append).num_args(0..=1).default_missing_value(""),
        _ => argument
            .action(ArgAction::Append)
            .num_args(1)
            .allow_negative_numbers(true)
            .value_name(row.placeholder()),
    }
}

/// What it is, and what it is when nobody says anything.
fn help_of(row: &Row) -> String {
    match (row.default, row.variable) {
        ("", _) => row.help.to_owned(),
        (default, None) => format!("{} [default: {default}]", row.help),
        (default, Some((name, form))) => {
            format!("{} [default: {default}, or {}]", row.help, form.replace("{}", &format!("${name}")))
        }
    }
}

/// The longest flag names the argument.
pub(super) fn id(row: &Row) -> &'static str {
    row.flags.iter().find(|flag| flag.starts_with("--")).or(row.flags.first()).copied().unwrap_or_default()
}

/// What clap has against it, in our words.
fn refusal(words: Words, error: &clap::Error) -> Refusal {
    let place = match words {
        Words::CommandLine => String::new(),
        Words::Variable(name) => format!("${name}: "),
    };
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let argument = text(ContextKind::InvalidArg);
    let flag = argument.split(['=', ' ', '[', '<']).next().unwrap_or_default();
    let sentence = match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with('-') => unknown(flag),
        ErrorKind::UnknownArgument => format!("{argument:?} is one word too many: there is one application"),
        ErrorKind::InvalidValue
        | ErrorKind::WrongNumberOfValues
        | ErrorKind::TooFewValues
        | ErrorKind::NoEquals => {
            format!("{flag}: a value is missing")
        }
        ErrorKind::TooManyValues => format!("{flag}: it takes no value"),
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    };
    Refusal::usage(format!("{place}{sentence}"))
}

fn unknown(flag: &str) -> String {
    let flags = table::all().flat_map(|row| row.flags.iter().copied()).filter(|flag| flag.len() > 2);
    match nearest(flag, flags) {
        Some(near) => format!("{flag}: there is no such flag; did you mean {near}?"),
        None => format!("{flag}: there is no such flag; see rcorn --help"),
    }
}

/// Words as a shell would split them: blanks separate, quotes and backslashes keep together.
pub(super) fn split(text: &str) -> Result<Vec<OsString>, &'static str> {
    let (mut words, mut word, mut within) = (Vec::new(), None::<String>, None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (within, character) {
            (Some(quote), _) if character == quote => within = None,
            (None, '"' | '\'') => {
                within = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                let next = characters.next().ok_or("it ends in a backslash")?;
                word.get_or_insert_default().push(next);
            }
            (None, _) if character.is_whitespace() => words.extend(word.take().map(OsString::from)),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if within.is_some() {
        return Err("a quote is not closed");
    }
    words.extend(word.map(OsString::from));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let split = |text| split(text).unwrap();
        assert_eq!(split("  -w 2\t--name 'a b' "), ["-w", "2", "--name", "a b"]);
        assert_eq!(split(r#"--name="a \"b" x\ y ''"#), [r#"--name=a "b"#, "x y", ""]);
        assert!(super::split("'open").is_err() && super::split("\\").is_err());
    }

    #[test]
    fn the_table_makes_a_sound_command() {
        command().debug_assert();
    }

    #[test]
    fn gunicorns_ways_of_writing_flags() {
        let said = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(Into::into).collect();
            let given = read(Words::CommandLine, &words).unwrap().given;
            given.into_iter().map(|given| (given.row.key, given.value.plain())).collect::<Vec<_>>()
        };
        let pair = |key, value: &str| (key, value.to_owned());
        let app = pair("app", "a:b");
        assert_eq!(said(&["--proxy-protocol", "v1", "a:b"]), [pair("proxy_protocol", "v1"), app.clone()]);
        assert_eq!(said(&["--proxy-protocol", "a:b"]), [pair("proxy_protocol", "on"), app.clone()]);
        assert_eq!(said(&["--error-log", "-", "a:b"]), [pair("error_log", "-"), app.clone()]);
        assert_eq!(said(&["--worker-conn=7", "a:b"]), [pair("worker_connections", "7"), app]);
        assert!(read(Words::CommandLine, &["--limit-request=7".into()]).is_err(), "that may be several");
    }

    #[test]
    fn an_unknown_flag_names_the_nearest() {
        let refused =
            read(Words::CommandLine, &["--wrokers".into(), "2".into()]).err().map(|r| r.to_string());
        assert_eq!(refused.as_deref(), Some("--wrokers: there is no such flag; did you mean --workers?"));
    }

    #[test]
    fn a_variable_holds_settings_only() {
        for word in ["--help", "--check-config", "stray"] {
            let refused =
                read(Words::Variable("RCORN_CMD_ARGS"), &[word.into()]).err().map(|r| r.to_string());
            let sentence = format!("$RCORN_CMD_ARGS: {word}: this belongs on the command line");
            assert_eq!(refused, Some(sentence));
        }
    }

    #[test]
    fn help_shows_every_default() {
        let help = help();
        for row in table::all().filter(|row| row.has_value() && !row.flags.is_empty()) {
            assert!(row.flags.iter().all(|flag| help.contains(flag)), "{:?}", row.flags);
        }
        let shown = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("[default: 127.0.0.1:8000, or 0.0.0.0:$PORT]"), "{help}");
        assert!(
            shown.contains("[default: 1, or $WEB_CONCURRENCY]") && shown.contains("[=<on|off|auto>]"),
            "{help}"
        );
    }
}
