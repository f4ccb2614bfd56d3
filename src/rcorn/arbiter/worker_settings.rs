//! `Settings` → `WorkerSettings`: what crosses to a zygote.

use super::policy::beat;
use super::zygote::Plan;
use crate::settings::{Settings, milliseconds, text_of};
use contract::settings::{
    AsgiSettings, HookSettings, HttpSettings, LoggingSettings, TrustSettings, WorkerSettings,
};
use std::time::Duration;

/// What the zygote of this plan is told.
pub(crate) fn of(plan: &Plan<'_>) -> WorkerSettings {
    let (settings, invocation) = (plan.settings, plan.invocation);
    WorkerSettings {
        contract: contract::VERSION,
        generation: plan.generation.0,
        arbiter: sys::process::own_pid(),
        name: settings.name.clone().unwrap_or_else(|| settings.app.clone()),
        argv: invocation.argv(),
        app: settings.app.clone(),
        chdir: text_of(&settings.chdir),
        pythonpath: settings.pythonpath.clone(),
        warm_up: settings.warm_up.clone(),
        preload: plan.errand.preload,
        workers: settings.workers,
        worker_class: settings.worker_class,
        threads: settings.threads,
        listeners: u32::try_from(plan.listeners.len()).unwrap_or(0),
        log_level: settings.log_level,
        log_format: settings.log_format,
        access_log: settings.has_access_log(),
        access_format: settings.access_format().to_owned(),
        journal: plan.logs.journaled(),
        syslog: settings.syslog(),
        capture_output: settings.captures(),
        logging: logging(settings),
        graceful_timeout: milliseconds(settings.graceful_timeout),
        max_requests: settings.max_requests,
        statsd: plan.statsd.cloned(),
        max_requests_jitter: settings.max_requests_jitter,
        reload: settings.development.reload,
        spew: settings.development.spew,
        asgi: AsgiSettings {
            request_timeout: milliseconds(settings.request_timeout),
            slow_request: milliseconds(settings.slow_request),
            ..settings.asgi.clone()
        },
        http: http(settings, invocation.variable("TMPDIR")),
        paste: settings.paste.clone(),
        python_settings: settings.python_settings.clone(),
        directory: text_of(&invocation.directory),
        hooks: hooks(plan),
    }
}

/// What a logger is told of the settings only where there is one that asks.
fn logging(settings: &Settings) -> LoggingSettings {
    let logging = settings.python_logging();
    if logging.is_plain() {
        return logging;
    }
    LoggingSettings { cfg: super::cfg::of(settings), ..logging }
}

/// Nothing where there are none: then nobody looks at them.
fn hooks(plan: &Plan<'_>) -> Option<HookSettings> {
    let file = plan.settings.python_settings.as_ref()?;
    let told = || HookSettings {
        occasion: plan.errand.occasion,
        workers: plan.errand.workers,
        cfg: super::cfg::of(plan.settings),
    };
    (!file.hooks.is_empty()).then(told)
}

fn http(settings: &Settings, temporary: Option<&str>) -> HttpSettings {
    let spool = match &settings.tmp_upload_dir {
        Some(directory) => vec![text_of(directory)],
        None => temporary.into_iter().chain(["/var/tmp", "/tmp"]).map(str::to_owned).collect(),
    };
    HttpSettings {
        beat: milliseconds(how_often(settings)),
        keep_alive: milliseconds(settings.keep_alive),
        head_timeout: milliseconds(settings.header_timeout),
        body_timeout: milliseconds(settings.body_timeout),
        write_timeout: milliseconds(settings.write_timeout),
        request_line: settings.limit_request_line,
        request_fields: settings.limit_request_fields,
        request_field_size: settings.limit_request_field_size,
        body: settings.limit_request_body,
        connections: settings.worker_connections,
        spool_directories: spool,
        spool_in_memory: settings.tmp_upload_dir.is_none(),
        sendfile: settings.sendfile,
        measures_arrival: settings.metrics.bind.is_some(),
        trust: trust(settings),
        permits: settings.permits,
    }
}

/// How often the loop of a worker turns at least.
fn how_often(settings: &Settings) -> Duration {
    // So that modules are soon told that were imported elsewhere than in a request.
    let watched = settings.development.reload.then_some(Duration::from_secs(1));
    let judged = (!settings.timeout.is_zero()).then(|| beat(settings.timeout));
    watched.into_iter().chain(judged).min().unwrap_or_default()
}

/// SCRIPT_NAME in the application's environment says where it is mounted, as in Gunicorn.
fn trust(settings: &Settings) -> TrustSettings {
    let mut trust = settings.trust.clone();
    if let Some((_, mount)) = settings.env.iter().rev().find(|(name, _)| name == "SCRIPT_NAME") {
        trust.script_name.clone_from(mount);
    }
    trust
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_limit_is_not_none() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_micros(3)), 1);
        assert_eq!(milliseconds(Duration::from_secs(2)), 2000);
    }

    #[test]
    fn bodies_are_spooled_where_the_operator_says() {
        let mut settings = crate::arbiter::tests::settings();
        assert_eq!(http(&settings, Some("/scratch")).spool_directories, ["/scratch", "/var/tmp", "/tmp"]);
        settings.tmp_upload_dir = Some("/srv/spool".into());
        assert_eq!(http(&settings, Some("/scratch")).spool_directories, ["/srv/spool"]);
    }
}
