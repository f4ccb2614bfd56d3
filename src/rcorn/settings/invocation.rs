//! How rcorn was called, and what that comes to. Read once at the start; a reload reads the files anew.

use super::arguments::{self, Said};
use super::origin::{Origin, Words};
use super::python_file::{self, Told};
use super::reading::Reading;
use super::refusal::Refusal;
use super::row::{Kind, Wish};
use super::value::{Given, Value};
use super::{Settings, file, table};
use crate::evaluation;
use contract::evaluation::{Evaluated, Question};
use contract::settings::PythonSource;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How rcorn was called.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The name it was called by.
    pub(crate) program: OsString,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Its environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The working directory.
    pub(crate) directory: PathBuf,
    /// The file that is executed, symbolic links resolved.
    pub(crate) executable: PathBuf,
    /// Who was here before us in this process, or asks whether we could follow.
    pub(crate) predecessor: Option<Predecessor>,
}

/// An arbiter that runs, or ran in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Predecessor {
    /// It asks whether we could follow. Its state is at this descriptor.
    Asks(i32),
    /// We follow it. Its state is at this descriptor.
    Left(i32),
}

impl Predecessor {
    /// The variable by which it asks.
    pub(crate) const CHECK: &str = "RCORN_CHECK";
    /// The variable by which it leaves.
    pub(crate) const STATE: &str = "RCORN_STATE";

    fn of_variable((name, value): &(OsString, OsString)) -> Option<Self> {
        let number = value.to_str().and_then(|value| value.parse().ok());
        match name.to_str() {
            Some(Self::CHECK) => number.map(Self::Asks),
            Some(Self::STATE) => number.map(Self::Left),
            _ => None,
        }
    }
}

/// The file that Gunicorn finds by itself.
const GUNICORNS: &str = "gunicorn.conf.py";

/// The variables that hold flags, the weaker first.
const VARIABLES: [&str; 2] = ["GUNICORN_CMD_ARGS", "RCORN_CMD_ARGS"];

impl Invocation {
    /// That of this process.
    pub(crate) fn of_process() -> Self {
        let mut arguments = std::env::args_os();
        let (private, environment): (Vec<_>, Vec<_>) =
            std::env::vars_os().partition(|variable| Predecessor::of_variable(variable).is_some());
        Self {
            predecessor: private.iter().find_map(Predecessor::of_variable),
            program: arguments.next().unwrap_or_else(|| "rcorn".into()),
            arguments: arguments.collect(),
            environment,
            directory: std::env::current_dir().unwrap_or_else(|_| "/".into()),
            executable: std::env::current_exe().unwrap_or_default(),
        }
    }

    /// The file that is to be executed when the settings are read anew: the one that our name stands for now, which may
    /// be another one than ours by then.
    pub(crate) fn successor(&self) -> PathBuf {
        let name = PathBuf::from(&self.program);
        let named = if name.components().count() > 1 {
            Some(self.directory.join(name))
        } else {
            let path = self.variable("PATH").unwrap_or_default();
            std::env::split_paths(path)
                .map(|place| self.directory.join(place).join(&name))
                .find(|file| file.is_file())
        };
        // Who called us under a name that is none gets the file that this is.
        named
            .filter(|file| file.file_name() == self.executable.file_name())
            .unwrap_or_else(|| self.executable.clone())
    }

    /// The value of an environment variable; `None` when it is unset, empty or not text.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let (_, value) = self.environment.iter().find(|(key, _)| key == name)?;
        value.to_str().filter(|value| !value.is_empty())
    }

    /// The settings that this call stands for, with the files as they are now.
    pub(crate) fn load(&self) -> Result<Settings, Refusal> {
        self.read()?.settings()
    }

    /// Reads every source. The layers of the result are in their order, the weakest first.
    pub(crate) fn read(&self) -> Result<Reading<'_>, Refusal> {
        let command_line = arguments::read(Words::CommandLine, &self.arguments)?;
        match command_line.wish {
            Wish::Help | Wish::Version => return Ok(Reading::new(self, command_line.wish, Vec::new())),
            // The file is no settings file of this call.
            Wish::Migrate => return Ok(Reading::new(self, command_line.wish, vec![command_line.given])),
            _ => {}
        }
        let mut layers = Vec::new();
        for variable in VARIABLES {
            layers.push(self.read_variable(variable)?.given);
        }
        layers.push(command_line.given);
        let flags = Reading::new(self, command_line.wish, layers);
        let reading = match self.named_file(&flags) {
            None => flags,
            Some((name, given)) => self.read_file(flags, &name, given)?,
        };
        self.read_hooks(reading)
    }

    /// Hooks may have a file of their own.
    fn read_hooks<'a>(&'a self, reading: Reading<'a>) -> Result<Reading<'a>, Refusal> {
        let named = reading.text_of(table::hooks()).filter(|name| !name.is_empty());
        let Some(name) = named else { return Ok(reading) };
        let refused = |clause: &str| Refusal::setup(format!("hooks: {clause}"));
        let source = python_file::named(&name, &self.directory)
            .ok_or_else(|| refused(&format!("expected FILE.py or python:MODULE, found {name:?}")))?;
        if reading.is_python() {
            return Err(refused("the settings file is in Python and has its own"));
        }
        let evaluated = self.evaluate(&reading.settings_without_app()?, source.clone(), &name)?;
        let mut told = python_file::read(&name, &evaluated);
        told.given.retain(|given| matches!(given.row.kind, Kind::Hook));
        let reading = reading.with_python(source, Told { warnings: Vec::new(), ..told });
        Ok(reading.read_from(evaluated.file.map(PathBuf::from)))
    }

    /// The file that the strongest layer names; else Gunicorn's own, where it is there.
    fn named_file(&self, flags: &Reading<'_>) -> Option<(String, Option<Given>)> {
        if let Some(name) = flags.text_of(table::config()) {
            return Some((name, None));
        }
        let value = Value::Text(GUNICORNS.to_owned());
        let found = Given { row: table::config(), value, origin: Origin::Default };
        self.directory.join(GUNICORNS).is_file().then(|| (GUNICORNS.to_owned(), Some(found)))
    }

    fn read_file<'a>(
        &'a self,
        flags: Reading<'a>,
        name: &str,
        found: Option<Given>,
    ) -> Result<Reading<'a>, Refusal> {
        let shown = name.strip_prefix("file:").unwrap_or(name);
        match python_file::named(name, &self.directory) {
            None => {
                let path = python_file::path_of(name, &self.directory);
                Ok(flags.with_file(file::read(&path, shown)?).read_from(Some(path)))
            }
            Some(source) => {
                let evaluated = self.evaluate(&flags.settings_without_app()?, source.clone(), shown)?;
                let mut told = python_file::read(&self.place_of(shown, &evaluated), &evaluated);
                told.given.extend(found);
                Ok(flags.with_python(source, told).read_from(evaluated.file.map(PathBuf::from)))
            }
        }
    }

    /// Has a settings file in Python evaluated. `flags` are the settings that are known without it.
    pub(super) fn evaluate(
        &self,
        flags: &Settings,
        source: PythonSource,
        shown: &str,
    ) -> Result<Evaluated, Refusal> {
        if let PythonSource::File(path) = &source
            && let Err(error) = std::fs::File::open(path)
        {
            let why = file::words_of(&error);
            return Err(Refusal::setup(format!("{shown}: cannot read the settings: {why}")));
        }
        let names = table::all().flat_map(|row| [row.key, row.alias]).filter(|name| !name.is_empty());
        let question = Question {
            source,
            shown: shown.to_owned(),
            directory: self.directory.to_string_lossy().into_owned(),
            argv: self.argv(),
            names: names.map(str::to_owned).collect(),
            seconds: evaluation::limit(self, flags).as_secs_f64(),
        };
        evaluation::evaluate(self, flags, &question)
    }

    /// What a person calls the file that was evaluated: of a module, its file.
    fn place_of(&self, shown: &str, evaluated: &Evaluated) -> String {
        let file = evaluated.file.as_deref().filter(|_| shown.starts_with("python:")).map(Path::new);
        let file = file.map(|file| file.strip_prefix(&self.directory).unwrap_or(file).display().to_string());
        file.unwrap_or_else(|| shown.to_owned())
    }

    /// The command line as the application sees it.
    pub(crate) fn argv(&self) -> Vec<String> {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        words.map(|word| word.to_string_lossy().into_owned()).collect()
    }

    fn read_variable(&self, name: &'static str) -> Result<Said, Refusal> {
        let words = arguments::split(self.variable(name).unwrap_or_default())
            .map_err(|why| Refusal::usage(format!("${name}: {why}")))?;
        arguments::read(Words::Variable(name), &words)
    }
}
