//! What the settings about Python's logging come to, and what goes together.

use super::{LogTarget, Settings, text_of};
use contract::access::{self, Format};
use contract::logline::Level;
use contract::settings::LoggingSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What was said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PythonLogging {
    pub(super) class: Option<String>,
    pub(super) dict: Option<String>,
    pub(super) json: Option<PathBuf>,
    pub(super) ini: Option<PathBuf>,
}

impl PythonLogging {
    /// As Gunicorn does with the file of an application that describes logging too, unless somebody says something else.
    pub(super) fn describe_by(&mut self, ini: &str) {
        let is_said = self.dict.is_some() || self.json.is_some() || self.ini.is_some();
        let text = std::fs::read_to_string(ini).unwrap_or_default();
        if !is_said && text.lines().any(|line| line.trim_end() == "[loggers]") {
            self.ini = Some(ini.into());
        }
    }
}

/// Gunicorn's own classes: what they do, rcorn does.
const OURS: [&str; 4] = [
    "gunicorn.glogging.Logger",
    "simple",
    "gunicorn.instrument.statsd.Statsd",
    "gunicorn.instrument.statsd:Statsd",
];

/// Somebody's own class.
pub(super) fn class(name: &str, settings: &mut Settings) -> Result<(), String> {
    let name = name.trim();
    if OURS.contains(&name) || name.is_empty() {
        settings.logs.python.class = None;
        return Ok(());
    }
    if name.starts_with("egg:") {
        return Err(format!("entry points are not looked up: name the class of {name:?} as MODULE.CLASS"));
    }
    let parts: Vec<&str> = name.split(['.', ':']).collect();
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if parts.len() < 2 || !parts.iter().all(is_word) {
        return Err(format!("expected the dotted name of a class, found {name:?}"));
    }
    settings.logs.python.class = Some(name.to_owned());
    Ok(())
}

impl Settings {
    /// What is wrong with settings of logs that have to go together: which one, and a clause.
    pub(super) fn check_logs(&self) -> Result<(), (&'static str, String)> {
        let files = [("logconfig", &self.logs.python.ini), ("logconfig_json", &self.logs.python.json)];
        for (key, path) in files {
            if let Some(path) = path.as_ref().filter(|path| !path.exists()) {
                return Err((key, format!("there is no file {}", path.display())));
            }
        }
        let format = self.access_format();
        match &self.logs.python.class {
            // It may know atoms of its own.
            Some(class) if format == "json" => {
                Err(("access_log_format", format!("{class} takes text with atoms, not json")))
            }
            Some(_) => Ok(()),
            None => Format::parse(format).map(drop).map_err(|why| ("access_log_format", why)),
        }
    }

    /// What zygote and workers are told of it; what a logger is told of all settings is not in it.
    pub(crate) fn python_logging(&self) -> LoggingSettings {
        let text = |path: &Option<PathBuf>| path.as_deref().map(text_of);
        LoggingSettings {
            logger_class: self.logs.python.class.clone(),
            logconfig_dict: self.logs.python.dict.clone(),
            logconfig_json: text(&self.logs.python.json),
            logconfig: text(&self.logs.python.ini),
            ..LoggingSettings::default()
        }
    }

    /// The settings of logs by Gunicorn's names, as hooks and loggers know them.
    pub(crate) fn cfg_of_logs(&self) -> Value {
        let python = self.python_logging();
        let syslog = &self.logs.syslog;
        json!({
            "loglevel": level(self.log_level),
            "accesslog": target(self.access_log.as_ref()),
            "errorlog": target(Some(&self.error_log)),
            "access_log_format": access::as_template(self.access_format()),
            "capture_output": self.logs.capture_output,
            "logger_class": python.logger_class.as_deref().unwrap_or(OURS[0]),
            "logconfig": python.logconfig,
            "logconfig_json": python.logconfig_json,
            "syslog": syslog.wanted,
            "syslog_addr": syslog.said.0,
            "syslog_facility": syslog.said.1,
            "syslog_prefix": (!syslog.prefix.is_empty()).then_some(&syslog.prefix),
            "disable_redirect_access_to_syslog": !syslog.access,
        })
    }
}

fn target(target: Option<&LogTarget>) -> Value {
    match target {
        None => Value::Null,
        Some(LogTarget::Stream) => json!("-"),
        Some(LogTarget::File(path)) => json!(text_of(path)),
    }
}

fn level(level: Level) -> String {
    level.to_string().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(name: &str) -> Result<Option<String>, String> {
        let mut settings = Settings::default();
        class(name, &mut settings).map(|()| settings.logs.python.class)
    }

    #[test]
    fn gunicorns_own_classes_are_ours() {
        for name in OURS {
            assert_eq!(chosen(name), Ok(None), "{name}");
        }
        assert_eq!(chosen("shop.logs.Quiet"), Ok(Some("shop.logs.Quiet".to_owned())));
        for name in ["Quiet", "shop..Quiet", "a b.C"] {
            assert!(chosen(name).unwrap_err().starts_with("expected the dotted name"), "{name}");
        }
        assert!(chosen("egg:shop#quiet").unwrap_err().contains("MODULE.CLASS"));
    }

    #[test]
    fn a_class_may_have_atoms_of_its_own() {
        let mut settings = Settings::default();
        settings.logs.access_format = "%(request_id)s".into();
        assert_eq!(settings.check_logs().unwrap_err().0, "access_log_format");
        settings.logs.python.class = Some("shop.Logger".into());
        assert_eq!(settings.check_logs(), Ok(()));
        settings.logs.access_format = "json".into();
        assert!(settings.check_logs().unwrap_err().1.starts_with("shop.Logger takes text"));
    }
}
