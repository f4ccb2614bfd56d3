//! docs/settings.md: a table for each section.

use super::{Row, default, is_key, sections, takes};

/// All sections.
pub(super) fn tables() -> String {
    let section = |(heading, rows): (&str, Vec<&Row>)| {
        let lines: String = rows.into_iter().map(line).collect();
        format!(
            "\n## {heading}\n\n| setting | flag | value | default | what it is |\n|---|---|---|---|---|\n{lines}"
        )
    };
    sections(is_key).into_iter().map(section).chain(["\n".to_owned()]).collect()
}

fn line(row: &Row) -> String {
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{}`", cell(text)) };
    let alias = if row.alias.is_empty() { String::new() } else { format!(" (`{}`)", row.alias) };
    let flags: Vec<String> =
        row.flags.iter().copied().chain([row.negated_by]).filter(|flag| !flag.is_empty()).map(code).collect();
    let default = code(&default(row).unwrap_or_default());
    format!(
        "| `{}`{alias} | {} | {} | {default} | {} |\n",
        row.key,
        flags.join(" "),
        cell(&takes(row)),
        cell(row.help)
    )
}

/// Text in a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
