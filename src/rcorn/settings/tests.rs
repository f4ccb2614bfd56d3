//! Where settings come from, which source wins, and how an error cites it.

use super::*;
use std::path::Path;
use sys::socket::Address;

fn invocation(arguments: &[&str], environment: &[(&str, &str)], directory: &Path) -> Invocation {
    Invocation {
        program: "rcorn".into(),
        arguments: arguments.iter().map(Into::into).collect(),
        environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        directory: directory.into(),
        executable: "/usr/bin/rcorn".into(),
        predecessor: None,
    }
}

fn load(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Settings, Refusal> {
    invocation(arguments, environment, Path::new("/")).load()
}

/// What a file with this content comes to.
fn load_file(content: &str) -> Result<Settings, Refusal> {
    let name = format!("rcorn-settings-{}-{:?}", std::process::id(), std::thread::current().id());
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("app.toml"), content).unwrap();
    let loaded = invocation(&["-c", "app.toml", "app"], &[], &directory).load();
    std::fs::remove_dir_all(&directory).unwrap();
    loaded
}

#[test]
fn defaults() {
    let settings = load(&["app"], &[]).unwrap();
    assert_eq!((settings.app.as_str(), settings.workers, settings.backlog), ("app", 1, 2048));
    assert_eq!((settings.timeout, settings.keep_alive), (Duration::from_secs(30), Duration::from_secs(75)));
    assert_eq!(settings.bind, [Bind::Address(Address::Tcp("127.0.0.1:8000".parse().unwrap()))]);
    assert_eq!((settings.chdir.as_path(), &settings.access_log), (Path::new("/"), &None));
    let shown = settings.shown.clone();
    assert_eq!(Settings { app: "app".into(), shown, ..Settings::default() }, settings);
}

#[test]
fn the_stronger_source_wins() {
    let gunicorn = ("GUNICORN_CMD_ARGS", "-w 2 --timeout 5");
    let ours = ("RCORN_CMD_ARGS", "-w 3");
    assert_eq!(load(&["app"], &[gunicorn]).unwrap().workers, 2);
    let both = load(&["app"], &[gunicorn, ours]).unwrap();
    assert_eq!((both.workers, both.timeout), (3, Duration::from_secs(5)));
    assert_eq!(load(&["app", "--workers=4"], &[gunicorn, ours]).unwrap().workers, 4);
    assert_eq!(load(&["app", "-w4"], &[("WEB_CONCURRENCY", "9")]).unwrap().workers, 4);
    assert_eq!(load(&["app"], &[("WEB_CONCURRENCY", "9")]).unwrap().workers, 9);
}

#[test]
fn repeated_values_collect_within_one_source() {
    let settings = load(&["app", "-b", ":1", "--bind", ":2,:3"], &[("RCORN_CMD_ARGS", "-b :4")]).unwrap();
    assert_eq!(settings.bind.len(), 3);
    let settings = load(&["app", "-e", "A=1,2", "--env=B="], &[]).unwrap();
    assert_eq!(settings.env, [("A".to_owned(), "1,2".to_owned()), ("B".to_owned(), String::new())]);
}

#[test]
fn a_file_is_read_with_its_types() {
    let settings =
        load_file("workers = 5\ntimeout = 1.5\npreload = true\nbind = [\":1\", \":2\"]\numask = 0o27\n")
            .unwrap();
    assert_eq!((settings.workers, settings.timeout), (5, Duration::from_millis(1500)));
    assert_eq!((settings.preload, settings.bind.len(), settings.umask), (Preload::On, 2, 0o27));
}

#[test]
fn errors_cite_where_the_value_was_written() {
    for (content, sentence) in [
        (
            "\nworkers = \"many\"\n",
            "app.toml:2: workers: expected a number from 1 to 1024 or auto, found \"many\"",
        ),
        ("wrokers = 2\n", "app.toml:1: wrokers: there is no such setting; did you mean workers?"),
        (
            "timeout = true\n",
            "app.toml:1: timeout: expected a time such as 30, \"500ms\" or \"2m\", found true",
        ),
        ("certfile = \"x\"\n", "app.toml:1: certfile: not supported: a proxy such as nginx does TLS"),
    ] {
        let refused = load_file(content).unwrap_err();
        assert_eq!(
            (refused.to_string().as_str(), refused.code()),
            (sentence, contract::exit::ExitCode::Setup)
        );
    }
    let refused = load(&["app"], &[("RCORN_CMD_ARGS", "--workers many")]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "$RCORN_CMD_ARGS: --workers: expected a number from 1 to 1024 or auto, found \"many\""
    );
}

#[test]
fn what_is_wrong_is_told_even_where_something_stronger_is_said() {
    assert!(load(&["app", "-w", "2"], &[("RCORN_CMD_ARGS", "--workers many")]).is_err());
}

#[test]
fn an_application_is_needed_to_serve_and_not_to_print() {
    let without = invocation(&["--print-config", "-w", "2"], &[], Path::new("/"));
    let refused = without.load().unwrap_err();
    assert_eq!(refused.code(), contract::exit::ExitCode::Usage);
    let printed = without.read().unwrap().print().unwrap();
    assert!(
        printed.lines().any(|line| line.starts_with("workers") && line.ends_with("command line: --workers"))
    );
}

#[test]
fn the_control_socket_is_where_systemd_made_a_directory_for_it() {
    let socket = |arguments: &[&str], environment: &[(&str, &str)]| {
        load(arguments, environment).unwrap().control_socket.map(|path| path.display().to_string())
    };
    let systemd = [("RUNTIME_DIRECTORY", "/run/rcorn/shop:/run/more")];
    assert_eq!(socket(&["app"], &[]), None);
    assert_eq!(socket(&["app"], &systemd).as_deref(), Some("/run/rcorn/shop/control.sock"));
    assert_eq!(socket(&["app", "--control-socket", "c"], &systemd).as_deref(), Some("/c"));
    assert_eq!(socket(&["app", "--control-socket", "c", "--no-control-socket"], &systemd), None);
    assert_eq!(load(&["app"], &[]).unwrap().control_socket_mode, 0o600);
}

#[test]
fn what_concerns_a_setting_as_a_whole_cites_its_place_too() {
    let refused = load(&["app", "--chdir", "/nowhere/at/all"], &[]).unwrap_err();
    assert_eq!(refused.to_string(), "--chdir: there is no directory /nowhere/at/all");
    let refused = load(&["app", "-b", ":1"], &[("RCORN_CMD_ARGS", "-b :2 -b :2")]);
    assert!(refused.is_ok(), "a weaker source does not count");
    let refused = load_file("bind = [\n  \":1\",\n  \"0.0.0.0:1\",\n]\n").unwrap_err();
    assert_eq!(refused.to_string(), "app.toml:3: bind: 0.0.0.0:1 is there twice");
    let most = contract::descriptors::MOST_LISTENERS;
    let many: Vec<String> = (0..=most).map(|port| format!("--bind=:{port}")).collect();
    let many: Vec<&str> = std::iter::once("app").chain(many.iter().map(String::as_str)).collect();
    let sentence = format!("--bind: {} addresses are too many: at most {most}", most + 1);
    assert_eq!(load(&many, &[]).unwrap_err().to_string(), sentence);
}

#[test]
fn as_many_workers_as_there_are_cpus() {
    let cpus = std::thread::available_parallelism().unwrap().get();
    assert_eq!(load(&["app", "--workers=auto"], &[]).unwrap().workers as usize, cpus);
    assert_eq!(load(&["app"], &[("WEB_CONCURRENCY", "auto")]).unwrap().workers as usize, cpus);
    assert_eq!(load_file("workers = \"auto\"\n").unwrap().workers as usize, cpus);
    let shown = load(&["app", "-w", "auto"], &[]).unwrap().shown;
    let value = |name: &str| shown.iter().find(|(key, ..)| key == name).map(|(_, value, _)| value.clone());
    assert_eq!(value("workers"), Some(format!("auto ({cpus})")));
}

#[test]
fn what_a_platform_says_counts_least() {
    let platform = [("PORT", "9000"), ("WEB_CONCURRENCY", "3")];
    let bound = |settings: Settings| settings.bind.iter().map(ToString::to_string).collect::<Vec<_>>();
    let settings = load(&["app"], &platform).unwrap();
    assert_eq!((settings.workers, bound(settings)), (3, vec!["0.0.0.0:9000".to_owned()]));
    let settings = load(&["app"], &[platform[0], platform[1], ("RCORN_CMD_ARGS", "-b :1 -w 2")]).unwrap();
    assert_eq!((settings.workers, bound(settings)), (2, vec!["0.0.0.0:1".to_owned()]));
    for (variable, sentence) in [
        (
            ("PORT", "http"),
            "$PORT: \"http\" is no port: expected a number from 0 to 65535, in \"0.0.0.0:http\"",
        ),
        (
            ("WEB_CONCURRENCY", "many"),
            "$WEB_CONCURRENCY: expected a number from 1 to 1024 or auto, found \"many\"",
        ),
        (("WEB_CONCURRENCY", "0"), "$WEB_CONCURRENCY: expected a number from 1 to 1024 or auto, found \"0\""),
    ] {
        assert_eq!(load(&["app"], &[variable]).unwrap_err().to_string(), sentence);
    }
}
