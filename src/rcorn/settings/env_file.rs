//! A file of `NAME=VALUE` lines, as systemd's EnvironmentFile= has it: empty lines and those that begin with `#` or `;`
//! mean nothing, a value may stand in quotes.

use super::file::words_of;
use std::path::Path;

/// The variables in their order; an error is a clause that names the line.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {}", words_of(&error)))?;
    let mut variables = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let variable = variable(line);
        let expected = || format!("{shown}:{}: expected NAME=VALUE, found {line:?}", index + 1);
        variables.push(variable.ok_or_else(expected)?);
    }
    Ok(variables)
}

fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
    };
    (is_name(name) && !value.contains('\0')).then(|| (name.to_owned(), unquote(value.trim()).to_owned()))
}

fn unquote(value: &str) -> &str {
    let inner = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_variables() {
        for (line, expected) in [
            ("A=b", Some(("A", "b"))),
            ("_A1 = b c ", Some(("_A1", "b c"))),
            ("A=", Some(("A", ""))),
            ("A=\"b # c\"", Some(("A", "b # c"))),
            ("A='b=c'", Some(("A", "b=c"))),
            ("A=\"b", Some(("A", "\"b"))),
            ("A", None),
            ("=b", None),
            ("1A=b", None),
            ("A B=c", None),
        ] {
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(variable(line), expected, "{line}");
        }
    }

    #[test]
    fn an_error_names_the_line() {
        let path = std::env::temp_dir().join(format!("rcorn-env-{}", sys::process::own_pid()));
        std::fs::write(&path, "# one\n; two\n\nA=b\nnonsense\n").unwrap();
        let why = read(&path).unwrap_err();
        assert!(why.ends_with(":5: expected NAME=VALUE, found \"nonsense\""), "{why}");
        std::fs::write(&path, "A=b\nB=c\n").unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
        std::fs::remove_file(&path).unwrap();
        assert!(read(&path).unwrap_err().contains("No such file"));
    }
}
