//! How rcorn was called. Read once at the start; a reload loads the settings from it anew.

use super::{Refusal, Settings};
use std::ffi::OsString;
use std::path::PathBuf;

/// How rcorn was called: everything that settings may depend on beside the files themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// The name it was called by.
    pub(crate) program: OsString,
    /// The arguments behind that name.
    pub(crate) arguments: Vec<OsString>,
    /// The environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The working directory.
    pub(crate) directory: PathBuf,
    /// The file that is executed, symbolic links resolved.
    pub(crate) executable: PathBuf,
}

impl Invocation {
    /// That of this process.
    pub(crate) fn of_process() -> Self {
        let mut arguments = std::env::args_os();
        Self {
            program: arguments.next().unwrap_or_else(|| "rcorn".into()),
            arguments: arguments.collect(),
            environment: std::env::vars_os().collect(),
            directory: std::env::current_dir().unwrap_or_else(|_| "/".into()),
            executable: std::env::current_exe().unwrap_or_default(),
        }
    }

    /// The value of an environment variable; `None` when it is unset, empty or not text.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let (_, value) = self.environment.iter().find(|(key, _)| key == name)?;
        value.to_str().filter(|value| !value.is_empty())
    }

    /// The settings that this call stands for, with the files as they are now.
    pub(crate) fn load(&self) -> Result<Settings, Refusal> {
        Ok(Settings::blank(self.directory.clone()))
    }
}
