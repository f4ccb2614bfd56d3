//! Gunicorn's settings that rcorn does not have yet, one entry each. They are refused, never ignored: a server that
//! quietly does less than it was told is worse than one that does not start.

use super::row::Row;

const RELOAD: &str = "restart rcorn after a change";
const SYSTEMD: &str = "let systemd keep it running in the background";
const TLS: &str = "let a proxy such as nginx do TLS";
const HTTP2: &str = "let a proxy such as nginx speak HTTP/2 to the clients";
const HOOK: &str = "hooks are functions and need a Python file of settings";
const HEARTBEAT: &str = "leave it out: workers report through shared memory";
const UNNEEDED: &str = "leave it out: rcorn has one parser of its own";

/// What is to come.
pub(super) static LATER: &[Row] = &[
    Row::later("http_parser", &["--http-parser"], UNNEEDED),
    Row::later("reload", &["--reload"], RELOAD),
    Row::later("reload_engine", &["--reload-engine"], RELOAD),
    Row::later("reload_extra_files", &["--reload-extra-file"], RELOAD),
    Row::later("spew", &["--spew"], ""),
    Row::later("daemon", &["-D", "--daemon"], SYSTEMD),
    Row::later("worker_tmp_dir", &["--worker-tmp-dir"], HEARTBEAT),
    Row::later("paste", &["--paste", "--paster"], "name the application as MODULE:CALLABLE"),
    Row::later("raw_paste_global_conf", &["--paste-global"], "name the application as MODULE:CALLABLE"),
    Row::later("protocol", &["--protocol"], "let the proxy in front speak HTTP"),
    Row::later("uwsgi_allow_ips", &["--uwsgi-allow-from"], "let the proxy in front speak HTTP"),
    Row::later("enable_stdio_inheritance", &["-R", "--enable-stdio-inheritance"], SYSTEMD),
    Row::later("statsd_host", &["--statsd-host"], ""),
    Row::later("statsd_prefix", &["--statsd-prefix"], ""),
    Row::later("dogstatsd_tags", &["--dogstatsd-tags"], ""),
    Row::later("enable_backlog_metric", &["--enable-backlog-metric"], ""),
    Row::later("default_proc_name", &[], "use name"),
    Row::later("keyfile", &["--keyfile"], TLS),
    Row::later("certfile", &["--certfile"], TLS),
    Row::later("ca_certs", &["--ca-certs"], TLS),
    Row::later("ciphers", &["--ciphers"], TLS),
    Row::later("ssl_version", &["--ssl-version"], TLS),
    Row::later("cert_reqs", &["--cert-reqs"], TLS),
    Row::later("suppress_ragged_eofs", &["--suppress-ragged-eofs"], TLS),
    Row::later("do_handshake_on_connect", &["--do-handshake-on-connect"], TLS),
    Row::later("http_protocols", &["--http-protocols"], HTTP2),
    Row::later("http2_cleartext", &["--http2-cleartext"], HTTP2),
    Row::later("http2_max_concurrent_streams", &["--http2-max-concurrent-streams"], HTTP2),
    Row::later("http2_initial_window_size", &["--http2-initial-window-size"], HTTP2),
    Row::later("http2_max_frame_size", &["--http2-max-frame-size"], HTTP2),
    Row::later("http2_max_header_list_size", &["--http2-max-header-list-size"], HTTP2),
    Row::later("dirty_apps", &["--dirty-app"], ""),
    Row::later("dirty_workers", &["--dirty-workers"], ""),
    Row::later("dirty_threads", &["--dirty-threads"], ""),
    Row::later("dirty_timeout", &["--dirty-timeout"], ""),
    Row::later("dirty_graceful_timeout", &["--dirty-graceful-timeout"], ""),
    Row::later("on_starting", &[], HOOK),
    Row::later("when_ready", &[], HOOK),
    Row::later("on_reload", &[], HOOK),
    Row::later("nworkers_changed", &[], HOOK),
    Row::later("pre_fork", &[], HOOK),
    Row::later("post_fork", &[], HOOK),
    Row::later("post_worker_init", &[], HOOK),
    Row::later("pre_request", &[], HOOK),
    Row::later("post_request", &[], HOOK),
    Row::later("worker_int", &[], HOOK),
    Row::later("worker_abort", &[], HOOK),
    Row::later("worker_exit", &[], HOOK),
    Row::later("child_exit", &[], HOOK),
    Row::later("pre_exec", &[], HOOK),
    Row::later("on_exit", &[], HOOK),
    Row::later("ssl_context", &[], HOOK),
    Row::later("on_dirty_starting", &[], HOOK),
    Row::later("dirty_post_fork", &[], HOOK),
    Row::later("dirty_worker_init", &[], HOOK),
    Row::later("dirty_worker_exit", &[], HOOK),
];
