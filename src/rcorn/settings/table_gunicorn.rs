//! The rows of Gunicorn's that change nothing in rcorn: hooks, which the Python file keeps; what has no effect here, with
//! the reason; and what is refused, with what to do instead. A refused one may have the value that it has in Gunicorn
//! anyway: settings files spell out defaults.

use super::row::{Kind, Row, Takes};

const ALWAYS_GROUPS: &str = "the application always has all groups of its user";
const NO_HEARTBEAT: &str = "workers report through shared memory, there is no heartbeat file";
const OWN_PARSER: &str = "rcorn has one parser of its own";
const NO_DAEMON: &str = "rcorn does not detach, so standard output and error stay what they are";
const NO_UWSGI: &str = "it is about the uwsgi protocol, which rcorn does not speak";
const NO_TLS: &str = "it is about TLS, which rcorn does not speak";
const NO_HTTP2: &str = "it is about HTTP/2, which rcorn does not speak";
const NO_DIRTY: &str = "it is about dirty workers, which rcorn does not have";
const THE_FILE: &str = "it names the settings file, which is this one: --config names another";

const SYSTEMD: &str = "systemd, or whatever starts rcorn, keeps it in the background: leave daemon out";
const TLS: &str = "a proxy such as nginx does TLS";
const HTTP2: &str = "a proxy such as nginx speaks HTTP/2 to the clients";
const HTTP: &str = "rcorn speaks HTTP only: in nginx, proxy_pass instead of uwsgi_pass";
const DIRTY: &str = "rcorn has no dirty workers: a task queue does what takes long";
const COMMAND_LINE: &str = "this belongs on the command line";

/// Gunicorn's settings that need no field of `Settings`.
pub(super) static GUNICORN: &[Row] = &[
    hook("on_starting"),
    hook("when_ready"),
    hook("on_reload"),
    hook("nworkers_changed"),
    hook("pre_fork"),
    hook("post_fork"),
    hook("post_worker_init"),
    hook("pre_request"),
    hook("post_request"),
    hook("worker_int"),
    hook("worker_abort"),
    hook("worker_exit"),
    hook("child_exit"),
    hook("pre_exec"),
    hook("on_exit"),
    unused("config", &[], Takes::Text, THE_FILE),
    unused("initgroups", &["--initgroups"], Takes::Switch, ALWAYS_GROUPS),
    unused("worker_tmp_dir", &["--worker-tmp-dir"], Takes::Text, NO_HEARTBEAT),
    unused("http_parser", &["--http-parser"], Takes::Words(&["auto", "fast", "python"]), OWN_PARSER),
    unused("enable_stdio_inheritance", &["-R", "--enable-stdio-inheritance"], Takes::Switch, NO_DAEMON),
    unused("uwsgi_allow_ips", &["--uwsgi-allow-from"], Takes::List, NO_UWSGI),
    unused("ciphers", &["--ciphers"], Takes::Text, NO_TLS),
    unused("ssl_version", &["--ssl-version"], Takes::Text, NO_TLS),
    unused("suppress_ragged_eofs", &["--suppress-ragged-eofs"], Takes::Switch, NO_TLS),
    unused("do_handshake_on_connect", &["--do-handshake-on-connect"], Takes::Switch, NO_TLS),
    unused("http2_max_concurrent_streams", &["--http2-max-concurrent-streams"], Takes::Number, NO_HTTP2),
    unused("http2_initial_window_size", &["--http2-initial-window-size"], Takes::Number, NO_HTTP2),
    unused("http2_max_frame_size", &["--http2-max-frame-size"], Takes::Number, NO_HTTP2),
    unused("http2_max_header_list_size", &["--http2-max-header-list-size"], Takes::Number, NO_HTTP2),
    unused("dirty_threads", &["--dirty-threads"], Takes::Number, NO_DIRTY),
    unused("dirty_timeout", &["--dirty-timeout"], Takes::Number, NO_DIRTY),
    unused("dirty_graceful_timeout", &["--dirty-graceful-timeout"], Takes::Number, NO_DIRTY),
    unused("on_dirty_starting", &[], Takes::Function, NO_DIRTY),
    unused("dirty_post_fork", &[], Takes::Function, NO_DIRTY),
    unused("dirty_worker_init", &[], Takes::Function, NO_DIRTY),
    unused("dirty_worker_exit", &[], Takes::Function, NO_DIRTY),
    refused("daemon", &["-D", "--daemon"], &[], SYSTEMD),
    refused("protocol", &["--protocol"], &["http"], HTTP),
    refused("keyfile", &["--keyfile"], &[""], TLS),
    refused("certfile", &["--certfile"], &[""], TLS),
    refused("ca_certs", &["--ca-certs"], &[""], TLS),
    refused("cert_reqs", &["--cert-reqs"], &["0"], TLS),
    refused("ssl_context", &[], &[], TLS),
    refused("http_protocols", &["--http-protocols"], &["h1", ""], HTTP2),
    refused("http2_cleartext", &["--http2-cleartext"], &["off"], HTTP2),
    refused("dirty_apps", &["--dirty-app"], &[], DIRTY),
    refused("dirty_workers", &["--dirty-workers"], &["0"], DIRTY),
    refused("check_config", &[], &[], COMMAND_LINE),
    refused("print_config", &[], &[], COMMAND_LINE),
];

const fn hook(name: &'static str) -> Row {
    Row::new(name, &[], Kind::Hook, "")
}

const fn unused(name: &'static str, flags: &'static [&'static str], takes: Takes, why: &'static str) -> Row {
    Row::new(name, flags, Kind::Unused(takes, why), "")
}

const fn refused(
    name: &'static str,
    flags: &'static [&'static str],
    harmless: &'static [&'static str],
    instead: &'static str,
) -> Row {
    Row::new(name, flags, Kind::Refused(harmless, instead), "")
}
