//! Where a value came from, and how that is told.

use std::fmt;

/// Something that flags are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// The command line.
    CommandLine,
    /// An environment variable.
    Variable(&'static str),
}

/// Where a value was written. Shown, it is the first part of an error: `app.toml:12: workers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere: the table's own.
    Default,
    /// An environment variable that stands for one setting.
    Variable(&'static str),
    /// A flag, or the word that names the application.
    Flag { words: Words, flag: String },
    /// A key of the file, in the line that its value begins in; 0 where nobody can say.
    File { path: String, line: usize, key: String },
}

impl Origin {
    /// As `--print-config` shows it.
    pub(super) fn short(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Variable(name) => format!("${name}"),
            Self::Flag { words: Words::CommandLine, flag } => format!("command line: {flag}"),
            Self::Flag { words: Words::Variable(name), flag } => format!("${name}: {flag}"),
            Self::File { path, line: 0, .. } => path.clone(),
            Self::File { path, line, .. } => format!("{path}:{line}"),
        }
    }

    /// Was it written as a flag?
    pub(super) fn is_flag(&self) -> bool {
        matches!(self, Self::Flag { .. })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag { words: Words::CommandLine, flag } => f.write_str(flag),
            Self::Flag { words: Words::Variable(name), flag } => write!(f, "${name}: {flag}"),
            Self::File { path, line: 0, key } => write!(f, "{path}: {key}"),
            Self::File { path, line, key } => write!(f, "{path}:{line}: {key}"),
        }
    }
}
