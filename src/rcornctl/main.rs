//! rcornctl: asks a running rcorn how it goes, and has it do things, over its control socket.
#![forbid(unsafe_code)]

mod arguments;
mod client;
mod instance;
#[cfg(test)]
mod papers;
mod show;

use arguments::{Command, Request};
use client::Client;
use contract::control::{Reload, Said};
use serde::de::DeserializeOwned;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What can go wrong, with the code that it ends with.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// What was asked for failed or was refused: 1.
    Failed(String),
    /// The command line: 2.
    Usage(String),
    /// Nobody is there, or we may not speak to it: 3.
    Unreachable(String),
}

fn main() -> ExitCode {
    let done = arguments::read().and_then(run);
    match done {
        Ok(text) => {
            // A reader that has gone away is no error.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(trouble) => {
            let (code, sentence) = match trouble {
                Trouble::Failed(sentence) => (1, sentence),
                Trouble::Usage(sentence) => (2, sentence),
                Trouble::Unreachable(sentence) => (3, sentence),
            };
            let _ = writeln!(std::io::stderr(), "rcornctl: {sentence}");
            ExitCode::from(code)
        }
    }
}

fn run(request: Request) -> Result<String, Trouble> {
    let Request { command, instance, socket, json } = request;
    if let Command::Print(text) = command {
        return Ok(text);
    }
    let client = Client::new(instance::find(instance.as_deref(), socket.as_deref())?);
    match command {
        Command::Status => shown(&client, "/status", json, |status| show::status(&status)),
        Command::Workers => shown(&client, "/status", json, |status| show::workers(&status)),
        Command::Metrics => client.get("/metrics"),
        Command::Settings => shown(&client, "/settings", json, |settings: Vec<_>| show::settings(&settings)),
        Command::Stacks(None) => shown(&client, "/stacks", json, |stacks: Vec<_>| show::stacks(&stacks)),
        Command::Stacks(Some(worker)) => {
            shown(&client, &format!("/stacks/{worker}"), json, |stacks: Vec<_>| show::stacks(&stacks))
        }
        Command::Scale(count) => said(&client, "/scale", &format!("{{\"workers\": \"{count}\"}}")),
        Command::Stop => said(&client, "/stop", ""),
        Command::Quit => said(&client, "/quit", ""),
        Command::Reopen => said(&client, "/reopen", ""),
        Command::Reload => reload(&client, json),
        Command::Print(text) => Ok(text),
    }
}

fn shown<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    json: bool,
    show: impl FnOnce(T) -> String,
) -> Result<String, Trouble> {
    let text = client.get(path)?;
    if json {
        return Ok(text);
    }
    serde_json::from_str(&text).map(show).map_err(|error| not_understood(&error))
}

fn said(client: &Client, path: &str, body: &str) -> Result<String, Trouble> {
    let said: Said =
        serde_json::from_str(&client.post(path, body)?).map_err(|error| not_understood(&error))?;
    Ok(format!("{}\n", said.message))
}

fn not_understood(error: &serde_json::Error) -> Trouble {
    Trouble::Failed(format!("the answer cannot be understood: {error}"))
}

/// How long nobody has to answer until a reload counts as lost.
const LOST: Duration = Duration::from_secs(30);

/// Asks for a reload and waits until it is decided. The arbiter becomes another program meanwhile, so a connection may
/// end at any moment; the next one is answered by the successor.
fn reload(client: &Client, json: bool) -> Result<String, Trouble> {
    let asked: Reload =
        serde_json::from_str(&client.post_again("/reload")?).map_err(|error| not_understood(&error))?;
    let (path, mut heard) = (format!("/reloads/{}", asked.id), Instant::now());
    loop {
        match client.get(&path) {
            Ok(text) => {
                heard = Instant::now();
                let reload: Reload = serde_json::from_str(&text).map_err(|error| not_understood(&error))?;
                match reload.state.as_str() {
                    "done" if json => return Ok(text),
                    "done" => return Ok(format!("reloaded: {}\n", reload.summary)),
                    "failed" => return Err(Trouble::Failed(failure(&reload))),
                    _ => {}
                }
            }
            Err(Trouble::Failed(sentence)) => return Err(Trouble::Failed(sentence)),
            Err(trouble) if heard.elapsed() > LOST => return Err(trouble),
            Err(_) => {}
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn failure(reload: &Reload) -> String {
    let traceback = if reload.traceback.is_empty() { "" } else { "\n" };
    format!(
        "the reload failed, and nothing has changed: {}{traceback}{}",
        reload.summary,
        reload.traceback.trim_end()
    )
}
