//! Applications that a file of PasteDeploy describes: which file, which section, which values beside its own.

use super::row::{Kind, Row, Section};
use super::{Invocation, Settings, text_of};
use contract::settings::PasteSettings;

/// Settings about such files.
pub(super) static PASTE: &[Row] = &[
    Row::new(
        "paste",
        &["--paste", "--paster"],
        Kind::Text(|s, text| s.paste = parse(text)),
        "FILE.ini[#SECTION] of PasteDeploy (Pyramid) that describes the application, instead of app",
    )
    .within(Section::Application),
    Row::new(
        "paste_global",
        &["--paste-global"],
        Kind::Pairs(add_default),
        "values for the [DEFAULT] section of that file; repeatable",
    )
    .alias("raw_paste_global_conf")
    .within(Section::Application),
];

fn parse(text: &str) -> Option<PasteSettings> {
    let (file, section) = match text.split_once('#') {
        Some((file, section)) => (file, Some(section.to_owned())),
        None => (text, None),
    };
    (!file.is_empty()).then(|| PasteSettings { file: file.to_owned(), section, defaults: Vec::new() })
}

/// `NAME=VALUE`; an equals sign with a backslash before it is part of the name or the value.
fn add_default(settings: &mut Settings, text: &str) -> Result<(), String> {
    let hidden = text.replace("\\=", "\0");
    match hidden.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            settings.paste_global.push((name.replace('\0', "="), value.replace('\0', "=")));
            Ok(())
        }
        _ => Err(format!("expected NAME=VALUE, found {text:?}")),
    }
}

/// Finds the file, from `chdir` or, as Gunicorn does, from where rcorn was started; it is the application then. An error
/// is a clause.
pub(super) fn settle(settings: &mut Settings, invocation: &Invocation) -> Result<(), String> {
    let Some(paste) = &mut settings.paste else { return Ok(()) };
    let places = [&settings.chdir, &invocation.directory].map(|directory| directory.join(&paste.file));
    let found = places.iter().find(|place| place.is_file());
    paste.file = text_of(found.ok_or(format!("there is no file {}", places[0].display()))?);
    paste.defaults = std::mem::take(&mut settings.paste_global);
    settings.logs.python.describe_by(&paste.file);
    let section = paste.section.iter().map(|section| format!("#{section}"));
    let name = std::iter::once(paste.file.clone()).chain(section).collect();
    let other = std::mem::replace(&mut settings.app, name);
    if !other.is_empty() {
        settings.warnings.push(format!("the application is that of paste: {other:?} is not used"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equals_sign_may_be_part_of_a_value() {
        let mut settings = Settings::default();
        for pair in ["a=b", "url=x\\=y", "k\\=v=w"] {
            add_default(&mut settings, pair).unwrap();
        }
        let expected = [("a", "b"), ("url", "x=y"), ("k=v", "w")];
        assert!(
            settings.paste_global.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected)
        );
        assert!(add_default(&mut settings, "x").is_err() && add_default(&mut settings, "=x").is_err());
    }

    #[test]
    fn a_section_may_be_named() {
        let parsed = parse("a/b.ini#shop").unwrap();
        assert_eq!((parsed.file.as_str(), parsed.section.as_deref()), ("a/b.ini", Some("shop")));
        assert_eq!(parse("b.ini").unwrap().section, None);
    }
}
