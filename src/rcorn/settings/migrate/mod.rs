//! `--migrate`: the settings of Gunicorn or uWSGI as a file in TOML, with a comment for each line that could not come
//! along. What is written is tried first: the result is a file that rcorn takes.

mod python;
mod target;
mod uwsgi;

use super::file::words_of;
use super::{Invocation, Refusal, Settings, python_file};

/// The file at `name` in TOML.
pub(crate) fn migrate(invocation: &Invocation, flags: &Settings, name: &str) -> Result<String, Refusal> {
    let path = python_file::path_of(name, &invocation.directory);
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension == Some("ini") {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Refusal::setup(format!("{name}: cannot be read: {}", words_of(&error))))?;
        return Ok(uwsgi::translate(name, &text));
    }
    let source = python_file::named(name, &invocation.directory).ok_or_else(|| {
        Refusal::usage(format!(
            "{name}: expected gunicorn.conf.py, python:MODULE, or a file of uWSGI's that ends in .ini; \
             Python in a file with another ending is file:{name}"
        ))
    })?;
    let evaluated = invocation.evaluate(flags, source, name)?;
    let text = std::fs::read_to_string(evaluated.file.as_deref().unwrap_or_default()).unwrap_or_default();
    Ok(python::translate(name, &evaluated, &text))
}
