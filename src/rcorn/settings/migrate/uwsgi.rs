//! From uWSGI's ini. Options that mean the same here are rows of a list; those that mean something else, or nothing, have
//! their comment.

use super::super::value::Value;
use super::target::Target;

/// What becomes of an option.
#[derive(Clone, Copy)]
enum Becomes {
    /// This setting, with the same value.
    Same(&'static str),
    /// This setting, with the value made of uWSGI's; nothing when that is none.
    Made(&'static str, fn(&str) -> Option<String>),
    /// Two settings with the same value.
    Both(&'static str, &'static str),
    /// Nothing that anybody would miss.
    Needless,
    /// A comment with what to do.
    Comment(&'static str),
}
use Becomes::{Both, Comment, Made, Needless, Same};

const RELOADS: &str = "a reload is systemctl reload, rcornctl reload or SIGHUP";
const PROXY: &str = "let the proxy in front send files, or WhiteNoise in the application";
const CHEAPER: &str = "rcorn keeps as many workers as workers says; TTIN and TTOU add and remove one";
const QUEUE: &str = "no counterpart: a task queue (Celery, RQ) or a timer of systemd does that";
const LIMITS: &str = "the head of a request is bounded by limit_request_line, _fields and _field_size";

/// Options by their names.
const OPTIONS: &[(&[&str], Becomes)] = &[
    (&["http", "http-socket"], Made("bind", address)),
    (&["processes", "workers", "p"], Made("workers", workers)),
    (&["threads"], Same("threads")),
    (&["chdir"], Same("chdir")),
    (&["pythonpath", "python-path", "pp"], Same("pythonpath")),
    (&["virtualenv", "home", "venv", "pyhome"], Same("python")),
    (&["harakiri"], Both("timeout", "request_timeout")),
    (&["max-requests"], Same("max_requests")),
    (&["max-requests-delta"], Same("max_requests_jitter")),
    (&["max-worker-lifetime"], Same("max_worker_age")),
    (&["reload-on-rss", "evil-reload-on-rss"], Made("max_worker_memory", |value| Some(format!("{value}M")))),
    (&["reload-mercy", "worker-reload-mercy"], Same("graceful_timeout")),
    (&["lazy-apps", "lazy"], Made("preload", |value| truth(value).then(|| "off".to_owned()))),
    (&["env"], Same("env")),
    (&["uid"], Same("user")),
    (&["gid"], Same("group")),
    (&["chmod-socket"], Made("umask", mask)),
    (&["pidfile", "safe-pidfile", "pidfile2"], Same("pid")),
    (&["listen"], Same("backlog")),
    (&["limit-post"], Same("limit_request_body")),
    (&["procname", "procname-master"], Same("name")),
    (&["logto", "logto2"], Same("error_log")),
    (&["socket-timeout"], Same("body_timeout")),
    (&["gevent"], Same("worker_connections")),
    (&["paste", "ini-paste", "ini-paste-logged"], Same("paste")),
    (
        &[
            "master",
            "vacuum",
            "die-on-term",
            "need-app",
            "enable-threads",
            "single-interpreter",
            "thunder-lock",
            "strict",
            "no-orphans",
            "auto-procname",
            "plugin",
            "plugins",
            "plugins-dir",
            "close-on-exec",
            "gevent-monkey-patch",
            "gevent-early-monkey-patch",
            "disable-logging",
            "harakiri-verbose",
            "memory-report",
            "procname-prefix",
            "procname-prefix-spaced",
            "log-master",
            "threaded-logger",
            "show-config",
            "module",
            "wsgi",
            "wsgi-file",
            "file",
            "callable",
        ],
        Needless,
    ),
    (&["buffer-size"], Comment(LIMITS)),
    (&["daemonize", "daemonize2"], Comment("systemd, or whatever starts rcorn, keeps it in the background")),
    (
        &["stats", "stats-server"],
        Comment("rcornctl status shows that: control_socket = \"/run/…/control.sock\""),
    ),
    (
        &["static-map", "static-map2", "static-index", "check-static", "static-expires", "offload-threads"],
        Comment(PROXY),
    ),
    (
        &["cheaper", "cheaper-algo", "cheaper-initial", "cheaper-step", "cheaper-overload", "cheap", "idle"],
        Comment(CHEAPER),
    ),
    (&["touch-reload", "touch-chain-reload", "py-autoreload", "py-auto-reload"], Comment(RELOADS)),
    (&["https", "https-socket", "https2"], Comment("let a proxy such as nginx do TLS")),
    (
        &["chown-socket"],
        Comment("a .socket unit of systemd gives the socket its owner: SocketUser=, SocketGroup="),
    ),
    (&["cron", "mule", "mules", "farm", "spooler", "spooler-processes", "timer"], Comment(QUEUE)),
    (&["attach-daemon", "attach-daemon2", "smart-attach-daemon"], Comment("a service of systemd for it")),
    (&["ini", "include", "inherit"], Comment("another file: migrate it as well")),
    (&["log-format", "logformat", "req-logger"], Comment("see access_log")),
];

/// The file in TOML.
pub(super) fn translate(name: &str, text: &str) -> String {
    let options = read(name, text);
    let mut target = Target::default();
    target.comment(format!("Made from {name} by rcorn --migrate."));
    application(&mut target, &options);
    let is_variable = |option: &str| text.contains(&format!("%({option})"));
    for (option, value) in options.iter().filter(|(option, _)| !is_variable(option) || is_known(option)) {
        add(&mut target, option, value);
    }
    if options.iter().any(|(option, value)| option == "gevent" && value != "0") {
        set(&mut target, "worker_class", "gevent");
    }
    if !options.iter().any(|(option, value)| option == "disable-logging" && truth(value)) {
        target.note("uWSGI writes a line for each request");
        set(&mut target, "access_log", "-");
    }
    if !target.has("app") && !target.has("paste") {
        target.comment("What is served:\napp = \"MODULE:CALLABLE\"");
    }
    target.written()
}

/// The options of the section `[uwsgi]`, their placeholders resolved where that can be.
fn read(name: &str, text: &str) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    let mut within = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(section) = line.strip_prefix('[') {
            within = section.trim_end_matches(']').trim() == "uwsgi";
        } else if within {
            let (option, value) = line.split_once('=').unwrap_or((line, "true"));
            let value = resolved(&of_the_file(value.trim(), name), &options);
            options.push((option.trim().replace('_', "-"), value));
        }
    }
    options
}

/// `%s` is the name of the file, and `%n` the same without what is behind its dot.
fn of_the_file(value: &str, name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    value.replace("%n", stem).replace("%s", file)
}

/// `%(name)` is the value of an option that came before.
fn resolved(value: &str, options: &[(String, String)]) -> String {
    let replace =
        |value: String, (name, known): &(String, String)| value.replace(&format!("%({name})"), known);
    options.iter().rev().fold(value.to_owned(), replace)
}

/// `module` or `wsgi-file`, with `callable`.
fn application(target: &mut Target, options: &[(String, String)]) {
    let last = |names: &[&str]| {
        options.iter().rfind(|(option, _)| names.contains(&option.as_str())).map(|(_, value)| value)
    };
    let callable = last(&["callable"]).map(|name| format!(":{name}")).unwrap_or_default();
    if let Some(module) = last(&["module", "wsgi"]) {
        let callable = if module.contains(':') { "" } else { callable.as_str() };
        set(target, "app", &format!("{module}{callable}"));
    } else if let Some(file) = last(&["wsgi-file", "file"]) {
        let module = file.strip_prefix("./").unwrap_or(file).trim_end_matches(".py");
        if module.starts_with('/') {
            let directory = module.rsplit_once('/').map_or("", |(directory, _)| directory);
            target.comment(format!("wsgi-file = {file}: it is imported as a module of its directory"));
            set(target, "pythonpath", directory);
        }
        let name = if module.starts_with('/') { module.rsplit('/').next().unwrap_or(module) } else { module };
        set(target, "app", &format!("{}{callable}", name.replace('/', ".")));
    }
}

fn add(target: &mut Target, option: &str, value: &str) {
    if matches!(option, "socket" | "uwsgi-socket" | "s") {
        target.comment(format!(
            "{option} = {value}: rcorn speaks HTTP there: in nginx, proxy_pass instead of uwsgi_pass"
        ));
        set(target, "bind", &address(value).unwrap_or_default());
        return;
    }
    let known = OPTIONS.iter().find(|(names, _)| names.contains(&option));
    let is_open = value.contains(['%', '$']) && value != "%k" || value.contains("@(");
    match known.map(|(_, becomes)| *becomes) {
        Some(Needless) => {}
        Some(Comment(why)) => target.comment(format!("{option} = {value}: {why}")),
        _ if is_open => target.comment(format!("{option} = {value}: uWSGI's own placeholder: write it out")),
        Some(Same(key)) => set(target, key, value),
        Some(Both(one, other)) => [one, other].into_iter().for_each(|key| set(target, key, value)),
        Some(Made(key, make)) => make(value).iter().for_each(|value| set(target, key, value)),
        None => target.comment(format!("{option} = {value}: no counterpart that is known")),
    }
}

/// Is it an option, and no variable of the file's own?
fn is_known(option: &str) -> bool {
    OPTIONS.iter().any(|(names, _)| names.contains(&option))
}

fn set(target: &mut Target, key: &str, text: &str) {
    let number = text.parse().map(|number| Value::Integer(number, text.to_owned())).ok();
    let is_octal = text.len() > 1 && text.starts_with('0');
    target.set(key, number.filter(|_| !is_octal).unwrap_or_else(|| Value::Text(text.to_owned())));
}

fn truth(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on" | "")
}

/// A path is a unix socket.
fn address(value: &str) -> Option<String> {
    let is_tcp = value.contains(':') || value.bytes().all(|byte| byte.is_ascii_digit());
    Some(match value {
        _ if value.starts_with('@') => format!("unix:{value}"),
        _ if !is_tcp => format!("unix:{value}"),
        _ if value.contains(':') => value.to_owned(),
        port => format!(":{port}"),
    })
}

fn workers(value: &str) -> Option<String> {
    Some(if value == "%k" { "auto".to_owned() } else { value.to_owned() })
}

/// The mask that makes a file of that mode; without a value uWSGI lets everybody in.
fn mask(value: &str) -> Option<String> {
    let mode = if truth(value) && value != "1" { 0o666 } else { u32::from_str_radix(value, 8).ok()? };
    Some(format!("{:04o}", 0o777 & !mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_file() {
        let text = "[uwsgi]\nproject = shop\nbase = /srv/%(project)\nchdir = %(base)\nmodule = %(project).wsgi:application\n\
                    master = true\nprocesses = %k\nsocket = /run/shop.sock\nhttp-socket = /run/%n.sock\nchmod-socket = 660\nvacuum = true\n\
                    harakiri = 60\nbuffer-size = 32768\n[other]\nthreads = 3\n";
        let written = translate("conf/uwsgi.ini", text);
        for line in [
            "app = \"shop.wsgi:application\"",
            "chdir = \"/srv/shop\"",
            "workers = \"auto\"",
            "bind = [\"unix:/run/shop.sock\", \"unix:/run/uwsgi.sock\"]",
            "umask = \"0117\"",
            "timeout = 60",
            "request_timeout = 60",
            "access_log = \"-\"",
        ] {
            assert!(written.lines().any(|written| written == line), "{line} is not in\n{written}");
        }
        assert!(written.contains("# buffer-size = 32768: the head of a request"), "{written}");
        assert!(!written.contains("threads"), "another section is not ours");
    }

    #[test]
    fn addresses() {
        for (from, to) in
            [("/a.sock", "unix:/a.sock"), ("@a", "unix:@a"), (":80", ":80"), ("80", ":80"), ("h:1", "h:1")]
        {
            assert_eq!(address(from).as_deref(), Some(to));
        }
    }
}
