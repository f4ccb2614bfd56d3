//! The settings file, in TOML: keys to rows, values with the line they stand in.

use super::nearest::nearest;
use super::origin::Origin;
use super::refusal::Refusal;
use super::row::{Kind, Row};
use super::table;
use super::value::{Given, Value};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Reads a file. `shown` is its name as it was given.
pub(super) fn read(path: &Path, shown: &str) -> Result<Vec<Given>, Refusal> {
    if path.extension().is_some_and(|extension| extension == "py") {
        let instead = "write the settings in TOML, under the same names";
        return Err(Refusal::setup(format!(
            "{shown}: a settings file in Python is not supported yet: {instead}"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        Refusal::setup(format!("{shown}: cannot read the settings: {}", words_of(&error)))
    })?;
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        Refusal::setup(format!("{shown}:{line}: {}", error.message().replace('\n', "; ")))
    })?;
    let mut given = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(&text, value.span().start);
        let origin = Origin::File { path: shown.to_owned(), line, key: key.get_ref().to_string() };
        let row = find(key.get_ref(), &origin)?;
        take(row, value.get_ref(), &origin, &mut given);
    }
    Ok(given)
}

/// The system's words, without its number.
pub(super) fn words_of(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

fn find(key: &str, origin: &Origin) -> Result<&'static Row, Refusal> {
    if let Some(row) = table::all().find(|row| row.is_named(key)) {
        return Ok(row);
    }
    let names = table::all().flat_map(|row| [row.key, row.alias]).filter(|name| !name.is_empty());
    Err(Refusal::of_value(
        origin,
        &match nearest(key, names) {
            Some(near) => format!("there is no such setting; did you mean {near}?"),
            None => "there is no such setting".to_owned(),
        },
    ))
}

fn take(row: &'static Row, value: &DeValue<'_>, origin: &Origin, given: &mut Vec<Given>) {
    match (value, row.kind) {
        (DeValue::Array(items), Kind::List(..)) => {
            for item in items.iter() {
                given.push(Given { row, value: convert(item.get_ref()), origin: origin.clone() });
            }
        }
        _ => given.push(Given { row, value: convert(value), origin: origin.clone() }),
    }
}

fn convert(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) => Value::Integer(value, number.as_str().to_owned()),
            Err(_) => Value::Other("a number that is too large"),
        },
        DeValue::Float(number) => number.as_str().parse().map_or(Value::Other("a number"), Value::Float),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(_) => Value::Other("a list"),
        DeValue::Table(_) => Value::Other("a table"),
    }
}
