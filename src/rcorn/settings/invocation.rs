//! How rcorn was called, and what that comes to. Read once at the start; a reload reads the files anew.

use super::arguments::{self, Said};
use super::origin::Words;
use super::reading::Reading;
use super::refusal::Refusal;
use super::row::{Kind, Wish};
use super::value::Given;
use super::{Settings, file};
use std::ffi::OsString;
use std::path::PathBuf;

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
        if matches!(command_line.wish, Wish::Help | Wish::Version) {
            return Ok(Reading::new(self, command_line.wish, Vec::new()));
        }
        let mut layers = Vec::new();
        for variable in VARIABLES {
            layers.push(self.read_variable(variable)?.given);
        }
        layers.push(command_line.given);
        if let Some(file) = self.read_file(&layers)? {
            layers.insert(0, file);
        }
        Ok(Reading::new(self, command_line.wish, layers))
    }

    /// The file that the strongest layer names. Gunicorn would read one that nobody names.
    fn read_file(&self, layers: &[Vec<Given>]) -> Result<Option<Vec<Given>>, Refusal> {
        if let Some(given) = layers.iter().rev().find_map(|layer| config_of(layer)) {
            let shown = given.value.plain();
            return file::read(&self.directory.join(&shown), &shown).map(Some);
        }
        if self.directory.join(GUNICORNS).exists() {
            let instead = "write the settings in TOML and name that file with --config";
            let sentence =
                format!("./{GUNICORNS}: a settings file in Python is not supported yet: {instead}");
            return Err(Refusal::setup(sentence));
        }
        Ok(None)
    }

    fn read_variable(&self, name: &'static str) -> Result<Said, Refusal> {
        let words = arguments::split(self.variable(name).unwrap_or_default())
            .map_err(|why| Refusal::usage(format!("${name}: {why}")))?;
        arguments::read(Words::Variable(name), &words)
    }
}

/// The file that a layer names.
fn config_of(layer: &[Given]) -> Option<&Given> {
    layer
        .iter()
        .rev()
        .find(|given| given.row.flags.contains(&"--config") && matches!(given.row.kind, Kind::Path(_)))
}
