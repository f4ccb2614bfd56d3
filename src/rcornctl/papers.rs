//! The parts of rcornctl(1) and the completions that the list of commands makes; kept in the tree, as rcorn's are.

#[path = "../rcorn/settings/papers/kept.rs"]
mod kept;

use crate::arguments::{COMMANDS, command};
use clap_complete::{Shell, generate};

#[test]
fn the_man_page_is_that_of_the_commands() {
    let argument = |name: &str| match name {
        "stacks" => " [\\fINAME\\fR] [\\fIWORKER\\fR]",
        "scale" => " [\\fINAME\\fR] \\fIN\\fR|\\fB+\\fIN\\fR|\\fB\\-\\fIN\\fR",
        _ => " [\\fINAME\\fR]",
    };
    let entry = |(name, about): &(&str, &str)| {
        let (first, rest) = about.split_at(1);
        let about = format!("{}{rest}", first.to_uppercase()).replace('-', "\\-");
        format!(".TP\n\\fB{name}\\fR{}\n{about}.\n", argument(name))
    };
    kept::part("packaging/man/rcornctl.1", &COMMANDS.iter().map(entry).collect::<String>());
}

#[test]
fn completions_are_those_of_the_commands() {
    for (shell, name) in
        [(Shell::Bash, "rcornctl.bash"), (Shell::Zsh, "_rcornctl"), (Shell::Fish, "rcornctl.fish")]
    {
        let mut script = Vec::new();
        generate(shell, &mut command(), "rcornctl", &mut script);
        kept::all(&format!("packaging/completions/{name}"), &String::from_utf8_lossy(&script));
    }
}
