//! Directories that systemd gives to a service, by their variables: `error_log = "$LOGS_DIRECTORY/error.log"`. No other
//! variable means anything in a setting.

/// The variable, and the line of a unit that makes it.
const KNOWN: [(&str, &str); 6] = [
    ("RUNTIME_DIRECTORY", "RuntimeDirectory="),
    ("STATE_DIRECTORY", "StateDirectory="),
    ("CACHE_DIRECTORY", "CacheDirectory="),
    ("LOGS_DIRECTORY", "LogsDirectory="),
    ("CONFIGURATION_DIRECTORY", "ConfigurationDirectory="),
    ("CREDENTIALS_DIRECTORY", "LoadCredential="),
];

/// `text` with the directories in place of their variables (`$NAME` or `${NAME}`).
pub(super) fn expand<'v>(text: &str, variable: impl Fn(&str) -> Option<&'v str>) -> Result<String, String> {
    let mut expanded = text.to_owned();
    for (name, line) in KNOWN {
        for form in [format!("${{{name}}}"), format!("${name}")] {
            if !expanded.contains(&form) {
                continue;
            }
            let value = variable(name).filter(|value| !value.is_empty());
            let value = value.ok_or(format!("there is no ${name} here: a unit with {line} gives one"))?;
            // Of several the first one counts.
            expanded = expanded.replace(&form, value.split(':').next().unwrap_or(value));
        }
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        expand(text, |name| match name {
            "STATE_DIRECTORY" => Some("/var/lib/shop:/var/lib/more"),
            "LOGS_DIRECTORY" => Some(""),
            _ => None,
        })
    }

    #[test]
    fn directories_take_the_place_of_their_variables() {
        assert_eq!(expanded("$STATE_DIRECTORY/a.db").unwrap(), "/var/lib/shop/a.db");
        assert_eq!(expanded("DB=${STATE_DIRECTORY}_x,$HOME,$$").unwrap(), "DB=/var/lib/shop_x,$HOME,$$");
        let missing = expanded("$LOGS_DIRECTORY/error.log").unwrap_err();
        assert_eq!(missing, "there is no $LOGS_DIRECTORY here: a unit with LogsDirectory= gives one");
    }
}
