//! Answers as a person reads them.

use contract::control::{Setting, Status, Total, WorkerStatus};
use std::fmt::Write;

/// One instance on a screen.
pub(crate) fn status(status: &Status) -> String {
    let mut text = String::new();
    let Status { name, version, pid, state, generation, app, listeners, target, preload, .. } = status;
    let _ = writeln!(text, "{name}: {state}, generation {generation} (rcorn {version}, pid {pid})");
    let _ = writeln!(text, "  application  {app}, preload {preload}");
    let _ = writeln!(text, "  listening    {}", listeners.join(", "));
    let ready =
        status.workers.iter().filter(|worker| matches!(worker.state.as_str(), "idle" | "busy")).count();
    let busy = status.workers.iter().filter(|worker| worker.state == "busy").count();
    let _ = writeln!(
        text,
        "  workers      {ready} of {target} ready, {busy} busy; generations {}",
        numbers(&status.generations)
    );
    let rates = &status.last_minute;
    let _ = writeln!(
        text,
        "  last {:>2.0} s    {:.1} requests a second, half within {}, 99 % within {}; {}",
        rates.seconds,
        rates.requests_per_second,
        duration(rates.p50 as f64 / 1e6),
        duration(rates.p99 as f64 / 1e6),
        classes(&rates.by_class)
    );
    let _ = writeln!(text, "  since start  {}", total(&status.total));
    if !status.backlogs.is_empty() {
        let queues: Vec<String> =
            status.backlogs.iter().map(|queue| format!("{} of {}", queue.waiting, queue.limit)).collect();
        let _ = writeln!(text, "  backlog      {}", queues.join(", "));
    }
    if !status.restarts.is_empty() {
        let reasons: Vec<String> =
            status.restarts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let _ = writeln!(text, "  replaced     {}", reasons.join(", "));
    }
    if let Some(reload) = &status.last_reload {
        let _ = writeln!(text, "  last reload  {}: {}", reload.state, reload.summary);
    }
    text.push('\n');
    text + &workers(status)
}

fn total(total: &Total) -> String {
    let Total { requests, refused, aborted, .. } = total;
    let mebibytes = total.bytes as f64 / f64::from(1 << 20);
    format!(
        "{requests} requests, {refused} refused, {aborted} aborted; {}; {mebibytes:.1} MiB sent",
        classes(&total.by_class)
    )
}

/// A table of workers.
pub(crate) fn workers(status: &Status) -> String {
    let head = ["worker", "pid", "gen", "state", "age", "requests", "conns", "memory", "cpu", "in"];
    let rows = status.workers.iter().map(row);
    table(&std::iter::once(head.map(str::to_owned)).chain(rows).collect::<Vec<_>>())
}

fn row(worker: &WorkerStatus) -> [String; 10] {
    let state = match (worker.threads, worker.in_flight.len()) {
        (0 | 1, _) => worker.state.clone(),
        (threads, busy) => format!("{} {busy}/{threads}", worker.state),
    };
    [
        worker.number.to_string(),
        worker.pid.to_string(),
        worker.generation.to_string(),
        state,
        duration(worker.age),
        worker.requests.to_string(),
        worker.connections.to_string(),
        format!("{:.1} MiB", worker.memory as f64 / f64::from(1 << 20)),
        duration(worker.cpu),
        inside(worker),
    ]
}

/// What it is in: the oldest request, and how much else there is.
fn inside(worker: &WorkerStatus) -> String {
    let first = worker.in_flight.first();
    let first = first
        .map(|request| format!("{} for {} from {}", request.line, duration(request.seconds), request.client));
    let others = worker.in_flight.len().saturating_sub(1) as u64 + worker.more_in_flight;
    let others = (others > 0).then(|| format!("and {others} more"));
    let websockets = (worker.websockets > 0)
        .then(|| format!("{} websocket{}", worker.websockets, if worker.websockets == 1 { "" } else { "s" }));
    first.into_iter().chain(others).chain(websockets).collect::<Vec<_>>().join(", ")
}

/// Name, value, origin.
pub(crate) fn settings(settings: &[Setting]) -> String {
    let row = |setting: &Setting| [setting.name.clone(), setting.value.clone(), setting.origin.clone()];
    table(&settings.iter().map(row).collect::<Vec<_>>())
}

/// Each worker's stacks under its name.
pub(crate) fn stacks(stacks: &[serde_json::Value]) -> String {
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    stacks.iter().map(|entry| format!("{}\n{}\n", text(entry, "worker"), text(entry, "stacks"))).collect()
}

/// Columns under each other, the last one as long as it likes.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn numbers(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn classes(counts: &[u64; 5]) -> String {
    let shown = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let shown: Vec<String> = shown.map(|(class, count)| format!("{count} {}xx", class + 1)).collect();
    if shown.is_empty() { "no responses".to_owned() } else { shown.join(", ") }
}

fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 0.001 => format!("{:.0} µs", seconds * 1e6),
        _ if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        _ if seconds < 100.0 => format!("{seconds:.1} s"),
        _ if seconds < 6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::control::InFlight;

    #[test]
    fn a_status_fits_on_a_screen() {
        let request =
            InFlight { line: "GET /slow HTTP/1.1".into(), client: "127.0.0.1:5".into(), seconds: 2.5 };
        let busy = WorkerStatus {
            number: 1,
            pid: 71,
            state: "busy".into(),
            in_flight: vec![request],
            ..Default::default()
        };
        let idle = WorkerStatus { number: 12, pid: 4711, state: "idle".into(), ..Default::default() };
        let text = status(&Status {
            name: "shop".into(),
            target: 2,
            workers: vec![busy, idle],
            ..Status::default()
        });
        assert!(text.contains("2 of 2 ready, 1 busy"), "{text}");
        assert!(text.contains("GET /slow HTTP/1.1 for 2.5 s from 127.0.0.1:5\n"), "{text}");
        let lines: Vec<&str> = text.lines().rev().take(2).collect();
        assert_eq!(lines[0].find("4711"), lines[1].find("71  "), "{text}");
    }

    #[test]
    fn what_a_loop_is_in() {
        let request = InFlight { line: "GET /a HTTP/1.1".into(), client: "127.0.0.1:5".into(), seconds: 2.5 };
        let mut worker = WorkerStatus { websockets: 1, ..Default::default() };
        assert_eq!(inside(&worker), "1 websocket");
        worker.in_flight = vec![request.clone(), request];
        (worker.more_in_flight, worker.websockets) = (311, 12);
        assert_eq!(
            inside(&worker),
            "GET /a HTTP/1.1 for 2.5 s from 127.0.0.1:5, and 312 more, 12 websockets"
        );
    }

    #[test]
    fn durations() {
        let shown = [0.0000035, 0.0123, 4.0, 300.0, 7200.0].map(duration);
        assert_eq!(shown, ["4 µs", "12.3 ms", "4.0 s", "5 min", "2.0 h"]);
    }
}
