//! Exit codes of every process of rcorn. Documented in docs/exit-codes.md and rcorn(1).

use serde::{Deserialize, Serialize};

/// Why a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(i32)]
pub enum ExitCode {
    /// It was asked to end, and did.
    Success = 0,
    /// Settings, sockets, users or the interpreter: something that the operator has to change.
    Setup = 1,
    /// The command line could not be understood.
    Usage = 2,
    /// The application could not be imported.
    AppImport = 3,
    /// The module was imported, but what the application's name stands for is missing or cannot be called.
    AppCallable = 4,
    /// The program that took over in a reload could not go on where its former self stopped. To be started again.
    Succession = 5,
}

impl ExitCode {
    /// The number.
    pub fn code(self) -> i32 {
        self as i32
    }
}
