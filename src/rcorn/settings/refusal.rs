//! Why rcorn does not start, as one sentence for the person who called it.

use super::origin::Origin;
use contract::exit::ExitCode;
use std::fmt;

/// Something that the operator has to change: where, what and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    sentence: String,
    code: ExitCode,
    traceback: String,
}

impl Refusal {
    /// Settings that were understood and cannot be followed.
    pub(crate) fn setup(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), code: ExitCode::Setup, traceback: String::new() }
    }

    /// A command line that cannot be understood.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), code: ExitCode::Usage, traceback: String::new() }
    }

    /// A value that cannot be understood: `clause` says what is wrong with what was written at `origin`.
    pub(super) fn of_value(origin: &Origin, clause: &str) -> Self {
        let sentence = format!("{origin}: {clause}");
        if origin.is_flag() { Self::usage(sentence) } else { Self::setup(sentence) }
    }

    /// With what Python had to say of it.
    pub(crate) fn with_traceback(self, traceback: String) -> Self {
        Self { traceback, ..self }
    }

    /// What Python had to say of it, as Python prints it; mostly nothing.
    pub(crate) fn traceback(&self) -> &str {
        &self.traceback
    }

    /// What Python had to say of it, if anything, and the sentence as the last line.
    pub(crate) fn whole(&self) -> String {
        format!("{}{}", self.traceback, self.sentence)
    }

    /// What the process exits with.
    pub(crate) fn code(&self) -> ExitCode {
        self.code
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
