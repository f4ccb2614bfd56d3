//! What the arbiter asks of the helper that evaluates a settings file in Python, and what that one answers. One question
//! and one answer, each JSON in a memory file.

use crate::message::BootFailure;
use crate::settings::PythonSource;
use serde::{Deserialize, Serialize};

/// What to evaluate, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// What to evaluate.
    pub source: PythonSource,
    /// What a person calls it.
    pub shown: String,
    /// Where: the directory that rcorn was started in.
    pub directory: String,
    /// `sys.argv`.
    pub argv: Vec<String>,
    /// The names of all settings.
    pub names: Vec<String>,
    /// How many seconds it may take.
    pub seconds: f64,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It was evaluated.
    Evaluated(Evaluated),
    /// It could not be.
    Failed(BootFailure),
}

/// What a file sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The file that was evaluated, where there is one.
    pub file: Option<String>,
    /// The settings in it.
    pub settings: Vec<Found>,
    /// Other names that have a plain value: variables of the file's own, or slips.
    pub others: Vec<(String, Option<usize>)>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// The line of its last assignment, where that can be seen.
    pub line: Option<usize>,
    /// Its value.
    pub value: Evaluation,
}

/// A value of Python's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Evaluation {
    /// `None`.
    Nothing,
    /// `True` or `False`.
    Boolean(bool),
    /// An int.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A str, or a path.
    Text(String),
    /// A list, a tuple or a set.
    List(Vec<Evaluation>),
    /// A dict.
    Table(Vec<(String, Evaluation)>),
    /// A function or another callable, by its dotted name.
    Function(String),
    /// A class, by its dotted name.
    Class(String),
    /// Anything else, as a person would call it.
    Other(String),
}
