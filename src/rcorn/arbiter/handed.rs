//! Sockets that systemd hands over (sd_listen_fds(3)): those of its units, and those that it kept for us.

use super::listeners::{Listener, STORED};
use crate::settings::Invocation;
use contract::descriptors::MOST_LISTENERS;
use std::rc::Rc;

/// The number of the first descriptor that systemd hands over.
const FIRST: i32 = 3;

/// What systemd gave us.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    /// Sockets of its units.
    pub(crate) sockets: Vec<Rc<Listener>>,
    /// Sockets of ours that it kept since our last life.
    pub(crate) kept: Vec<Rc<Listener>>,
    /// The names of those that are of no use any more.
    pub(crate) useless: Vec<String>,
}

/// Takes over what was handed to this process; nothing when it was meant for another.
pub(crate) fn take(invocation: &Invocation) -> Result<Handed, String> {
    let names = announced(invocation, sys::process::own_pid())?;
    let mut handed = Handed::default();
    for (number, name) in (FIRST..).zip(names) {
        if !name.starts_with(STORED) {
            handed.sockets.push(Rc::new(Listener::adopt(number, Some(&name))?));
            continue;
        }
        match Listener::adopt(number, Some(&name)).ok().and_then(Listener::kept) {
            Some(listener) => handed.kept.push(Rc::new(listener)),
            None => handed.useless.push(name),
        }
    }
    Ok(handed)
}

/// The names of the descriptors that the environment announces to process `pid`.
fn announced(invocation: &Invocation, pid: i32) -> Result<Vec<String>, String> {
    let ours = invocation.variable("LISTEN_PID").and_then(|text| text.parse().ok()) == Some(pid);
    let Some(count) = invocation.variable("LISTEN_FDS").filter(|_| ours) else { return Ok(Vec::new()) };
    let count = count.parse::<usize>().ok().filter(|count| *count <= MOST_LISTENERS);
    let count = count.ok_or(format!("LISTEN_FDS is no number from 0 to {MOST_LISTENERS}"))?;
    let names = invocation.variable("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.split(':').map(str::to_owned).chain(std::iter::repeat("unknown".to_owned()));
    Ok(names.take(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called_with(variables: &[(&str, &str)]) -> Invocation {
        let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Invocation { environment, ..Invocation::of_process() }
    }

    #[test]
    fn what_is_for_another_process_is_left_alone() {
        let other = called_with(&[("LISTEN_PID", "7"), ("LISTEN_FDS", "2")]);
        assert_eq!(announced(&other, 8), Ok(Vec::new()));
        assert_eq!(announced(&called_with(&[("LISTEN_FDS", "2")]), 8), Ok(Vec::new()));
    }

    #[test]
    fn each_descriptor_has_a_name() {
        let ours = called_with(&[("LISTEN_PID", "7"), ("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "web.socket")]);
        assert_eq!(announced(&ours, 7).unwrap(), ["web.socket", "unknown"]);
    }

    #[test]
    fn a_count_that_is_none_is_refused() {
        for count in ["many", "-1", "61"] {
            assert!(announced(&called_with(&[("LISTEN_PID", "7"), ("LISTEN_FDS", count)]), 7).is_err());
        }
    }
}
