//! The line that `systemctl status` shows.

use contract::control::Status;
use std::fmt::Write;

/// How it goes, in one line: the last thing that went wrong comes first.
pub(crate) fn line(status: &Status) -> String {
    let mut line = match &status.last_reload {
        Some(last) if last.state == "failed" => {
            format!("reload failed: {} (still serving generation {})", last.summary, status.generation)
        }
        _ => format!("{}: generation {}", status.state, status.generation),
    };
    let ready = status.workers.iter().filter(|worker| matches!(worker.state.as_str(), "idle" | "busy"));
    let busy = ready.clone().filter(|worker| worker.state == "busy").count();
    let rates = &status.last_minute;
    let _ = write!(
        line,
        "; {busy} of {} workers busy, {:.1} requests/s",
        ready.count(),
        rates.requests_per_second
    );
    if rates.p99 > 0 {
        let _ = write!(line, ", p99 {:.1} ms", rates.p99 as f64 / 1e3);
    }
    let restarts: u64 = status.restarts.values().sum();
    if restarts > 0 {
        let _ = write!(line, ", {restarts} replaced");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::control::{Rates, Reload, WorkerStatus};

    fn serving() -> Status {
        let worker = |state: &str| WorkerStatus { state: state.into(), ..WorkerStatus::default() };
        Status {
            state: "serving".into(),
            generation: 3,
            workers: ["idle", "busy", "draining", "booting"].map(worker).to_vec(),
            last_minute: Rates { requests_per_second: 12.34, p99: 4_200, ..Rates::default() },
            ..Status::default()
        }
    }

    #[test]
    fn it_is_worth_reading() {
        let mut status = serving();
        assert_eq!(line(&status), "serving: generation 3; 1 of 2 workers busy, 12.3 requests/s, p99 4.2 ms");
        status.restarts.insert("timeout".into(), 2);
        assert!(line(&status).ends_with("p99 4.2 ms, 2 replaced"));
    }

    #[test]
    fn a_reload_that_failed_is_not_forgotten() {
        let failed = Reload { state: "failed".into(), summary: "no shoop".into(), ..Reload::default() };
        let text = line(&Status { last_reload: Some(failed), ..serving() });
        assert!(text.starts_with("reload failed: no shoop (still serving generation 3); 1 of 2"), "{text}");
    }
}
