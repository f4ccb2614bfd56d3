//! A value as it was written becomes a value of `Settings`, or a clause that says what was expected.

use super::Settings;
use super::origin::Origin;
use super::python_file::OBJECT;
use super::refusal::Refusal;
use super::row::{Kind, Takes};
use super::value::{Given, Value};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Puts one value into the settings.
pub(super) fn apply(given: &Given, settings: &mut Settings, base: &Path) -> Result<(), Refusal> {
    put(given, settings, base).map_err(|clause| Refusal::of_value(&given.origin, &clause))
}

/// The same, with the clause only.
pub(super) fn put(given: &Given, settings: &mut Settings, base: &Path) -> Result<(), String> {
    let value = &given.value;
    match given.row.kind {
        Kind::List(..) | Kind::Pairs(_) if *value == Value::Nothing => {}
        Kind::Number(least, most, set) => set(settings, number(value, least, most, "")?),
        Kind::NumberOrAuto(automatic, least, most, set) => {
            let found =
                if is_auto(value) { automatic().min(most) } else { number(value, least, most, " or auto")? };
            set(settings, found);
        }
        Kind::Size(set) => set(settings, size(value)?),
        Kind::Duration(set) => set(settings, duration(value)?),
        Kind::Choice(words, set) => set(settings, word(value, words)?),
        Kind::Switch(further, set) => set(settings, switch(value, further)?),
        Kind::Mask(set) => set(settings, octal(value, "mask such as 022")?),
        Kind::Mode(set) => set(settings, octal(value, "such as 0600")?),
        Kind::Text(set) => set(settings, &text(value)?),
        Kind::Table(set) => set(settings, &object(value)?),
        Kind::Checked(set) => set(settings, &text(value)?)?,
        Kind::Known(words, set) => set(settings, &text(value)?).map_err(|why| {
            if why.is_empty() { format!("expected {}, found {value}", either(words)) } else { why }
        })?,
        Kind::Address(example, set) => set(settings, &address(value, example)?)?,
        Kind::Path(set) => set(settings, path(value, base)?),
        Kind::List(commas, set) => {
            let text = text(value)?;
            for item in split(&text, commas) {
                set(settings, item)?;
            }
        }
        Kind::Pairs(set) => {
            let text = text(value)?;
            for pair in split(&text, given.origin == Origin::Default) {
                set(settings, pair)?;
            }
        }
        Kind::Hook => hook(value)?,
        Kind::Unused(takes, _) => unused(value, takes)?,
        Kind::Refused(harmless, instead) => refused(value, harmless, instead)?,
        Kind::Wish(_) => {}
    }
    Ok(())
}

fn hook(value: &Value) -> Result<(), String> {
    match value {
        Value::Function(_) => Ok(()),
        _ => Err(format!(
            "expected a function, which only a settings file in Python can have (--config FILE.py), found {value}"
        )),
    }
}

/// Whatever it is, it fits what Gunicorn takes.
fn unused(value: &Value, takes: Takes) -> Result<(), String> {
    match takes {
        Takes::Switch => switch(value, &[]).map(drop),
        Takes::Number => number(value, 0, i64::MAX as u64, "").map(drop),
        Takes::Words(words) => word(value, words).map(drop),
        Takes::Function => hook(value),
        Takes::List if *value == Value::Nothing => Ok(()),
        Takes::Text | Takes::List => text(value).map(drop),
    }
}

fn refused(value: &Value, harmless: &[&str], instead: &str) -> Result<(), String> {
    match value {
        Value::Nothing | Value::Boolean(false) => Ok(()),
        value if harmless.contains(&value.plain().to_ascii_lowercase().as_str()) => Ok(()),
        _ => Err(format!("not supported: {instead}")),
    }
}

fn split(text: &str, commas: bool) -> Vec<&str> {
    if commas { text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect() } else { vec![text] }
}

fn number(value: &Value, least: u64, most: u64, or_else: &str) -> Result<u64, String> {
    let number = match value {
        Value::Integer(number, _) => u64::try_from(*number).ok(),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let range =
        if most == i64::MAX as u64 { format!("{least} or more") } else { format!("from {least} to {most}") };
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or(format!("expected a number {range}{or_else}, found {value}"))
}

fn is_auto(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.trim() == "auto")
}

/// `1000000`, `512K`, `300M`, `2G`, with or without `iB` or `B`.
fn size(value: &Value) -> Result<u64, String> {
    let text = value.plain();
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let shift =
        match text[digits.len()..].trim().to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
            "" => Some(0),
            "K" => Some(10),
            "M" => Some(20),
            "G" => Some(30),
            _ => None,
        };
    let number =
        digits.parse::<u64>().ok().zip(shift).and_then(|(number, shift)| number.checked_mul(1 << shift));
    number.ok_or(format!("expected a size such as 300M or 2G, found {value}"))
}

fn duration(value: &Value) -> Result<Duration, String> {
    let seconds = match value {
        #[allow(clippy::cast_precision_loss, reason = "no duration is longer than the 52 bits of a float")]
        Value::Integer(number, _) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => seconds(text.trim()),
        _ => None,
    };
    let longest = Duration::from_secs(366 * 24 * 3600);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| *duration <= longest)
        .ok_or(format!("expected a time such as 30, \"500ms\" or \"2m\", found {value}"))
}

/// `30`, `1.5`, `30s`, `500ms`, `2m`, `1h`.
fn seconds(text: &str) -> Option<f64> {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().ok()?;
    match unit {
        "" | "s" => Some(number),
        "ms" => Some(number / 1000.0),
        "m" | "min" => Some(number * 60.0),
        "h" => Some(number * 3600.0),
        _ => None,
    }
}

fn word<'v>(value: &'v Value, words: &[&'v str]) -> Result<&'v str, String> {
    let found = match value {
        Value::Text(text) => text.to_ascii_lowercase(),
        Value::Boolean(boolean) => boolean.to_string(),
        _ => String::new(),
    };
    words
        .iter()
        .find(|word| **word == found)
        .copied()
        .ok_or(format!("expected {}, found {value}", either(words)))
}

fn switch<'v>(value: &'v Value, further: &[&'static str]) -> Result<&'v str, String> {
    match value {
        Value::Boolean(true) => Ok("on"),
        Value::Boolean(false) => Ok("off"),
        Value::Text(text) if matches!(text.as_str(), "true" | "yes" | "y" | "1") => Ok("on"),
        Value::Text(text) if matches!(text.as_str(), "false" | "no" | "n" | "0") => Ok("off"),
        _ => {
            let words: Vec<&str> = ["on", "off"].iter().chain(further).copied().collect();
            word(value, &words).map(|found| *words.iter().find(|word| **word == found).unwrap_or(&"off"))
        }
    }
}

/// `a, b or c`.
fn either(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Octal, as `umask` takes it; in the file `0o022` and `"022"` are the same, and so is `22`.
fn octal(value: &Value, what: &str) -> Result<u32, String> {
    let digits = match value {
        Value::Integer(_, written) => written.trim_start_matches("0o").to_owned(),
        Value::Text(text) => text.trim().trim_start_matches("0o").to_owned(),
        _ => String::new(),
    };
    let mode = u32::from_str_radix(&digits, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or(format!("expected an octal file mode {what}, found {value}"))
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(_) | Value::Integer(..) => Ok(value.plain()),
        _ => Err(format!("expected text, found {value}")),
    }
}

fn address(value: &Value, example: &str) -> Result<String, String> {
    match value {
        Value::Text(text) if !text.is_empty() => Ok(text.clone()),
        _ => Err(format!("expected an address such as \"{example}\", found {value}")),
    }
}

fn object(value: &Value) -> Result<String, String> {
    let text = text(value).map_err(|_| format!("expected a table, found {value}"))?;
    match serde_json::from_str(&text) {
        Ok(serde_json::Value::Object(_)) => Ok(text),
        _ if text == OBJECT => Ok(text),
        _ => Err(format!("expected a table, or an object in JSON, found {value}")),
    }
}

fn path(value: &Value, base: &Path) -> Result<PathBuf, String> {
    match value {
        Value::Text(text) if !text.is_empty() => Ok(tidy(&base.join(text))),
        _ => Err(format!("expected a path, found {value}")),
    }
}

/// Without the `.` parts.
pub(super) fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn times() {
        let all = [
            ("45", 45.0),
            ("45s", 45.0),
            ("500ms", 0.5),
            ("2m", 120.0),
            ("1.5", 1.5),
            ("1h", 3600.0),
            ("0", 0.0),
        ];
        for (text, seconds) in all {
            assert_eq!(duration(&written(text)), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["soon", "-1", "", "1d", "s", "999999999999", "1.2.3"] {
            assert!(duration(&written(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", 0), ("512K", 1 << 19), ("300M", 300 << 20), ("2GiB", 2 << 30), ("5 mb", 5 << 20)]
        {
            assert_eq!(size(&written(text)), Ok(bytes), "{text}");
        }
        assert_eq!(size(&Value::Integer(77, "77".into())), Ok(77));
        for text in ["", "M", "1.5G", "-1", "2T", "99999999999999G"] {
            assert!(size(&written(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_and_masks() {
        assert_eq!(number(&written("7"), 1, 10, ""), Ok(7));
        let found = number(&written("many"), 1, 10, " or auto");
        assert_eq!(found.unwrap_err(), "expected a number from 1 to 10 or auto, found \"many\"");
        assert!(number(&Value::Integer(11, "11".into()), 1, 10, "").is_err());
        assert_eq!(octal(&written("0o027"), ""), Ok(0o27));
        assert_eq!(octal(&Value::Integer(0o22, "22".into()), ""), Ok(0o22));
        let refused = octal(&written("999"), "such as 0600");
        assert_eq!(refused.unwrap_err(), "expected an octal file mode such as 0600, found \"999\"");
    }

    #[test]
    fn a_word_may_be_a_boolean_where_the_words_are_those_of_one() {
        let words = ["on", "off", "true", "false"];
        assert_eq!(word(&Value::Boolean(true), &words), Ok("true"));
        assert_eq!(word(&Value::Boolean(false), &words), Ok("false"));
        assert_eq!(
            word(&Value::Boolean(true), &["auto", "on"]).unwrap_err(),
            "expected auto or on, found true"
        );
    }

    #[test]
    fn switches() {
        assert_eq!(switch(&Value::Boolean(true), &["auto"]), Ok("on"));
        assert_eq!(switch(&written("auto"), &["auto"]), Ok("auto"));
        assert_eq!(
            switch(&written("maybe"), &["auto"]).unwrap_err(),
            "expected on, off or auto, found \"maybe\""
        );
    }
}
