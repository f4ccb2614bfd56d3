//! What is read about the settings outside of the program: man pages, completions, the sample file, docs/settings.md.
//! All of it comes from the table and is kept in the tree, so that who builds a package needs to make none of it.

mod kept;
mod man;
mod page;
mod sample;

use super::row::{Kind, Row, Section};
use super::{arguments, table};
use clap::ValueHint;
use clap::builder::PossibleValuesParser;
use clap_complete::{Shell, generate};

#[test]
fn man_pages_are_those_of_the_table() {
    kept::part("packaging/man/rcorn.1", &man::flags());
    kept::part("packaging/man/rcorn.toml.5", &man::keys());
}

#[test]
fn the_page_about_settings_is_that_of_the_table() {
    kept::part("docs/settings.md", &page::tables());
}

#[test]
fn the_sample_is_that_of_the_table() {
    kept::all("packaging/rcorn.toml", &sample::sample());
}

#[test]
fn completions_are_those_of_the_table() {
    for (shell, name) in [(Shell::Bash, "rcorn.bash"), (Shell::Zsh, "_rcorn"), (Shell::Fish, "rcorn.fish")] {
        let (mut command, mut script) = (completed(), Vec::new());
        generate(shell, &mut command, "rcorn", &mut script);
        kept::all(&format!("packaging/completions/{name}"), &String::from_utf8_lossy(&script));
    }
}

/// The command, with what each flag's value may be, and without what would be refused.
fn completed() -> clap::Command {
    let command = arguments::command_of(|row| row.section != Section::Hidden);
    rows().filter(|row| !row.flags.is_empty()).fold(command, |command, row| {
        command.mut_arg(arguments::id(row), |argument| match row.kind {
            Kind::Choice(words, _) | Kind::Known(words, _) => {
                argument.value_parser(PossibleValuesParser::new(words))
            }
            Kind::Switch(further, _) => {
                argument.value_parser(PossibleValuesParser::new(["on", "off"].iter().chain(further)))
            }
            Kind::Path(_) if row.key == "chdir" => argument.value_hint(ValueHint::DirPath),
            Kind::Path(_) => argument.value_hint(ValueHint::AnyPath),
            _ => argument,
        })
    })
}

/// What is shown, in the order of the table.
fn rows() -> impl Iterator<Item = &'static Row> {
    table::all().filter(|row| row.section != Section::Hidden)
}

/// The sections, each with the rows that `keep` keeps; none that is empty.
fn sections(keep: fn(&Row) -> bool) -> Vec<(&'static str, Vec<&'static Row>)> {
    let within = |section| rows().filter(|row| row.section == section && keep(row)).collect::<Vec<_>>();
    let all = Section::SHOWN.iter().map(|(section, heading)| (*heading, within(*section)));
    all.filter(|(_, rows)| !rows.is_empty()).collect()
}

/// Can it stand in the file?
fn is_key(row: &Row) -> bool {
    !row.key.is_empty()
}

/// What a value of it looks like, in words.
fn takes(row: &Row) -> String {
    let words =
        |words: &[&str]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    match row.kind {
        Kind::Number(least, most, _) if most == i64::MAX as u64 => format!("number, {least} or more"),
        Kind::Number(least, most, _) => format!("number, {least} to {most}"),
        Kind::NumberOrAuto(_, least, most, _) => format!("number, {least} to {most}, or \"auto\""),
        Kind::Size(_) => "size: bytes, or \"512K\", \"300M\", \"2G\"".to_owned(),
        Kind::Duration(_) => "time: seconds, or \"500ms\", \"2m\", \"1h\"".to_owned(),
        Kind::Choice(choice, _) | Kind::Known(choice, _) => words(choice),
        Kind::Switch([], _) => "true or false".to_owned(),
        Kind::Switch(further, _) => format!("true, false, {}", words(further)),
        Kind::Mask(_) | Kind::Mode(_) => "octal text, such as \"0600\"".to_owned(),
        Kind::Table(_) => "table".to_owned(),
        Kind::Text(_) | Kind::Checked(_) => "text".to_owned(),
        Kind::Address(example, _) => format!("address, such as \"{example}\""),
        Kind::Path(_) => "path".to_owned(),
        Kind::List(..) => "list of text".to_owned(),
        Kind::Pairs(_) => "table, or list of \"NAME=VALUE\"".to_owned(),
        Kind::Wish(_) | Kind::Hook | Kind::Unused(..) | Kind::Refused(..) => String::new(),
    }
}

/// Its value when nobody says anything.
fn default(row: &Row) -> Option<String> {
    match (row.default, row.variable) {
        ("", None) => None,
        ("", Some((name, form))) => Some(form.replace("{}", &format!("${name}"))),
        (default, None) => Some(default.to_owned()),
        (default, Some((name, form))) => {
            Some(format!("{default}, or {} where that is set", form.replace("{}", &format!("${name}"))))
        }
    }
}
