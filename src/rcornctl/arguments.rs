//! The command line: a command, the instance, and what some commands take.

use crate::Trouble;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches};
use std::path::PathBuf;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Status,
    Workers,
    Metrics,
    Settings,
    Stacks(Option<u32>),
    Scale(String),
    Reload,
    Reopen,
    Stop,
    Quit,
    /// Only this text.
    Print(String),
}

/// Of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) command: Command,
    pub(crate) instance: Option<String>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) json: bool,
}

pub(crate) const COMMANDS: [(&str, &str); 10] = [
    ("status", "how it goes"),
    ("workers", "what each worker does"),
    ("metrics", "the metrics, as Prometheus reads them"),
    ("settings", "the settings in force, with their origins"),
    ("stacks", "the Python stacks of a worker (its number or process id), or of all"),
    ("reload", "new code, settings or program; waits, and says what became of it"),
    ("scale", "so many workers: N, +N or -N"),
    ("reopen", "open the log files again"),
    ("stop", "finish what is in flight and end"),
    ("quit", "end now"),
];

/// Reads the command line of this process.
pub(crate) fn read() -> Result<Request, Trouble> {
    parse(std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect())
}

pub(crate) fn parse(words: Vec<String>) -> Result<Request, Trouble> {
    let named = std::iter::once("rcornctl".to_owned()).chain(words);
    let matches = command().try_get_matches_from(named);
    let text = |name: &str, matches: &ArgMatches| matches.get_one::<String>(name).cloned();
    let matches = match matches {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(only(error.to_string()));
        }
        Err(error) => {
            let first = error.to_string().lines().next().unwrap_or_default().replace("error: ", "");
            return Err(Trouble::Usage(format!("{first}; see rcornctl --help")));
        }
    };
    let Some((name, of)) = matches.subcommand() else {
        return Err(Trouble::Usage("what is it to do? See rcornctl --help".to_owned()));
    };
    let mut words: Vec<String> = of.get_many::<String>("WORDS").into_iter().flatten().cloned().collect();
    let command = command_of(name, &mut words)?;
    let instance = words.pop();
    let socket = text("socket", &matches).or_else(|| text("socket", of)).map(PathBuf::from);
    match (&instance, &socket) {
        (Some(instance), Some(_)) => {
            Err(Trouble::Usage(format!("{instance:?} and --socket name two instances")))
        }
        _ => Ok(Request { command, instance, socket, json: of.get_flag("json") || matches.get_flag("json") }),
    }
}

fn only(text: String) -> Request {
    Request { command: Command::Print(text), instance: None, socket: None, json: false }
}

/// The command, with the words that it takes taken away; at most the instance is left.
fn command_of(name: &str, words: &mut Vec<String>) -> Result<Command, Trouble> {
    let is_number =
        |word: &String| word.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit());
    let number = words.pop_if(|word| !word.is_empty() && is_number(word));
    let command = match (name, &number) {
        ("scale", Some(number)) => Command::Scale(number.clone()),
        ("scale", None) => return Err(Trouble::Usage("scale: how many? N, +N or -N".to_owned())),
        ("stacks", Some(number)) => Command::Stacks(Some(
            number.parse().map_err(|_| Trouble::Usage(format!("stacks: {number} is no worker")))?,
        )),
        ("stacks", None) => Command::Stacks(None),
        _ => {
            words.extend(number);
            match name {
                "status" => Command::Status,
                "workers" => Command::Workers,
                "metrics" => Command::Metrics,
                "settings" => Command::Settings,
                "reload" => Command::Reload,
                "reopen" => Command::Reopen,
                "stop" => Command::Stop,
                _ => Command::Quit,
            }
        }
    };
    match words.as_slice() {
        [] | [_] => Ok(command),
        [.., last] => Err(Trouble::Usage(format!("{last:?} is one word too many: there is one instance"))),
    }
}

pub(crate) fn command() -> clap::Command {
    let socket = Arg::new("socket").long("socket").value_name("PATH").help("the control socket itself");
    let json =
        Arg::new("json").long("json").action(ArgAction::SetTrue).help("the answer as it came, in JSON");
    let words = Arg::new("WORDS").num_args(0..).allow_negative_numbers(true).value_name("NAME");
    let words = words.help("the instance: its name in /run/rcorn, or the path of its socket");
    let all = COMMANDS.map(|(name, about)| {
        clap::Command::new(name).about(about).arg(words.clone()).arg(socket.clone()).arg(json.clone())
    });
    clap::Command::new("rcornctl")
        .about("Asks a running rcorn how it goes, and has it do things.")
        .version(env!("CARGO_PKG_VERSION"))
        .arg(socket)
        .arg(json)
        .disable_help_subcommand(true)
        .subcommands(all)
        .after_help(
            "Without a name: $RCORN_CONTROL, or the only instance in /run/rcorn.\n\
             It ends with 0; 1 when that failed or was refused; 2 for a mistake here; 3 when nobody is there.",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Request, Trouble> {
        parse(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn commands_and_what_they_take() {
        for (line, command, instance) in [
            ("status", Command::Status, None),
            ("metrics shop", Command::Metrics, Some("shop")),
            ("status shop", Command::Status, Some("shop")),
            ("scale 3", Command::Scale("3".into()), None),
            ("scale shop +2", Command::Scale("+2".into()), Some("shop")),
            ("scale shop -1", Command::Scale("-1".into()), Some("shop")),
            ("stacks", Command::Stacks(None), None),
            ("stacks shop 2", Command::Stacks(Some(2)), Some("shop")),
            ("stacks 2", Command::Stacks(Some(2)), None),
            ("reload 2024", Command::Reload, Some("2024")),
        ] {
            let read = read(line).unwrap();
            assert_eq!((read.command, read.instance.as_deref()), (command, instance), "{line}");
        }
        command().debug_assert();
    }

    #[test]
    fn mistakes_are_told() {
        for line in ["", "stat", "scale", "scale shop", "status a b", "status a --socket /b", "stacks -1"] {
            assert!(matches!(read(line), Err(Trouble::Usage(_))), "{line}: {:?}", read(line));
        }
    }
}
