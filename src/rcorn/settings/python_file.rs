//! A settings file in Python, as it was evaluated: names to rows, values with the line of their assignment.
//!
//! Gunicorn ignores names that it does not know, and a Python file may have variables of its own. So an unknown name is
//! no mistake here; one that is nearly a setting's is warned about. It is the same with our names that are not Gunicorn's
//! and could just as well be a variable: they count where their value fits.

use super::Settings;
use super::apply::{put, tidy};
use super::nearest::nearest;
use super::origin::Origin;
use super::row::{Kind, Row};
use super::table;
use super::value::{Given, Value};
use contract::evaluation::{Evaluated, Evaluation, Found};
use contract::settings::PythonSource;
use std::path::{Path, PathBuf};

/// Names of ours in one word, which a file that was written for Gunicorn may have for its own purposes.
const WORDS: [&str; 10] =
    ["app", "python", "env", "name", "pid", "preload", "loop", "lifespan", "rolling", "extension"];

/// Stands for an object that JSON has no words for: the zygote evaluates the file again and has it.
pub(super) const OBJECT: &str = "python:";

/// What a settings file in Python comes to.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) given: Vec<Given>,
    /// What looks like a slip, as sentences.
    pub(super) warnings: Vec<String>,
}

/// The settings in Python that `text` names, if it names some: `python:MODULE`, `file:PATH`, or a path with `.py`.
pub(super) fn named(text: &str, directory: &Path) -> Option<PythonSource> {
    if let Some(module) = text.strip_prefix("python:") {
        return Some(PythonSource::Module(module.to_owned()));
    }
    let path = path_of(text, directory);
    let extension = path.extension().and_then(|extension| extension.to_str());
    let is_python =
        matches!(extension, Some("py" | "pyc")) || (text.starts_with("file:") && extension != Some("toml"));
    is_python.then(|| PythonSource::File(path.to_string_lossy().into_owned()))
}

/// The path that `text` names, with or without `file:`.
pub(super) fn path_of(text: &str, directory: &Path) -> PathBuf {
    tidy(&directory.join(text.strip_prefix("file:").unwrap_or(text)))
}

/// What `evaluated` sets; `shown` is what a person calls the file.
pub(super) fn read(shown: &str, evaluated: &Evaluated) -> Told {
    let mut told = Told::default();
    for found in &evaluated.settings {
        let row = table::all().find(|row| row.is_named(&found.name));
        let Some(row) = row.filter(|row| counts(row, found, evaluated)) else { continue };
        let origin = origin(shown, &found.name, found.line);
        let values = values(row, &found.value);
        match values.iter().find_map(|value| misfit(row, value)) {
            Some(why) if WORDS.contains(&found.name.as_str()) => told.warnings.push(format!(
                "{origin}: {why}; it is taken for a variable of the file's own, as under Gunicorn: another name for it says so"
            )),
            _ => told.given.extend(values.into_iter().map(|value| Given { row, value, origin: origin.clone() })),
        }
    }
    told.warnings.extend(evaluated.others.iter().filter_map(|(name, line)| slip(shown, name, *line)));
    told
}

/// Is this a setting at all? A name of ours may be a variable of the file's own.
pub(super) fn counts(row: &Row, found: &Found, evaluated: &Evaluated) -> bool {
    // A file in Python has its hooks itself, so this can only be a variable.
    if std::ptr::eq(row, table::hooks()) {
        return false;
    }
    !is_ours(row, &found.name) || is_plain(&found.value) && !is_said_by_alias(row, found, evaluated)
}

fn origin(shown: &str, key: &str, line: Option<usize>) -> Origin {
    Origin::File { path: shown.to_owned(), line: line.unwrap_or(0), key: key.to_owned() }
}

fn is_ours(row: &Row, name: &str) -> bool {
    WORDS.contains(&name) || (!row.alias.is_empty() && row.key == name)
}

fn is_plain(value: &Evaluation) -> bool {
    !matches!(value, Evaluation::Function(_) | Evaluation::Class(_) | Evaluation::Other(_))
}

/// Is the same setting there by Gunicorn's name?
fn is_said_by_alias(row: &Row, found: &Found, evaluated: &Evaluated) -> bool {
    let other = |other: &&Found| other.name != found.name && row.is_named(&other.name);
    evaluated.settings.iter().filter(other).any(|other| other.value != Evaluation::Nothing)
}

/// Why a value cannot be the setting's, as a clause.
pub(super) fn misfit(row: &'static Row, value: &Value) -> Option<String> {
    let given = Given { row, value: value.clone(), origin: origin("", row.key, None) };
    let directory = Path::new("/");
    put(&given, &mut Settings::blank(directory.to_owned()), directory).err()
}

fn slip(shown: &str, name: &str, line: Option<usize>) -> Option<String> {
    let names = table::all().flat_map(|row| [row.key, row.alias]).filter(|known| known.len() > 3);
    let near = nearest(name, names).filter(|_| name.len() > 3)?;
    let origin = origin(shown, name, line);
    Some(format!("{origin}: there is no such setting, so it has no effect; did you mean {near}?"))
}

/// The values that one value of Python's stands for. `None` says nothing, as in Gunicorn.
pub(super) fn values(row: &Row, value: &Evaluation) -> Vec<Value> {
    match (row.kind, value) {
        (_, Evaluation::Nothing) => Vec::new(),
        (Kind::Path(_), Evaluation::Text(text)) if text.is_empty() => Vec::new(),
        (kind, Evaluation::List(items)) if kind.collects() && !items.is_empty() => {
            items.iter().map(|item| convert(kind, item)).collect()
        }
        (kind @ Kind::Pairs(_), Evaluation::Table(pairs)) if !pairs.is_empty() => {
            pairs.iter().map(|(name, value)| pair(kind, name, value)).collect()
        }
        (kind, Evaluation::List(_)) if kind.collects() && row.key == "bind" => Vec::new(),
        (kind, Evaluation::List(_)) if kind.collects() => vec![Value::Nothing],
        (Kind::Pairs(_), Evaluation::Table(_)) => vec![Value::Nothing],
        (kind, value) => vec![convert(kind, value)],
    }
}

/// An entry of a dict as `NAME=VALUE`.
fn pair(kind: Kind, name: &str, value: &Evaluation) -> Value {
    match convert(kind, value) {
        Value::Other(what) => Value::Other(what),
        value => Value::Text(format!("{name}={}", value.plain())),
    }
}

fn convert(kind: Kind, value: &Evaluation) -> Value {
    match value {
        Evaluation::Nothing => Value::Other("None".into()),
        Evaluation::Boolean(boolean) => Value::Boolean(*boolean),
        // What is written as 0o22 is 18 by now.
        Evaluation::Integer(number) if matches!(kind, Kind::Mask(_) | Kind::Mode(_)) => {
            Value::Integer(*number, format!("{number:#o}"))
        }
        Evaluation::Integer(number) => Value::Integer(*number, number.to_string()),
        Evaluation::Float(number) => Value::Float(*number),
        // By their dotted names, as Gunicorn takes them.
        Evaluation::Text(name) if matches!(kind, Kind::Hook) && name.contains('.') => {
            Value::Function(name.clone())
        }
        Evaluation::Text(text) => Value::Text(text.clone()),
        Evaluation::List(_) => Value::Other("a list".into()),
        Evaluation::Table(_) if matches!(kind, Kind::Table(_)) => {
            Value::Text(json(value).map_or_else(|| OBJECT.to_owned(), |value| value.to_string()))
        }
        Evaluation::Table(_) => Value::Other("a dict".into()),
        // worker_class, logger_class: by the dotted name.
        Evaluation::Class(name) if matches!(kind, Kind::Known(..) | Kind::Text(_)) => {
            Value::Text(name.clone())
        }
        Evaluation::Class(name) => Value::Other(format!("the class {name}").into()),
        Evaluation::Function(name) => Value::Function(name.clone()),
        Evaluation::Other(what) => Value::Other(what.clone().into()),
    }
}

/// As JSON, where that has words for all of it.
fn json(value: &Evaluation) -> Option<serde_json::Value> {
    Some(match value {
        Evaluation::Nothing => serde_json::Value::Null,
        Evaluation::Boolean(boolean) => (*boolean).into(),
        Evaluation::Integer(number) => (*number).into(),
        Evaluation::Float(number) => (*number).into(),
        Evaluation::Text(text) => text.clone().into(),
        Evaluation::List(items) => items.iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        Evaluation::Table(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| Some((name.clone(), json(value)?)));
            serde_json::Value::Object(pairs.collect::<Option<_>>()?)
        }
        Evaluation::Function(_) | Evaluation::Class(_) | Evaluation::Other(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, line: usize, value: Evaluation) -> Found {
        Found { name: name.to_owned(), line: Some(line), value }
    }

    fn told(settings: Vec<Found>, others: &[(&str, usize)]) -> Told {
        let others = others.iter().map(|(name, line)| ((*name).to_owned(), Some(*line))).collect();
        read("gunicorn.conf.py", &Evaluated { file: None, settings, others })
    }

    fn text(text: &str) -> Evaluation {
        Evaluation::Text(text.to_owned())
    }

    fn shown(told: &Told) -> Vec<String> {
        told.given.iter().map(|given| format!("{} = {}", given.origin, given.value)).collect()
    }

    #[test]
    fn values_know_their_line() {
        let list = Evaluation::List(vec![text(":1"), text(":2")]);
        let headers = Evaluation::Table(vec![("X-SSL".to_owned(), text("on"))]);
        let told = told(
            vec![
                found("bind", 2, list),
                found("secure_scheme_headers", 3, headers),
                found("umask", 4, Evaluation::Integer(0o22)),
                found("accesslog", 5, Evaluation::Nothing),
            ],
            &[],
        );
        assert_eq!(
            shown(&told),
            [
                "gunicorn.conf.py:2: bind = \":1\"",
                "gunicorn.conf.py:2: bind = \":2\"",
                "gunicorn.conf.py:3: secure_scheme_headers = \"X-SSL=on\"",
                "gunicorn.conf.py:4: umask = 0o22",
            ]
        );
    }

    #[test]
    fn slips_are_told_and_other_variables_are_not() {
        let told = told(Vec::new(), &[("wrokers", 3), ("cores", 4), ("host", 5), ("max_workers", 6)]);
        let slip = "gunicorn.conf.py:3: wrokers: there is no such setting, so it has no effect; did you mean workers?";
        assert_eq!(told.warnings, [slip]);
    }

    #[test]
    fn a_variable_of_the_files_own_is_no_setting() {
        let variables = vec![
            found("app", 1, Evaluation::Other("a Flask".to_owned())),
            found("log_level", 2, text("chatty")),
            found("loglevel", 3, text("debug")),
            found("env", 4, text("production")),
        ];
        let told = told(variables, &[]);
        assert_eq!(shown(&told), ["gunicorn.conf.py:3: loglevel = \"debug\""]);
        let [warning] = told.warnings.as_slice() else { panic!("{:?}", told.warnings) };
        assert!(warning.starts_with("gunicorn.conf.py:4: env: expected NAME=VALUE"), "{warning}");
    }

    #[test]
    fn which_names_are_python() {
        let source = |text| named(text, Path::new("/srv"));
        assert_eq!(source("./a.py"), Some(PythonSource::File("/srv/a.py".to_owned())));
        assert_eq!(source("file:a.conf"), Some(PythonSource::File("/srv/a.conf".to_owned())));
        assert_eq!(source("python:shop.conf"), Some(PythonSource::Module("shop.conf".to_owned())));
        assert_eq!((source("a.toml"), source("file:a.toml"), source("a.conf")), (None, None, None));
    }
}
