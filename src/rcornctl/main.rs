//! rcornctl: the client of a running rcorn. It has no channel to one yet, so it can tell its version and no more.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

const VERSION: &str = concat!("rcornctl ", env!("CARGO_PKG_VERSION"), "\n");
const HELP: &str = "rcornctl will talk to a running rcorn. For now it has one flag: --version.\n";

fn main() -> ExitCode {
    let argument = std::env::args_os().nth(1).unwrap_or_default();
    let text = match argument.to_str() {
        Some("--version" | "-V") => VERSION,
        Some("--help" | "-h") => HELP,
        _ => {
            let _ = std::io::stderr().write_all(b"rcornctl: it has no commands yet; see rcornctl --help\n");
            return ExitCode::from(2);
        }
    };
    // A reader that has gone away is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
