//! docs/settings.md: a table for each section.

use super::super::row::{Kind, Takes};
use super::super::table;
use super::{Row, default, is_key, sections, takes};

/// All sections, and what is only there because Gunicorn has it.
pub(super) fn tables() -> String {
    format!("{}{}{}", shown(), unused(), refused())
}

fn shown() -> String {
    let section = |(heading, rows): (&str, Vec<&Row>)| {
        let lines: String = rows.into_iter().map(line).collect();
        format!(
            "\n## {heading}\n\n| setting | flag | value | default | what it is |\n|---|---|---|---|---|\n{lines}"
        )
    };
    sections(is_key).into_iter().map(section).collect()
}

/// What is accepted and has no effect.
fn unused() -> String {
    let line = |row: &Row| match row.kind {
        Kind::Unused(takes, why) => {
            Some(format!("| {} | {} | {} |\n", names(row), cell(&taken(takes)), cell(why)))
        }
        _ => None,
    };
    let lines: String = table::all().filter_map(line).collect();
    format!(
        "\n## Gunicorn's settings that have no effect\n\n\
         They are accepted; `--check-config` names those that are set.\n\n\
         | setting | value | why it has no effect |\n|---|---|---|\n{lines}"
    )
}

/// What is refused, but for values that change nothing.
fn refused() -> String {
    let line = |row: &Row| match row.kind {
        Kind::Refused(harmless, instead) => {
            let harmless: Vec<String> =
                harmless.iter().filter(|value| !value.is_empty()).map(|value| format!("`{value}`")).collect();
            Some(format!("| {} | {} | {} |\n", names(row), harmless.join(", "), cell(instead)))
        }
        _ => None,
    };
    let lines: String = table::all().filter_map(line).collect();
    format!(
        "\n## Gunicorn's settings that are refused\n\n\
         `None`, `False` and empty values are accepted, and so is what else stands for \"not in use\".\n\n\
         | setting | accepted | instead |\n|---|---|---|\n{lines}\n"
    )
}

fn names(row: &Row) -> String {
    let names: Vec<String> = [row.key].iter().chain(row.flags).map(|name| format!("`{name}`")).collect();
    names.join(" ")
}

fn taken(takes: Takes) -> String {
    match takes {
        Takes::Switch => "true or false".to_owned(),
        Takes::Number => "number".to_owned(),
        Takes::Text => "text".to_owned(),
        Takes::Words(words) => words.join(", "),
        Takes::List => "list of text".to_owned(),
        Takes::Function => "function".to_owned(),
    }
}

fn line(row: &Row) -> String {
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{}`", cell(text)) };
    let alias = if row.alias.is_empty() { String::new() } else { format!(" (`{}`)", row.alias) };
    let flags: Vec<String> =
        row.flags.iter().copied().chain([row.negated_by]).filter(|flag| !flag.is_empty()).map(code).collect();
    let default = code(&default(row).unwrap_or_default());
    format!(
        "| `{}`{alias} | {} | {} | {default} | {} |\n",
        row.key,
        flags.join(" "),
        cell(&takes(row)),
        cell(row.help)
    )
}

/// Text in a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
