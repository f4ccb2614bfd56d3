//! Has a settings file in Python evaluated by the application's own interpreter, in a process of its own: whatever the
//! file does, it does it there, and only plain values come back.

use crate::arbiter::{self, LastWords};
use crate::interpreter;
use crate::settings::{Invocation, Predecessor, Refusal, Settings};
use contract::evaluation::{Answer, Evaluated, Question};
use contract::message::BootFailure;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;
use sys::process::{self, Ended};
use sys::spawn::Program;

/// How long it may take: less than a reload waits for the program that is to follow.
const LIMIT: Duration = Duration::from_secs(15);
/// The same while we serve: systemd's watchdog goes on to be fed.
const LIMIT_WHILE_SERVING: Duration = Duration::from_secs(10);
/// The file is interrupted when its time is up; what does not heed that is killed so much later.
const GRACE: Duration = Duration::from_secs(1);

/// How long the evaluation may take; `startup_timeout`, where flags say so, if that is shorter.
pub(crate) fn limit(invocation: &Invocation, flags: &Settings) -> Duration {
    let serving = matches!(invocation.predecessor, Some(Predecessor::Left(_)));
    let limit = if serving { LIMIT_WHILE_SERVING } else { LIMIT };
    if flags.startup_timeout.is_zero() { limit } else { limit.min(flags.startup_timeout) }
}

/// What the file sets, or why that cannot be known. `flags` are the settings that are known without it.
pub(crate) fn evaluate(
    invocation: &Invocation,
    flags: &Settings,
    question: &Question,
) -> Result<Evaluated, Refusal> {
    let python = interpreter::find(invocation, flags)?.path;
    let extension = interpreter::find_extension(invocation, flags)?;
    let program = Program {
        program: python.clone(),
        arguments: vec!["-c".into(), arbiter::BOOT.into(), extension.into(), "evaluate".into()],
        environment: arbiter::environment(invocation, flags),
        descriptors: Vec::new(),
        stderr: None,
        credentials: None,
        ignored: Vec::new(),
        umask: None,
    };
    let cannot = |error| Refusal::setup(format!("cannot start {}: {error}", python.display()));
    let limit = Duration::from_secs_f64(question.seconds) + GRACE;
    let heard = ask(program, question, limit).map_err(cannot)?;
    judge(heard, question, &python)
}

/// How the helper ended, and what it left.
struct Heard {
    answer: Vec<u8>,
    /// `None` when it took too long.
    how: Option<Ended>,
    said: String,
}

/// Runs the helper. What it is told and tells lies in memory files; its descriptors are those of a zygote.
fn ask(program: Program<'_>, question: &Question, limit: Duration) -> io::Result<Heard> {
    let asked = sys::memory::sealed("rcorn-question", &serde_json::to_vec(question)?)?;
    let answer = sys::memory::scratch("rcorn-answer")?;
    let said = sys::memory::scratch("rcorn-said")?;
    let null = std::fs::File::open("/dev/null")?;
    // Under another number: in the child, 2 is the scratch file by the time that descriptors are laid out.
    let stderr = io::stderr().as_fd().try_clone_to_owned()?;
    let descriptors =
        vec![answer.as_fd(), asked.as_fd(), null.as_fd(), null.as_fd(), null.as_fd(), stderr.as_fd()];
    let pid = Program { descriptors, stderr: Some(said.as_fd()), ..program }.start()?;
    let how = process::wait_or_kill(pid, limit)?;
    Ok(Heard { answer: sys::memory::read(answer)?, how, said: arbiter::text_of(said) })
}

fn judge(heard: Heard, question: &Question, python: &Path) -> Result<Evaluated, Refusal> {
    let shown = &question.shown;
    if !heard.answer.is_empty() {
        return match serde_json::from_slice(&heard.answer) {
            Ok(Answer::Evaluated(evaluated)) => Ok(evaluated),
            Ok(Answer::Failed(BootFailure { summary, traceback, .. })) => {
                Err(Refusal::setup(summary).with_traceback(traceback))
            }
            Err(error) => Err(Refusal::setup(format!("{shown}: the answer cannot be understood: {error}"))),
        };
    }
    Err(Refusal::setup(match heard.how {
        None => {
            let seconds = question.seconds;
            format!(
                "{shown}: the settings file was not through after {seconds} s, and did not let itself be interrupted"
            )
        }
        Some(how) if heard.said.trim().is_empty() => {
            format!("{shown}: the settings file ended its interpreter ({how}): it may only set values")
        }
        Some(how) => {
            arbiter::silent_end(&python.display().to_string(), &LastWords { how, said: heard.said }).summary
        }
    }))
}
