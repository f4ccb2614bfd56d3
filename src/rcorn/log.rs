//! The arbiter's log, and the files that zygotes and workers get for theirs. Reopening keeps the old file when the
//! new one cannot be opened: a log line is never lost to a mistake in a directory's permissions.

mod sink;

pub(crate) use sink::Whereabouts;

use crate::arbiter::{Crossing, Ends, LogsState, Outputs, Reader};
use crate::settings::{LogTarget, Settings};
use contract::id::{Generation, Slot};
use contract::journal::Entry;
use contract::logline::{Level, LogFormat, format};
use contract::record::{self, Log, Writer};
use contract::settings::Journaled;
use contract::syslog::{Part, Syslog};
use sink::{Sink, open};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use sys::fd::write_all;
use sys::journal::Journal;
use sys::user::Credentials;

/// How long the journal has to take our last words.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lines that matter: warnings, errors, critical ones. Counted whether they are written or not.
static LINES: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

fn place_of(level: Level) -> Option<(usize, &'static str)> {
    match level {
        Level::Warning => Some((0, "warning")),
        Level::Error => Some((1, "error")),
        Level::Critical => Some((2, "critical")),
        Level::Debug | Level::Info => None,
    }
}

/// How many of each there were since this was asked last.
pub(crate) fn take_counts() -> impl Iterator<Item = (&'static str, u64)> {
    let levels = [Level::Warning, Level::Error, Level::Critical].into_iter().filter_map(place_of);
    levels.map(|(place, name)| (name, LINES[place].swap(0, Relaxed)))
}

/// The logs of one generation.
#[derive(Debug)]
pub(crate) struct Logs {
    level: Level,
    format: LogFormat,
    error: Sink,
    access: Sink,
    owner: Option<Credentials>,
    /// Where lines go as entries with fields.
    journal: Option<Arc<Journal>>,
    /// What every entry says of us.
    label: String,
    /// Where lines go as well.
    syslog: Option<Arc<Syslog>>,
    /// Does what is printed go to the error log?
    captures: bool,
}

impl Logs {
    /// Opens what the settings name. Files are made if need be and given to `owner`.
    pub(crate) fn open(settings: &Settings, owner: Option<&Credentials>) -> Result<Self, String> {
        let open = |target: Option<&LogTarget>, stream: BorrowedFd<'_>, setting: &str| {
            let fd = open(target, stream, owner).map_err(|error| match target {
                Some(LogTarget::File(path)) => format!("{setting} {}: {error}", path.display()),
                _ => format!("{setting}: {error}"),
            })?;
            Ok::<_, String>(Sink { target: target.cloned(), fd: Arc::new(fd) })
        };
        let error = open(Some(&settings.error_log), io::stderr().as_fd(), "error log")?;
        Ok(Self {
            level: settings.log_level,
            format: settings.log_format,
            journal: connect(&error, settings.log_format),
            error,
            access: open(settings.access_log.as_ref(), io::stdout().as_fd(), "access log")?,
            owner: owner.cloned(),
            label: settings.name.clone().unwrap_or_else(|| settings.app.clone()),
            syslog: settings.syslog().map(Syslog::new).map(Arc::new),
            captures: settings.captures(),
        })
    }

    /// Says so where the syslog cannot be reached: what is sent meanwhile is lost.
    pub(crate) fn try_syslog(&self) {
        if let Some(Err(error)) = self.syslog.as_ref().map(|syslog| syslog.reach()) {
            let text = format!(
                "syslog_addr: syslog cannot be reached ({error}): lines for it are lost until it can"
            );
            self.line(Level::Warning, &text);
        }
    }

    /// Pipes for what a worker prints, and its ends of them; none where that goes to the log by itself.
    pub(crate) fn pipes(
        &self,
        generation: Generation,
        slot: Slot,
    ) -> io::Result<(Option<Outputs>, Option<Ends>)> {
        if self.journal.is_none() && self.format == LogFormat::Plain {
            return Ok((None, None));
        }
        let (mut outputs, ends) = Outputs::new()?;
        self.pass_on(generation, slot, &mut outputs)?;
        Ok((Some(outputs), Some(ends)))
    }

    /// Begins to pass on what the worker at `slot` prints.
    pub(crate) fn pass_on(
        &self,
        generation: Generation,
        slot: Slot,
        outputs: &mut Outputs,
    ) -> io::Result<()> {
        let worker = slot.0 + 1;
        let Some(journal) = &self.journal else {
            let writer = Writer { generation: Some(generation.0), worker: Some(worker), ..self.writer(None) };
            let out = match self.captures {
                true => Arc::clone(&self.error.fd),
                false => Arc::new(io::stdout().as_fd().try_clone_to_owned()?),
            };
            let record = |log, fd| Reader::Record(log, writer.clone(), fd);
            return outputs
                .pass_on([record(Log::Stdout, out), record(Log::Stderr, Arc::clone(&self.error.fd))]);
        };
        let fields = Entry::default()
            .field("RCORN_APP", self.label.as_bytes())
            .number("RCORN_GENERATION", generation.0)
            .number("RCORN_WORKER", u64::from(worker));
        let entry = || Reader::Journal(fields.clone(), Arc::clone(journal));
        outputs.pass_on([entry(), entry()])
    }

    /// What records say of a process of ours.
    pub(crate) fn writer(&self, pid: Option<i32>) -> Writer {
        Writer { app: self.label.clone(), pid, ..Writer::default() }
    }

    /// Which of them are systemd's journal.
    pub(crate) fn journaled(&self) -> Journaled {
        let access = self.format == LogFormat::Plain && self.access.is_journal();
        Journaled { error: self.journal.is_some(), access }
    }

    /// The same logs, for somebody else to keep.
    pub(crate) fn share(&self) -> io::Result<Self> {
        Ok(Self {
            level: self.level,
            format: self.format,
            error: self.error.share()?,
            access: self.access.share()?,
            owner: self.owner.clone(),
            journal: self.journal.clone(),
            label: self.label.clone(),
            syslog: self.syslog.clone(),
            captures: self.captures,
        })
    }

    /// As they cross.
    pub(crate) fn pack(&self, crossing: &mut Crossing) -> LogsState {
        let mut pack = |sink: &Sink| (sink.target.clone(), crossing.keep(sink.fd.as_fd()));
        let (error, access) = (pack(&self.error), pack(&self.access));
        let owner = self.owner.as_ref().map(|owner| (owner.uid, owner.gid, owner.groups.clone()));
        let syslog = self.syslog.as_ref().map(|syslog| syslog.settings().clone());
        let (level, format, label) = (self.level, self.format, self.label.clone());
        LogsState { level, format, error, access, owner, label, syslog, captures: self.captures }
    }

    /// As they were before they crossed.
    pub(crate) fn unpack(state: LogsState) -> io::Result<Self> {
        let unpack =
            |(target, number)| Ok::<_, io::Error>(Sink { target, fd: Arc::new(sys::fd::adopt(number)?) });
        let owner = state.owner.map(|(uid, gid, groups)| Credentials { uid, gid, groups });
        let error = unpack(state.error)?;
        Ok(Self {
            level: state.level,
            format: state.format,
            journal: connect(&error, state.format),
            error,
            access: unpack(state.access)?,
            owner,
            label: state.label,
            syslog: state.syslog.map(Syslog::new).map(Arc::new),
            captures: state.captures,
        })
    }

    /// Are there files among them?
    pub(crate) fn has_files(&self) -> bool {
        [&self.error, &self.access].iter().any(|sink| matches!(sink.target, Some(LogTarget::File(_))))
    }

    /// Are the files still where they were? Of several, the one that asks for most.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        self.error.whereabouts().max(self.access.whereabouts())
    }

    /// Opens the files again by their names. What cannot be opened stays as it was; the sentences say why.
    pub(crate) fn reopen(&mut self) -> Vec<String> {
        let owner = self.owner.clone();
        let sinks = [&mut self.error, &mut self.access];
        sinks.into_iter().filter_map(|sink| sink.reopen(owner.as_ref()).err()).collect()
    }

    /// Writes a line, if it matters enough.
    pub(crate) fn line(&self, level: Level, text: &str) {
        if let Some((place, _)) = place_of(level) {
            LINES[place].fetch_add(1, Relaxed);
        }
        if level < self.level {
            return;
        }
        self.to_syslog(Part::Error, level, text.as_bytes());
        match &self.journal {
            Some(journal) => self.enter(journal, level, text),
            None if self.format == LogFormat::Json => self.record(level, text),
            None => self.write(format(sys::process::own_pid(), level, text).as_bytes()),
        }
    }

    /// Writes a traceback as Python prints it.
    pub(crate) fn traceback(&self, text: &str) {
        if !text.is_empty() {
            self.to_syslog(Part::Error, Level::Error, text.as_bytes());
        }
        match &self.journal {
            _ if text.is_empty() => {}
            Some(journal) => self.enter(journal, Level::Error, text),
            None if self.format == LogFormat::Json => self.record(Level::Error, text),
            None => self.write(text.as_bytes()),
        }
    }

    /// The last that is said before the process ends. A journal that has not read it by then could not tell any more
    /// whose words these were.
    pub(crate) fn last_words(&self, traceback: &str, text: &str) {
        self.traceback(traceback);
        self.line(Level::Critical, text);
        if !self.part() {
            self.write(format!("<2>{text}\n").as_bytes());
        }
    }

    /// The process is about to end: has everything arrived?
    pub(crate) fn part(&self) -> bool {
        self.flush();
        self.journal.as_ref().is_none_or(|journal| journal.has_taken_all(PATIENCE))
    }

    /// Sends what a syslog did not take at once.
    pub(crate) fn flush(&self) {
        if let Some(syslog) = &self.syslog {
            syslog.flush();
        }
    }

    fn to_syslog(&self, part: Part, level: Level, text: &[u8]) {
        if let Some(syslog) = &self.syslog {
            syslog.send(part, level, text);
        }
    }

    /// There is nobody to tell when that fails.
    fn enter(&self, journal: &Journal, level: Level, text: &str) {
        let entry = Entry::new(level).field("RCORN_APP", self.label.as_bytes());
        let _ = journal.send(entry.field("MESSAGE", text.trim_end().as_bytes()).bytes());
    }

    fn record(&self, level: Level, text: &str) {
        self.write(&record::message(&self.writer(Some(sys::process::own_pid())), Log::Server, level, text));
    }

    /// There is nobody to tell when that fails.
    fn write(&self, text: &[u8]) {
        let _ = write_all(self.error.fd.as_fd(), text);
    }

    /// Writes lines of the access log that were made already. There is nobody to tell when that fails.
    pub(crate) fn requests(&self, lines: &[u8]) {
        let _ = write_all(self.access.fd.as_fd(), lines);
    }

    /// Writes the line of a request, which in the journal has these fields beside it.
    pub(crate) fn request(&self, line: &[u8], fields: &Entry) {
        if self.syslog.as_ref().is_some_and(|syslog| syslog.settings().access) {
            self.to_syslog(Part::Access, Level::Info, line);
        }
        match self.journal.as_ref().filter(|_| self.journaled().access) {
            Some(journal) => {
                let entry = Entry::new(Level::Info).field("RCORN_APP", self.label.as_bytes()).all(fields);
                let _ = journal.send(entry.field("MESSAGE", line.trim_ascii_end()).bytes());
            }
            None => self.requests(line),
        }
    }

    /// True when log lines go to a file, where whoever started us does not see them.
    pub(crate) fn is_elsewhere(&self) -> bool {
        matches!(self.error.target, Some(LogTarget::File(_)))
    }

    /// Whom new files are given to.
    pub(crate) fn owner(&self) -> Option<&Credentials> {
        self.owner.as_ref()
    }

    /// Where log lines go.
    pub(crate) fn error(&self) -> BorrowedFd<'_> {
        self.error.fd.as_fd()
    }

    /// Where the access log goes; /dev/null when it is off.
    pub(crate) fn access(&self) -> BorrowedFd<'_> {
        self.access.fd.as_fd()
    }
}

/// The journal, where this is its stream and nobody wants another form; `None` as well when it cannot be reached.
fn connect(sink: &Sink, format: LogFormat) -> Option<Arc<Journal>> {
    let wanted = format == LogFormat::Plain && sink.is_journal();
    wanted.then(Journal::connect)?.ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(path: &std::path::Path) -> Logs {
        let target = Some(LogTarget::File(path.to_path_buf()));
        let fd = open(target.as_ref(), io::stderr().as_fd(), None).unwrap();
        let access = open(None, io::stderr().as_fd(), None).unwrap();
        Logs {
            level: Level::Info,
            format: LogFormat::Plain,
            error: Sink { target, fd: Arc::new(fd) },
            access: Sink { target: None, fd: Arc::new(access) },
            owner: None,
            journal: None,
            label: String::new(),
            syslog: None,
            captures: false,
        }
    }

    #[test]
    fn a_reopened_log_goes_to_the_new_file() {
        let directory = std::env::temp_dir().join(format!("rcorn-log-{}", sys::process::own_pid()));
        std::fs::create_dir_all(&directory).unwrap();
        let (path, rotated) = (directory.join("error.log"), directory.join("error.log.1"));
        let mut log = logs(&path);
        log.line(Level::Info, "before");
        log.line(Level::Debug, "not wanted");
        std::fs::rename(&path, &rotated).unwrap();
        assert_eq!((log.whereabouts(), log.has_files()), (Whereabouts::Missing, true));
        std::fs::write(&path, "").unwrap();
        assert_eq!(log.whereabouts(), Whereabouts::Elsewhere);
        assert!(log.reopen().is_empty() && log.whereabouts() == Whereabouts::There);
        log.line(Level::Info, "after");
        assert!(std::fs::read_to_string(&rotated).unwrap().ends_with("[INFO] before\n"));
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("[INFO] after\n"));
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(log.reopen().len(), 1);
    }
}
