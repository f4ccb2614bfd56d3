//! The file in TOML while it is put together: settings in the order in which they came, and comments.

use super::super::row::{Kind, Row};
use super::super::value::Value;
use super::super::{python_file, table};
use serde_json::Value as Json;

/// What has been translated so far.
#[derive(Default)]
pub(super) struct Target {
    entries: Vec<Entry>,
}

enum Entry {
    /// Of what could not come along.
    Comment(String),
    /// Of the setting that follows.
    Note(String),
    Setting(&'static Row, Vec<Value>),
}

impl Target {
    /// Adds a comment.
    pub(super) fn comment(&mut self, text: impl AsRef<str>) {
        let lines: Vec<String> =
            text.as_ref().lines().map(|line| format!("# {line}").trim_end().to_owned()).collect();
        self.entries.push(Entry::Comment(lines.join("\n")));
    }

    /// Adds a comment that the next setting belongs to.
    pub(super) fn note(&mut self, text: impl AsRef<str>) {
        self.entries.push(Entry::Note(format!("# {}", text.as_ref())));
    }

    /// Adds a setting by our name; a further value to one that collects values. One that does not fit becomes a comment.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        let Some(row) = table::all().find(|row| row.key == key) else { return };
        match python_file::misfit(row, &value) {
            Some(why) => self.comment(format!("{key} = {value}: {why}")),
            None => self.put(row, value),
        }
    }

    fn put(&mut self, row: &'static Row, value: Value) {
        let there = self.entries.iter_mut().find_map(|entry| match entry {
            Entry::Setting(other, values) if std::ptr::eq(*other, row) => Some(values),
            _ => None,
        });
        match there {
            Some(values) if row.kind.collects() => values.push(value),
            Some(values) => *values = vec![value],
            None => self.entries.push(Entry::Setting(row, vec![value])),
        }
    }

    /// Is this setting there?
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Setting(row, _) if row.key == key))
    }

    /// The file.
    pub(super) fn written(&self) -> String {
        let line = |entry: &Entry| match entry {
            Entry::Comment(text) => format!("\n{text}\n\n"),
            Entry::Note(text) => format!("{text}\n"),
            Entry::Setting(row, values) => format!("{} = {}\n", row.key, shown(row, values)),
        };
        let text: String = self.entries.iter().map(line).collect();
        text.trim_start().replace("\n\n\n", "\n\n")
    }
}

fn shown(row: &Row, values: &[Value]) -> String {
    let items: Vec<String> = values.iter().map(|value| literal(row, value)).collect();
    match items.as_slice() {
        [item] if !row.kind.collects() => item.clone(),
        items => format!("[{}]", items.join(", ")),
    }
}

fn literal(row: &Row, value: &Value) -> String {
    match value {
        Value::Integer(..) if matches!(row.kind, Kind::Mask(_) | Kind::Mode(_)) => {
            quoted(&value.plain().replacen("0o", "0", 1))
        }
        Value::Integer(..) | Value::Boolean(_) if !matches!(row.kind, Kind::Text(_)) => value.plain(),
        Value::Float(number) => format!("{number:?}"),
        Value::Nothing => String::new(),
        Value::Text(object) if matches!(row.kind, Kind::Table(_)) => serde_json::from_str(object)
            .ok()
            .and_then(|object| inline(&object))
            .unwrap_or_else(|| quoted(object)),
        value => quoted(&value.plain()),
    }
}

/// An object as an inline table. TOML has no word for nothing, so one with that in it has none.
fn inline(value: &Json) -> Option<String> {
    let all = |items: Vec<String>, (open, close)| format!("{open}{}{close}", items.join(", "));
    Some(match value {
        Json::Null => return None,
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(items) => all(items.iter().map(inline).collect::<Option<_>>()?, ("[", "]")),
        Json::Object(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| Some(format!("{} = {}", key(name), inline(value)?)));
            all(pairs.collect::<Option<_>>()?, ("{ ", " }"))
        }
    })
}

fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// Text as TOML takes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}
