//! rcorn: a pre-fork application server for Python. The whole program on one page.
#![forbid(unsafe_code)]

mod arbiter;
mod control;
mod evaluation;
mod interpreter;
mod log;
mod metrics;
mod settings;
mod socket_file;
mod systemd;
mod watch;

use contract::exit::ExitCode;
use settings::{Invocation, Predecessor, Refusal, Wish};
use std::io::Write;

fn main() -> std::process::ExitCode {
    // Before anything else opens descriptors: what zygotes get lies below.
    let reserved = sys::spawn::reserve_low_numbers();
    let invocation = Invocation::of_process();
    let mut manager = systemd::Manager::of(&invocation);
    let done = match reserved {
        Ok(()) => run(invocation),
        Err(error) => Err(Refusal::setup(format!("cannot open /dev/null: {error}"))),
    };
    let code = done.unwrap_or_else(|refusal| {
        let _ = std::io::stderr().write_all(refusal.traceback().as_bytes());
        complain(&refusal);
        manager.tell(systemd::Notice::Failed, &refusal.to_string());
        refusal.code()
    });
    u8::try_from(code.code()).unwrap_or(1).into()
}

fn run(invocation: Invocation) -> Result<ExitCode, Refusal> {
    match invocation.predecessor {
        Some(Predecessor::Left(state)) => return Ok(arbiter::follow(invocation, state)),
        Some(Predecessor::Asks(state)) => {
            arbiter::could_follow(&invocation, state).map_err(Refusal::setup)?;
            let _ = writeln!(std::io::stderr(), "{}", arbiter::FIT);
            return Ok(ExitCode::Success);
        }
        None => {}
    }
    let reading = invocation.read()?;
    match reading.wish() {
        Wish::Help => Ok(print(&settings::help())),
        Wish::Version => Ok(print(concat!("rcorn ", env!("CARGO_PKG_VERSION"), "\n"))),
        Wish::Print => {
            reading.warnings().iter().for_each(complain);
            Ok(print(&reading.print()?))
        }
        Wish::Migrate => Ok(print(&reading.migrate()?)),
        Wish::Check => Ok(check(&invocation, &reading.settings()?)),
        Wish::Serve => {
            let settings = reading.settings()?;
            Ok(arbiter::serve(invocation, settings))
        }
    }
}

/// Also says what is set in vain, which is no failure.
fn check(invocation: &Invocation, settings: &settings::Settings) -> ExitCode {
    settings.warnings.iter().chain(&settings.unused).for_each(complain);
    match arbiter::check(invocation, settings) {
        Ok(()) => ExitCode::Success,
        Err(failure) => {
            let _ = std::io::stderr().write_all(failure.traceback.as_bytes());
            complain(&failure.summary);
            failure.code
        }
    }
}

/// A reader that has gone away (`rcorn --help | head`) is no error.
fn print(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::Success
}

fn complain(sentence: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "rcorn: {sentence}");
}
