//! The settings file, in TOML: keys to rows, values with the line they stand in. Pairs may be a table as well.

use super::nearest::nearest;
use super::origin::Origin;
use super::refusal::Refusal;
use super::row::{Kind, Row};
use super::table;
use super::value::{Given, Value};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads a file. `shown` is its name as it was given.
pub(super) fn read(path: &Path, shown: &str) -> Result<Vec<Given>, Refusal> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Refusal::setup(format!("{shown}: cannot read the settings: {}", words_of(&error)))
    })?;
    parse(shown, &text)
}

/// The system's words, without its number.
pub(super) fn words_of(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn parse(shown: &str, text: &str) -> Result<Vec<Given>, Refusal> {
    let table = DeTable::parse(text).map_err(|error| not_toml(shown, text, &error))?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut file = File { shown, text, given: Vec::new(), named: Vec::new() };
    for (key, value) in entries {
        file.entry(key, value)?;
    }
    Ok(file.given)
}

fn not_toml(shown: &str, text: &str, error: &toml::de::Error) -> Refusal {
    let span = error.span().unwrap_or(0..0);
    let line = line_of(text, span.start);
    let cited = text.get(span).filter(|cited| !cited.trim().is_empty() && !cited.contains('\n'));
    let cited = cited.map_or_else(String::new, |cited| format!(" {cited:?}"));
    // Gunicorn takes any file for one in Python.
    let hint = if shown.ends_with(".toml") {
        String::new()
    } else {
        format!("; if it is Python: --config file:{shown}")
    };
    Refusal::setup(format!("{shown}:{line}: {}{cited}{hint}", error.message().replace('\n', "; ")))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

struct File<'a> {
    shown: &'a str,
    text: &'a str,
    given: Vec<Given>,
    /// Which settings were named, by which of their names, in which line.
    named: Vec<(&'static Row, String, usize)>,
}

impl File<'_> {
    fn entry(&mut self, key: &Spanned<impl AsRef<str>>, value: &Spanned<DeValue<'_>>) -> Result<(), Refusal> {
        let name = key.get_ref().as_ref();
        let line = line_of(self.text, key.span().start);
        let origin = Origin::File { path: self.shown.to_owned(), line, key: name.to_owned() };
        let row = find(name, &origin)?;
        if let Some((_, other, line)) = self.named.iter().find(|(named, ..)| std::ptr::eq(*named, row)) {
            return Err(Refusal::of_value(
                &origin,
                &format!("this is {other}, which line {line} has already"),
            ));
        }
        self.named.push((row, name.to_owned(), line));
        match (value.get_ref(), row.kind) {
            (DeValue::Array(items), Kind::List(..) | Kind::Pairs(_)) => {
                for item in items {
                    self.give(row, name, item, convert(item.get_ref()));
                }
            }
            (table @ DeValue::Table(_), Kind::Table(_)) => {
                self.give(row, name, value, Value::Text(json(table).to_string()));
            }
            (DeValue::Table(table), Kind::Pairs(_)) => {
                for (variable, value) in table {
                    self.give(row, name, value, pair(variable.get_ref(), value.get_ref()));
                }
            }
            _ => self.give(row, name, value, convert(value.get_ref())),
        }
        Ok(())
    }

    fn give(&mut self, row: &'static Row, key: &str, place: &Spanned<DeValue<'_>>, value: Value) {
        let line = line_of(self.text, place.span().start);
        let origin = Origin::File { path: self.shown.to_owned(), line, key: key.to_owned() };
        self.given.push(Given { row, value, origin });
    }
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

/// An entry of a table as `NAME=VALUE`.
fn pair(name: &str, value: &DeValue<'_>) -> Value {
    match convert(value) {
        Value::Other(what) => Value::Other(what),
        value => Value::Text(format!("{name}={}", value.plain())),
    }
}

/// A table as JSON has it.
fn json(value: &DeValue<'_>) -> serde_json::Value {
    match value {
        DeValue::Table(table) => {
            table.iter().map(|(name, value)| (name.get_ref().to_string(), json(value.get_ref()))).collect()
        }
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Datetime(moment) => moment.to_string().into(),
        plain => match convert(plain) {
            Value::Boolean(boolean) => boolean.into(),
            Value::Integer(number, _) => number.into(),
            Value::Float(number) => number.into(),
            other => other.plain().into(),
        },
    }
}

fn convert(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) => Value::Integer(value, number.to_string()),
            Err(_) => Value::Other("a number that is too large".into()),
        },
        DeValue::Float(number) => {
            number.as_str().parse().map_or(Value::Other("a number".into()), Value::Float)
        }
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(_) => Value::Other("a date".into()),
        DeValue::Array(_) => Value::Other("a list".into()),
        DeValue::Table(_) => Value::Other("a table".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(&'static str, String, String)> {
        let given = parse("a.toml", text).unwrap();
        given.iter().map(|given| (given.row.key, given.value.plain(), given.origin.short())).collect()
    }

    fn refused(text: &str) -> String {
        parse("a.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_value_knows_its_line() {
        assert_eq!(
            values("# first\nworkers = 0x04\n\nbind = [\n  \"a:1\",\n  \"b:2\",\n]\nkeepalive = 1.5\n"),
            [
                ("workers", "0x04".to_owned(), "a.toml:2".to_owned()),
                ("bind", "a:1".to_owned(), "a.toml:5".to_owned()),
                ("bind", "b:2".to_owned(), "a.toml:6".to_owned()),
                ("keep_alive", "1.5".to_owned(), "a.toml:8".to_owned()),
            ]
        );
    }

    #[test]
    fn the_environment_may_be_a_table() {
        let expected = [("A=x y", "a.toml:2"), ("B=2", "a.toml:3")];
        let found = values("[env]\nA = \"x y\"\nB = 2\n");
        assert!(found.iter().zip(expected).all(|((key, value, place), expected)| {
            *key == "env" && (value.as_str(), place.as_str()) == expected
        }));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn one_setting_by_both_its_names_is_a_mistake() {
        assert_eq!(
            refused("keep_alive = 2\n\nkeepalive = 3\n"),
            "a.toml:3: keepalive: this is keep_alive, which line 1 has already"
        );
    }

    #[test]
    fn the_first_mistake_is_told_first() {
        assert!(refused("zebra = 1\nant = 2\n").starts_with("a.toml:1: zebra: "));
    }

    #[test]
    fn what_is_not_toml_is_cited() {
        assert_eq!(refused("workers = 2\nworkers = 3\n"), "a.toml:2: duplicate key \"workers\"");
        assert!(refused("\nworkers = \n").starts_with("a.toml:2: "));
    }
}
