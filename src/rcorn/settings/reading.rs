//! What all sources say together: for each setting the strongest one that speaks of it.

use super::apply::apply;
use super::origin::Origin;
use super::python_file::Told;
use super::refusal::Refusal;
use super::row::{Kind, Row, Wish};
use super::table;
use super::value::{Given, Value};
use super::{Bind, Invocation, LogTarget, Settings, arguments, directories, env_file, migrate, paste};
use contract::descriptors::MOST_LISTENERS;
use contract::settings::{PythonSettings, PythonSource};
use std::path::{Path, PathBuf};

/// Everything that was said, and what was asked for.
pub(crate) struct Reading<'a> {
    invocation: &'a Invocation,
    wish: Wish,
    layers: Vec<Vec<Given>>,
    python: Option<PythonSource>,
    warnings: Vec<String>,
    files: Vec<PathBuf>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(invocation: &'a Invocation, wish: Wish, layers: Vec<Vec<Given>>) -> Self {
        Self { invocation, wish, layers, python: None, warnings: Vec::new(), files: Vec::new() }
    }

    /// With what a file says, which counts least.
    pub(super) fn with_file(mut self, given: Vec<Given>) -> Self {
        self.layers.insert(0, given);
        self
    }

    /// With what a file in Python says.
    pub(super) fn with_python(mut self, source: PythonSource, told: Told) -> Self {
        self.python = Some(source);
        self.warnings = told.warnings;
        self.with_file(told.given)
    }

    /// This file was read.
    pub(super) fn read_from(mut self, path: Option<PathBuf>) -> Self {
        self.files.extend(path);
        self
    }

    /// Are settings in Python among them?
    pub(super) fn is_python(&self) -> bool {
        self.python.is_some()
    }

    /// What the strongest layer says in a row of one text.
    pub(super) fn text_of(&self, row: &'static Row) -> Option<String> {
        self.chosen(row).last().map(|given| given.value.plain())
    }

    /// The answer to --migrate: the file that stands in the place of the application, in TOML.
    pub(crate) fn migrate(&self) -> Result<String, Refusal> {
        let expected =
            || Refusal::usage("--migrate: a file is missing, such as gunicorn.conf.py or uwsgi.ini");
        let name = self.text_of(table::app()).ok_or_else(expected)?;
        migrate(self.invocation, &self.settings_without_app()?, &name)
    }

    /// What was asked for.
    pub(crate) fn wish(&self) -> Wish {
        self.wish
    }

    /// What looks like a slip, as sentences.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The settings, each checked.
    pub(crate) fn settings(&self) -> Result<Settings, Refusal> {
        let mut settings = self.settings_without_app()?;
        settings.warnings.clone_from(&self.warnings);
        settings.files.clone_from(&self.files);
        paste::settle(&mut settings, self.invocation).map_err(|clause| self.refuse("paste", &clause))?;
        settings.python_settings =
            self.python.clone().map(|source| PythonSettings { source, hooks: self.hooks() });
        settings.unused = self.unused();
        settings.shown = table::all().filter(|row| row.has_value()).map(|row| self.line(row)).collect();
        if settings.app.is_empty() {
            let how = "name it as MODULE:CALLABLE, or as app in the settings file; see rcorn --help";
            return Err(Refusal::usage(format!("there is no application to serve: {how}")));
        }
        Ok(settings)
    }

    /// The hooks that are set.
    fn hooks(&self) -> Vec<String> {
        let hooks = table::all().filter(|row| matches!(row.kind, Kind::Hook) && !self.chosen(row).is_empty());
        hooks.map(|row| row.key.to_owned()).collect()
    }

    /// What is set and has no effect, and why.
    fn unused(&self) -> Vec<String> {
        let note = |row: &'static Row| match (row.kind, self.chosen(row).pop()) {
            (Kind::Unused(_, why), Some(given)) => Some(format!("{}: it has no effect: {why}", given.origin)),
            _ => None,
        };
        table::all().filter_map(note).collect()
    }

    pub(super) fn settings_without_app(&self) -> Result<Settings, Refusal> {
        // Whatever is said must be right, even where something stronger is said as well.
        let mut trial = Settings::blank(self.invocation.directory.clone());
        for given in self.layers.iter().flatten() {
            self.apply(given, &mut trial, &self.invocation.directory)?;
        }
        let mut settings = Settings::blank(self.invocation.directory.clone());
        let chdir = table::all().filter(|row| row.key == "chdir");
        self.put(chdir, &mut settings, &self.invocation.directory)?;
        self.check_directory(&settings)?;
        let base = settings.chdir.clone();
        self.put(table::all().filter(|row| row.key != "chdir"), &mut settings, &base)?;
        self.check_bind(&settings)?;
        settings.find_syslog().map_err(|clause| self.refuse("syslog_addr", &clause))?;
        settings.check_logs().map_err(|(key, clause)| self.refuse(key, &clause))?;
        if let Some(path) = &settings.env_file {
            let mut env = env_file::read(path).map_err(|clause| self.refuse("env_file", &clause))?;
            env.append(&mut settings.env);
            settings.env = env;
        }
        for log in [Some(&mut settings.error_log), settings.access_log.as_mut()].into_iter().flatten() {
            if let LogTarget::File(path) = log {
                *path = base.join(&*path);
            }
        }
        Ok(settings)
    }

    fn put(
        &self,
        rows: impl Iterator<Item = &'static Row>,
        settings: &mut Settings,
        base: &Path,
    ) -> Result<(), Refusal> {
        for row in rows {
            for given in self.chosen(row) {
                self.apply(&given, settings, base)?;
            }
        }
        Ok(())
    }

    fn apply(&self, given: &Given, settings: &mut Settings, base: &Path) -> Result<(), Refusal> {
        let Value::Text(text) = &given.value else { return apply(given, settings, base) };
        let expanded = directories::expand(text, |name| self.invocation.variable(name));
        let text = expanded.map_err(|clause| Refusal::of_value(&given.origin, &clause))?;
        apply(&Given { value: Value::Text(text), ..given.clone() }, settings, base)
    }

    fn check_directory(&self, settings: &Settings) -> Result<(), Refusal> {
        if settings.chdir.is_dir() {
            return Ok(());
        }
        let clause = format!("there is no directory {}", settings.chdir.display());
        Err(self.refuse("chdir", &clause))
    }

    /// One address twice would be an error of the kernel's that names nobody's mistake.
    fn check_bind(&self, settings: &Settings) -> Result<(), Refusal> {
        let bind = &settings.bind;
        let is_same = |metrics: &&Bind| bind.contains(metrics) && !metrics.is_any_port();
        if let Some(metrics) = settings.metrics.bind.as_ref().filter(is_same) {
            let clause =
                format!("{metrics} is where the application is served, as bind says; choose another address");
            return Err(self.refuse("metrics_bind", &clause));
        }
        let twice = bind.iter().enumerate().find(|(index, address)| bind[..*index].contains(address));
        match twice {
            Some((_, address)) => Err(self.refuse("bind", &format!("{address} is there twice"))),
            None if bind.len() > MOST_LISTENERS => {
                let clause = format!("{} addresses are too many: at most {MOST_LISTENERS}", bind.len());
                Err(self.refuse("bind", &clause))
            }
            None => Ok(()),
        }
    }

    /// What is wrong with a setting as a whole, with the place where it was written last.
    fn refuse(&self, key: &str, clause: &str) -> Refusal {
        let rows = table::all().filter(|row| row.key == key);
        match rows.flat_map(|row| self.chosen(row)).next_back() {
            Some(given) => Refusal::setup(format!("{}: {clause}", given.origin)),
            None => Refusal::setup(format!("{key}: {clause}")),
        }
    }

    /// What counts for one setting: all that the strongest source says of it, or its default.
    fn chosen(&self, row: &'static Row) -> Vec<Given> {
        let of_row = |layer: &Vec<Given>| -> Vec<Given> {
            layer.iter().filter(|given| std::ptr::eq(given.row, row)).cloned().collect()
        };
        let strongest = self.layers.iter().rev().map(of_row).find(|given| !given.is_empty());
        strongest.unwrap_or_else(|| self.default(row).into_iter().collect())
    }

    fn default(&self, row: &'static Row) -> Option<Given> {
        let (text, origin) =
            match row.variable.map(|(name, form)| (name, form, self.invocation.variable(name))) {
                Some((name, form, Some(value))) => (moved(form, value), Origin::Variable(name)),
                _ => (row.default.to_owned(), Origin::Default),
            };
        (!text.is_empty()).then_some(Given { row, value: Value::Text(text), origin })
    }

    /// The answer to --print-config: a line for each setting, with its value and where that comes from.
    pub(crate) fn print(&self) -> Result<String, Refusal> {
        self.settings_without_app()?;
        let rows: Vec<_> = table::all().filter(|row| row.has_value()).map(|row| self.line(row)).collect();
        let width = |column: fn(&(String, String, String)) -> &String| {
            rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
        };
        let (names, values) = (width(|row| &row.0), width(|row| &row.1).min(40));
        let lines =
            rows.iter().map(|(name, value, origin)| format!("{name:names$}  {value:values$}  {origin}\n"));
        Ok(lines.collect())
    }

    fn line(&self, row: &'static Row) -> (String, String, String) {
        let name = if row.key.is_empty() { "config" } else { row.key };
        let given = self.chosen(row);
        let values: Vec<String> = given.iter().map(|given| spelled_out(row, given.value.plain())).collect();
        let shown = if values.is_empty() { "-".to_owned() } else { values.join(", ") };
        let origin = given.first().map_or("default".to_owned(), |given| given.origin.short());
        (name.to_owned(), shown, origin)
    }
}

/// With what `auto` comes to.
fn spelled_out(row: &Row, value: String) -> String {
    match row.kind {
        Kind::NumberOrAuto(automatic, ..) if value == "auto" => format!("auto ({})", automatic()),
        _ => value,
    }
}

/// The default that a variable makes. One that holds directories holds them as systemd does: the first one counts.
fn moved(form: &str, value: &str) -> String {
    let value = if form.starts_with("{}/") { value.split(':').next().unwrap_or(value) } else { value };
    form.replace("{}", value)
}

/// The answer to --help.
pub(crate) fn help() -> String {
    arguments::help()
}
