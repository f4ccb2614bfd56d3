//! The parts of rcorn(1) and rcorn.toml(5) that the table makes, in the language of man(7).

use super::{Kind, Row, default, is_key, sections, takes};

/// Every flag.
pub(super) fn flags() -> String {
    let entry = |row: &&Row| {
        let flags: Vec<String> = row.flags.iter().map(|flag| format!("\\fB{}\\fR", plain(flag))).collect();
        let negation = match row.negated_by {
            "" => String::new(),
            flag => format!(", \\fB{}\\fR", plain(flag)),
        };
        let value = match row.placeholder() {
            "" => String::new(),
            words if matches!(row.kind, Kind::Switch(..)) => format!("[=\\fI{words}\\fR]"),
            value => format!(" \\fI{}\\fR", plain(value)),
        };
        format!(".TP\n{}{value}{negation}\n{}\n", flags.join(", "), about(row))
    };
    by_section(|row| !row.flags.is_empty(), entry)
}

/// Every key of the file.
pub(super) fn keys() -> String {
    let entry = |row: &&Row| {
        let mut text =
            format!(".TP\n\\fB{}\\fR (\\fI{}\\fR)\n{}\n", plain(row.key), plain(&takes(row)), about(row));
        if let Some(flag) = row.flags.iter().find(|flag| flag.starts_with("--")) {
            text.push_str(&format!("Flag: \\fB{}\\fR.\n", plain(flag)));
        }
        if !row.alias.is_empty() {
            text.push_str(&format!("Gunicorn's name: \\fB{}\\fR.\n", plain(row.alias)));
        }
        text
    };
    by_section(is_key, entry)
}

fn by_section(keep: fn(&Row) -> bool, entry: impl Fn(&&Row) -> String) -> String {
    let section = |(heading, rows): (&str, Vec<&Row>)| {
        format!(".SS {}\n{}", plain(heading), rows.iter().map(&entry).collect::<String>())
    };
    sections(keep).into_iter().map(section).collect()
}

/// Sentences: what it is, and its default.
fn about(row: &Row) -> String {
    let mut characters = row.help.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let default =
        default(row).map_or_else(String::new, |value| format!("\nDefault: \\fB{}\\fR.", plain(&value)));
    format!("{}{}.{default}", plain(&first), plain(characters.as_str()))
}

/// Text as troff takes it: a plain minus sign, no escapes, and no line that looks like a request.
fn plain(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
