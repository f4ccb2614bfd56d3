//! What stands in the page. A pure function of what was seen: docs/metrics.md tells what each of it means.

use super::page::{Form, Page};
use crate::control::Totals;
use contract::control::{Status, WorkerStatus};

/// Everything that the page is made of.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// As the control socket tells it.
    pub(crate) status: Status,
    /// What all workers have done, those that are gone included.
    pub(crate) totals: Totals,
    /// Threads that requests can be in at a time.
    pub(crate) threads: u64,
    /// When it all began, in seconds since 1970.
    pub(crate) started: f64,
    /// Seconds of CPU that it all has used, those that are gone included.
    pub(crate) cpu: f64,
    /// Resident bytes of each worker, in the order of `status`; nothing for one that is gone by now.
    pub(crate) resident: Vec<Option<u64>>,
    /// Would new requests be served?
    pub(crate) ready: bool,
}

/// The page.
pub(crate) fn render(seen: &Snapshot, form: Form) -> String {
    let mut page = Page::new(form);
    whole(&mut page, seen);
    requests(&mut page, &seen.totals);
    workers(&mut page, seen);
    each_worker(&mut page, seen);
    listeners(&mut page, &seen.status);
    page.finish()
}

fn whole(page: &mut Page, seen: &Snapshot) {
    let status = &seen.status;
    page.info("rcorn_build", "The version of rcorn.", &[("version", &status.version)]);
    page.one(
        "rcorn_start_time_seconds",
        "seconds",
        "When rcorn started; a reload is no start.",
        seen.started,
    );
    page.one(
        "rcorn_ready",
        "",
        "1 when new requests are served, else 0, as /ready says.",
        u8::from(seen.ready),
    );
    page.one("rcorn_generation", "", "The generation that serves: each reload makes one.", status.generation);
    page.one("rcorn_generations", "", "Generations that have processes.", status.generations.len());
    page.counter("rcorn_reloads", "", "Reloads by what became of them.");
    for (result, count) in [("done", status.reloads.done), ("failed", status.reloads.failed)] {
        page.counted("rcorn_reloads", &[("result", result)], count);
    }
    let help = "CPU time of rcorn and all the processes it has had.";
    page.counter("rcorn_cpu_seconds", "seconds", help);
    page.counted("rcorn_cpu_seconds", &[], seen.cpu);
}

fn requests(page: &mut Page, totals: &Totals) {
    page.counter("rcorn_requests", "", "Responses by the class of their status, refusals included.");
    for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"].iter().zip(totals.by_class) {
        page.counted("rcorn_requests", &[("status", class)], count);
    }
    let help = "Requests that never reached the application.";
    page.counter("rcorn_requests_refused", "", help);
    page.counted("rcorn_requests_refused", &[], totals.refused);
    let help =
        "Requests whose response is not whole: the client went away, or the application failed within it.";
    page.counter("rcorn_requests_aborted", "", help);
    page.counted("rcorn_requests_aborted", &[], totals.aborted);
    let help = "Time of requests in the application.";
    page.histogram("rcorn_request_duration_seconds", help, (&totals.latency, totals.busy));
    let help = "Time of requests before the application began with them, from when they were here.";
    page.histogram("rcorn_request_queue_seconds", help, (&totals.queued, totals.waited));
    page.counter("rcorn_response_body_bytes", "bytes", "Bytes of response bodies.");
    page.counted("rcorn_response_body_bytes", &[], totals.sent);
}

fn workers(page: &mut Page, seen: &Snapshot) {
    let status = &seen.status;
    page.gauge("rcorn_workers", "", "Workers by what they do.");
    for state in ["booting", "idle", "busy", "draining", "leaving"] {
        let count = status.workers.iter().filter(|worker| worker.state == state).count();
        page.sample("rcorn_workers", &[("state", state)], count);
    }
    page.one("rcorn_workers_wanted", "", "Workers that there are meant to be.", status.target);
    page.one("rcorn_threads", "", "Threads of workers that requests can be in.", seen.threads);
    let busy = |worker: &WorkerStatus| worker.in_flight.len().min(worker.threads as usize);
    let busy: usize = status.workers.iter().map(busy).sum();
    page.one("rcorn_threads_busy", "", "Those of them that are in one.", busy);
    let in_flight: u64 = status.workers.iter().map(|worker| worker.in_application).sum();
    page.one(
        "rcorn_requests_in_flight",
        "",
        "Requests that the application has and has not answered.",
        in_flight,
    );
    let open: u64 = status.workers.iter().map(|worker| worker.connections).sum();
    page.one("rcorn_connections", "", "Connections that are open.", open);
    page.counter(
        "rcorn_worker_restarts",
        "",
        "Workers that were replaced, by reason; not those of a reload.",
    );
    for (reason, count) in &status.restarts {
        page.counted("rcorn_worker_restarts", &[("reason", reason)], count);
    }
}

fn each_worker(page: &mut Page, seen: &Snapshot) {
    let known = || seen.status.workers.iter().zip(&seen.resident);
    let mut family =
        |name: &str, unit: &str, help: &str, value: &dyn Fn(&WorkerStatus, Option<u64>) -> Option<f64>| {
            page.gauge(name, unit, help);
            for (worker, resident) in known() {
                if let Some(value) = value(worker, *resident) {
                    let (generation, number) = (worker.generation.to_string(), worker.number.to_string());
                    page.sample(name, &[("generation", &generation), ("worker", &number)], value);
                }
            }
        };
    let bytes = |bytes: u64| (bytes > 0).then_some(bytes as f64);
    family(
        "rcorn_worker_memory_bytes",
        "bytes",
        "Memory of a worker, what is shared in proportion (PSS). Measured now and then.",
        &|worker, _| bytes(worker.memory),
    );
    let help = "Resident memory of a worker, what is shared in full (RSS).";
    family("rcorn_worker_resident_memory_bytes", "bytes", help, &|_, resident| resident.and_then(bytes));
    let help = "For how long a worker has been ready.";
    family("rcorn_worker_uptime_seconds", "seconds", help, &|worker, _| Some(worker.age));
}

fn listeners(page: &mut Page, status: &Status) {
    page.gauge("rcorn_backlog", "", "Connections that wait to be accepted.");
    for queue in &status.backlogs {
        page.sample("rcorn_backlog", &[("listener", &queue.listener)], queue.waiting);
    }
    page.gauge("rcorn_backlog_limit", "", "Connections that may wait; the kernel refuses or ignores more.");
    for queue in &status.backlogs {
        page.sample("rcorn_backlog_limit", &[("listener", &queue.listener)], queue.limit);
    }
}
