//! The sample of a settings file: every key with its default, all of it comments but the application.

use super::super::invocation::Invocation;
use super::super::row::Kind;
use super::{Row, default, is_key, sections, takes};

const HEAD: &str = "\
# Settings of one application. /etc/rcorn/NAME.toml is the service rcorn@NAME; see rcorn.toml(5).
# What is commented out shows the defaults.
#
#   rcorn --config FILE --check-config     tries everything but serving
#   rcorn --config FILE --print-config     shows every setting and where it comes from
";

/// The file.
pub(super) fn sample() -> String {
    sections(is_key).into_iter().fold(HEAD.to_owned(), |text, (heading, rows)| {
        let entries: String = rows.into_iter().map(entry).collect();
        format!("{text}\n### {heading} ###\n{entries}")
    })
}

fn entry(row: &Row) -> String {
    if row.key == "app" {
        return format!("\n# {}\napp = \"app:app\"\n", row.help);
    }
    let moved = match row.variable {
        Some(_) => format!("; default: {}", default(row).unwrap_or_default()),
        None => String::new(),
    };
    format!("\n# {} ({}{moved})\n#{} = {}\n", row.help, takes(row), row.key, value(row))
}

/// The default as TOML, or what one would look like.
fn value(row: &Row) -> String {
    let quoted = |text: &str| format!("\"{text}\"");
    let listed = |text: &str| {
        let items: Vec<String> = text.split(',').filter(|item| !item.is_empty()).map(quoted).collect();
        format!("[{}]", items.join(", "))
    };
    match (row.kind, row.default) {
        (Kind::Number(..) | Kind::Duration(_) | Kind::Size(_), default) => default.to_owned(),
        (Kind::Switch(..), "on") => "true".to_owned(),
        (Kind::Switch(..), "off") => "false".to_owned(),
        (Kind::List(..) | Kind::Pairs(_), default) => listed(default),
        (Kind::Table(_), _) => "{}".to_owned(),
        (Kind::Path(_), "") => quoted("PATH"),
        (Kind::Address(example, _), "") => quoted(example),
        (_, default) => quoted(default),
    }
}

/// As it is, and with every comment sign in front of a key taken away, it is taken.
#[test]
fn all_of_the_sample_is_taken() {
    let directory = std::env::temp_dir().join(format!("rcorn-sample-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let read = |text: &str| {
        std::fs::write(directory.join("app.toml"), text).unwrap();
        let invocation = Invocation {
            program: "rcorn".into(),
            arguments: ["-c", "app.toml"].map(Into::into).into(),
            environment: Vec::new(),
            directory: directory.clone(),
            executable: "/usr/bin/rcorn".into(),
            predecessor: None,
        };
        invocation.load()
    };
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|first: char| first.is_ascii_lowercase()) => key.to_owned(),
        _ => line.to_owned(),
    };
    let (sample, name) = (sample(), "PATH");
    std::fs::write(directory.join(name), "").unwrap();
    let everything: Vec<String> = sample.lines().map(uncommented).collect();
    let plain = read(&sample).map(|settings| settings.app);
    let full = read(&everything.join("\n")).map(|settings| settings.env_file);
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(plain.unwrap(), "app:app");
    assert_eq!(full.unwrap(), Some(directory.join(name)));
}
