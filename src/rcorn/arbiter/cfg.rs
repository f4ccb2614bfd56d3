//! The settings as hooks know them: `cfg`, by Gunicorn's names, with values of Gunicorn's types. What Gunicorn has and
//! rcorn has not is the zygote's to add.

use crate::settings::{ReloadEngine, Settings, StatsdHost, text_of};
use contract::network::Network;
use contract::settings::{EventLoop, Lifespan, PasteSettings, Preload, Underscores, WorkerClass};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// All of them.
pub(super) fn of(settings: &Settings) -> Map<String, Value> {
    let mut cfg = Map::new();
    let parts = [process, workers, clients, trust, Settings::cfg_of_logs, metrics, development];
    for part in parts.map(|part| part(settings)) {
        if let Value::Object(part) = part {
            cfg.extend(part);
        }
    }
    cfg
}

fn process(settings: &Settings) -> Value {
    let paste = settings.paste.as_ref();
    json!({
        "wsgi_app": settings.app,
        "bind": settings.bind.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "backlog": settings.backlog,
        "reuse_port": settings.reuse_port,
        "chdir": text_of(&settings.chdir),
        "pythonpath": (!settings.pythonpath.is_empty()).then(|| settings.pythonpath.join(",")),
        "raw_env": pairs(&settings.env),
        "preload_app": settings.preload == Preload::On,
        "umask": settings.umask,
        "pidfile": settings.pid.as_deref().map(text_of),
        "proc_name": settings.name,
        "default_proc_name": settings.app,
        "paste": paste.map(place_of),
        "raw_paste_global_conf": paste.map_or_else(Vec::new, |paste| pairs(&paste.defaults)),
        "control_socket": settings.control_socket.as_deref().map(text_of),
        "control_socket_mode": settings.control_socket_mode,
        "control_socket_disable": settings.control_socket.is_none(),
    })
}

fn workers(settings: &Settings) -> Value {
    let class = match settings.worker_class {
        WorkerClass::Auto | WorkerClass::Sync if settings.threads > 1 => "gthread",
        WorkerClass::Auto | WorkerClass::Sync => "sync",
        WorkerClass::Threads => "gthread",
        WorkerClass::Gevent => "gevent",
        WorkerClass::Asgi => "asgi",
    };
    let event_loop = match settings.asgi.event_loop {
        EventLoop::Auto => "auto",
        EventLoop::Asyncio => "asyncio",
        EventLoop::Uvloop => "uvloop",
    };
    let lifespan = match settings.asgi.lifespan {
        Lifespan::Auto => "auto",
        Lifespan::On => "on",
        Lifespan::Off => "off",
    };
    json!({
        "workers": settings.workers,
        "worker_class": class,
        "threads": settings.threads,
        "worker_connections": settings.worker_connections,
        "max_requests": settings.max_requests,
        "max_requests_jitter": settings.max_requests_jitter,
        "timeout": seconds(settings.timeout),
        "graceful_timeout": seconds(settings.graceful_timeout),
        "keepalive": seconds(settings.keep_alive),
        "asgi_loop": event_loop,
        "asgi_lifespan": lifespan,
        "asgi_disconnect_grace_period": seconds(Duration::from_millis(settings.asgi.disconnect_grace)),
        "root_path": settings.asgi.root_path,
        "websocket_max_message_size": settings.asgi.websocket.message,
    })
}

fn clients(settings: &Settings) -> Value {
    let permits = &settings.permits;
    json!({
        "limit_request_line": settings.limit_request_line,
        "limit_request_fields": settings.limit_request_fields,
        "limit_request_field_size": settings.limit_request_field_size,
        "tmp_upload_dir": settings.tmp_upload_dir.as_deref().map(text_of),
        "sendfile": settings.sendfile,
        "permit_obsolete_folding": permits.obsolete_folding,
        "strip_header_spaces": permits.header_spaces,
        "permit_unconventional_http_method": permits.unconventional_method,
        "permit_unconventional_http_version": permits.unconventional_version,
        "casefold_http_method": permits.casefold_method,
    })
}

fn trust(settings: &Settings) -> Value {
    let trust = &settings.trust;
    let header_map = match trust.underscores {
        Underscores::Drop => "drop",
        Underscores::Refuse => "refuse",
        Underscores::Keep => "dangerous",
    };
    let proxy_protocol = match (trust.preamble_v1, trust.preamble_v2) {
        (true, true) => "auto",
        (true, false) => "v1",
        (false, true) => "v2",
        (false, false) => "off",
    };
    let schemes = trust.scheme_fields.iter().map(|(name, value)| (name.to_uppercase(), json!(value)));
    json!({
        "forwarded_allow_ips": networks(&trust.proxies),
        "forwarder_headers": trust.forwarder_fields,
        "secure_scheme_headers": schemes.collect::<Map<_, _>>(),
        "header_map": header_map,
        "proxy_protocol": proxy_protocol,
        "proxy_allow_ips": networks(&trust.preamble_senders),
    })
}

fn metrics(settings: &Settings) -> Value {
    let metrics = &settings.metrics;
    let host = metrics.statsd_host.as_ref().map(|host| match host {
        StatsdHost::Udp(host, port) => json!([host, port]),
        StatsdHost::Unix(path) => json!(text_of(path)),
    });
    json!({
        "statsd_host": host,
        "statsd_prefix": metrics.statsd_prefix,
        "dogstatsd_tags": metrics.dogstatsd_tags,
        "enable_backlog_metric": metrics.enable_backlog_metric,
    })
}

fn development(settings: &Settings) -> Value {
    let development = &settings.development;
    let engine = match development.reload_engine {
        ReloadEngine::Auto => "auto",
        ReloadEngine::Poll => "poll",
        ReloadEngine::Inotify => "inotify",
    };
    json!({
        "reload": development.reload,
        "reload_engine": engine,
        "reload_extra_files": development.reload_extra_files,
        "spew": development.spew,
    })
}

fn place_of(paste: &PasteSettings) -> String {
    match &paste.section {
        Some(section) => format!("{}#{section}", paste.file),
        None => paste.file.clone(),
    }
}

fn pairs(pairs: &[(String, String)]) -> Vec<String> {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn networks(networks: &[Network]) -> Vec<String> {
    if networks == Network::everything() {
        return vec!["*".to_owned()];
    }
    let whole = |network: &&Network| network.bits == if network.address.is_ipv4() { 32 } else { 128 };
    let text = |network: &Network| match Some(network).filter(whole) {
        Some(host) => host.address.to_string(),
        None => network.to_string(),
    };
    networks.iter().map(text).collect()
}

/// Whole seconds are a whole number, as they were written.
fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 { json!(duration.as_secs()) } else { json!(duration.as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_see_gunicorns_names_and_types() {
        let mut settings = crate::arbiter::tests::settings();
        settings.timeout = Duration::from_millis(1500);
        settings.graceful_timeout = Duration::from_secs(7);
        settings.threads = 4;
        settings.env = vec![("A".into(), "b=c".into())];
        settings.trust.proxies = Network::everything().to_vec();
        let cfg = of(&settings);
        assert_eq!((&cfg["timeout"], &cfg["graceful_timeout"]), (&json!(1.5), &json!(7)));
        assert_eq!((&cfg["worker_class"], &cfg["raw_env"]), (&json!("gthread"), &json!(["A=b=c"])));
        assert_eq!((&cfg["forwarded_allow_ips"], &cfg["pidfile"]), (&json!(["*"]), &Value::Null));
        assert_eq!(cfg["preload_app"], json!(settings.preload == Preload::On));
    }
}
