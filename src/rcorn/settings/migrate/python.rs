//! From a settings file in Python, as it was evaluated. What it computes becomes a constant, and the line says how it was
//! computed.

use super::super::python_file;
use super::super::row::{Kind, Row};
use super::super::table;
use super::super::value::Value;
use super::target::Target;
use contract::evaluation::{Evaluated, Evaluation, Found};

/// The file in TOML; `text` is its source.
pub(super) fn translate(name: &str, evaluated: &Evaluated, text: &str) -> String {
    let mut target = Target::default();
    target.comment(format!("Made from {name} by rcorn --migrate. What it computed is a constant here."));
    let lines: Vec<&str> = text.lines().collect();
    let mut settings: Vec<&Found> = evaluated.settings.iter().collect();
    settings.sort_by_key(|found| found.line.unwrap_or(usize::MAX));
    let mut hooks = Vec::new();
    for found in settings {
        let row = table::all().find(|row| row.is_named(&found.name));
        if let Some(row) = row.filter(|row| python_file::counts(row, found, evaluated)) {
            let source = found.line.and_then(|line| lines.get(line - 1)).map_or("", |line| line.trim());
            add(&mut target, row, found, source);
            hooks.extend(matches!(row.kind, Kind::Hook).then_some(found.name.as_str()));
        }
    }
    if !hooks.is_empty() {
        target.note(format!(
            "{}: functions stay in Python, in this file or in one with nothing else.",
            hooks.join(", ")
        ));
        target.set("hooks", Value::Text(name.to_owned()));
    }
    if !target.has("app") && !target.has("paste") {
        target.comment("What is served was named on the command line; it may stand here as well:\napp = \"MODULE:CALLABLE\"");
    }
    target.written()
}

fn add(target: &mut Target, row: &'static Row, found: &Found, source: &str) {
    let values = python_file::values(row, &found.value);
    let place = found.line.map_or_else(String::new, |line| format!("line {line}: "));
    match row.kind {
        _ if values.is_empty() => {}
        Kind::Hook => {}
        Kind::Unused(_, why) => {
            target.comment(format!("{place}{}: it has no effect here: {why}", found.name));
        }
        Kind::Refused(..) => {
            if let Some(why) = values.iter().find_map(|value| python_file::misfit(row, value)) {
                target.comment(format!("{place}{source}\n{}: {why}", found.name));
            }
        }
        Kind::Table(_) if values.contains(&Value::Text(python_file::OBJECT.to_owned())) => {
            target.comment(format!(
                "{place}{}: it has objects that only Python has; say it in Python, or without them.",
                found.name
            ));
        }
        _ if is_of_the_file(&found.value) => {
            target.comment(format!(
                "{place}{}: the class is this file's own; put it into a module, and name it MODULE.CLASS.",
                found.name
            ));
        }
        _ => {
            if is_computed(&found.value, source) {
                target.note(format!("{place}{source}"));
            }
            for value in values.into_iter().filter(|value| *value != Value::Nothing) {
                target.set(row.key, value);
            }
        }
    }
}

/// Is this a class that only the file has? Nobody evaluates the file when there is one in TOML.
fn is_of_the_file(value: &Evaluation) -> bool {
    matches!(value, Evaluation::Class(name) if name.starts_with("__config__."))
}

/// Does the line say something else than the value?
fn is_computed(value: &Evaluation, source: &str) -> bool {
    let Some((_, written)) = source.split_once('=') else { return !source.is_empty() };
    let written = written.split('#').next().unwrap_or_default().trim().replace('\'', "\"");
    match value {
        Evaluation::Text(text) => written != format!("\"{text}\""),
        Evaluation::Integer(number) => written.parse() != Ok(*number) && !written.starts_with("0o"),
        Evaluation::Float(number) => written.parse() != Ok(*number),
        Evaluation::Boolean(_) => !matches!(written.as_str(), "True" | "False"),
        _ => written.contains('(') || written.ends_with(']') && !written.starts_with('['),
    }
}
