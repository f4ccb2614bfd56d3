//! What workers write to standard output and standard error, where the log is systemd's journal or JSON: it comes through
//! pipes, and goes on line by line with the worker's fields. The pipes cross to a successor with everything else; what
//! was read of a line by then is written as it is.
//!
//! Standard error is worth a warning, standard output is information; a line may say otherwise (`<3>`, sd-daemon(3)).

use contract::journal::Entry;
use contract::logline::Level;
use contract::record::{self, Log, Writer};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use sys::journal::Journal;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

/// A longer line is cut, as journald does it.
const LONGEST: usize = 48 * 1024;
/// What belongs together comes within this time.
const COHERENT: Duration = Duration::from_millis(50);
/// How a traceback of Python begins.
const TRACEBACK: &[u8] = b"Traceback (most recent call last):";
/// How the stack of a thread begins.
const THREADS: [&[u8]; 3] = [b"Thread 0x", b"Current thread 0x", b"Stack (most recent call first):"];
/// So much is read at a time.
const PIECE: usize = 64 * 1024;

/// Our ends of a worker's pipes: of its standard output, and of its standard error.
#[derive(Debug)]
pub(crate) struct Outputs {
    ends: [OwnedFd; 2],
    /// Who reads them. Dropped, they go on until nobody can write any more.
    readers: Vec<JoinHandle<()>>,
}

/// Where a pipe's lines go.
#[derive(Debug)]
pub(crate) enum Reader {
    /// To the journal, with these fields.
    Journal(Entry, Arc<Journal>),
    /// To this file, as records of this writer.
    Record(Log, Writer, Arc<OwnedFd>),
}

/// The worker's ends, in the same order.
pub(crate) type Ends = [OwnedFd; 2];

impl Outputs {
    /// Two new pipes.
    pub(crate) fn new() -> io::Result<(Self, Ends)> {
        let (out, out_end) = sys::fd::large_pipe()?;
        let (err, err_end) = sys::fd::large_pipe()?;
        Ok((Self::of([out, err]), [out_end, err_end]))
    }

    /// These, which nobody reads yet.
    pub(crate) fn of(ends: [OwnedFd; 2]) -> Self {
        Self { ends, readers: Vec::new() }
    }

    /// Our ends.
    pub(crate) fn ends(&self) -> &[OwnedFd; 2] {
        &self.ends
    }

    /// Begins to pass on what comes. To be called within the runtime.
    pub(crate) fn pass_on(&mut self, readers: [Reader; 2]) -> io::Result<()> {
        for ((end, level), reader) in self.ends.iter().zip([Level::Info, Level::Warning]).zip(readers) {
            let pipe = Receiver::from_owned_fd(end.try_clone()?)?;
            let lines = Lines { level, reader, line: Vec::new(), block: Vec::new(), dropped: 0 };
            self.readers.push(tokio::spawn(read(pipe, lines)));
        }
        Ok(())
    }

    /// Whoever reads on is to find no part of it with us.
    pub(crate) async fn stop(&mut self) {
        for reader in self.readers.drain(..) {
            reader.abort();
            // It was aborted, or had ended.
            let _ = reader.await;
        }
    }
}

/// Until nobody can write any more.
async fn read(pipe: Receiver, mut lines: Lines) {
    let mut piece = vec![0; PIECE];
    loop {
        let readable = pipe.readable();
        let ready = if lines.block.is_empty() {
            readable.await
        } else if let Ok(ready) = tokio::time::timeout(COHERENT, readable).await {
            ready
        } else {
            lines.end_block();
            continue;
        };
        match ready.and_then(|()| pipe.try_read(&mut piece)) {
            Ok(0) => break,
            Ok(length) => lines.take(&piece[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => break,
        }
        // Somebody who writes without end does not keep the loop from its other work.
        tokio::task::yield_now().await;
    }
}

/// Lines that are being put together, and lines that belong together: a traceback, or the stack of a thread.
struct Lines {
    level: Level,
    reader: Reader,
    line: Vec<u8>,
    block: Vec<u8>,
    dropped: u64,
}

impl Lines {
    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = line_end(bytes) {
            self.line.extend_from_slice(&bytes[..end]);
            self.end_line();
            bytes = &bytes[end + 1..];
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > LONGEST {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        match belongs(&self.block, &line) {
            Belongs::Begins => {
                self.end_block();
                self.block = line;
            }
            Belongs::GoesOn => self.add_to_block(&line),
            Belongs::Ends => {
                self.add_to_block(&line);
                self.end_block();
            }
            Belongs::Alone => {
                self.end_block();
                let (level, text) = priority(self.level, line.trim_ascii_end());
                self.send(level, text);
            }
        }
    }

    fn add_to_block(&mut self, line: &[u8]) {
        self.block.push(b'\n');
        self.block.extend_from_slice(line);
        if self.block.len() > LONGEST {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        let level = if block.starts_with(TRACEBACK) { Level::Error } else { self.level };
        self.send(level, block.trim_ascii_end());
    }

    fn send(&mut self, level: Level, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let missing = format!("{} lines of output were dropped: the log did not keep up", self.dropped);
        if self.dropped > 0 && self.enter(Level::Warning, missing.as_bytes()) {
            self.dropped = 0;
        }
        if self.dropped > 0 || !self.enter(level, text) {
            self.dropped += 1;
        }
    }

    fn enter(&self, level: Level, text: &[u8]) -> bool {
        match &self.reader {
            Reader::Journal(fields, journal) => {
                let entry = Entry::new(level).all(fields).field("MESSAGE", text);
                journal.send(entry.bytes()).is_ok()
            }
            Reader::Record(log, writer, file) => {
                sys::fd::write_all(file.as_fd(), &record_of(*log, writer, level, text)).is_ok()
            }
        }
    }
}

/// What was read is written, whatever ended the reading.
impl Drop for Lines {
    fn drop(&mut self) {
        self.end_line();
        self.end_block();
    }
}

/// Who logs in JSON already has made a record.
fn record_of(log: Log, writer: &Writer, level: Level, text: &[u8]) -> Vec<u8> {
    if text.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() {
        return [text, b"\n"].concat();
    }
    record::message(writer, log, level, &String::from_utf8_lossy(text))
}

/// What a line is to the lines before it.
#[derive(Debug, PartialEq, Eq)]
enum Belongs {
    Begins,
    GoesOn,
    Ends,
    Alone,
}

fn belongs(block: &[u8], line: &[u8]) -> Belongs {
    if line.starts_with(TRACEBACK) || THREADS.iter().any(|mark| line.starts_with(mark)) {
        Belongs::Begins
    } else if block.is_empty() {
        Belongs::Alone
    } else if line.starts_with(b" ") {
        Belongs::GoesOn
    } else if block.starts_with(TRACEBACK) {
        // The exception.
        Belongs::Ends
    } else {
        Belongs::Alone
    }
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// `<N>` at the beginning says how much a line matters.
fn priority(usual: Level, line: &[u8]) -> (Level, &[u8]) {
    match line {
        [b'<', digit @ b'0'..=b'7', b'>', text @ ..] => {
            let level = match digit {
                b'0'..=b'2' => Level::Critical,
                b'3' => Level::Error,
                b'4' => Level::Warning,
                b'7' => Level::Debug,
                _ => Level::Info,
            };
            (level, text)
        }
        _ => (usual, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceback_is_whole() {
        let python =
            b"Traceback (most recent call last):\n  File \"a.py\", line 1\n    boom()\nValueError: no\nnext";
        let mut block = Vec::new();
        let mut seen = Vec::new();
        for line in python.split(|byte| *byte == b'\n') {
            let what = belongs(&block, line);
            match what {
                Belongs::Begins | Belongs::GoesOn => block.extend_from_slice(line),
                Belongs::Ends | Belongs::Alone => block.clear(),
            }
            seen.push(what);
        }
        let expected = [Belongs::Begins, Belongs::GoesOn, Belongs::GoesOn, Belongs::Ends, Belongs::Alone];
        assert_eq!(seen, expected);
        assert_eq!(belongs(b"Thread 0x1 (most recent call first):", b"plain"), Belongs::Alone);
        assert_eq!(belongs(b"", b"  indented"), Belongs::Alone);
        assert_eq!(belongs(b"", b"Stack (most recent call first):"), Belongs::Begins);
    }

    #[test]
    fn nothing_is_lost_between_two_readers() {
        let log = std::env::temp_dir().join(format!("rcorn-output-{}", sys::process::own_pid()));
        let file: Arc<OwnedFd> = Arc::new(std::fs::File::create(&log).unwrap().into());
        let readers = || {
            [Log::Stdout, Log::Stderr].map(|log| Reader::Record(log, Writer::default(), Arc::clone(&file)))
        };
        let has = |text: &str| std::fs::read_to_string(&log).unwrap().contains(&format!("\"{text}\""));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut outputs, [out, _err]) = Outputs::new().unwrap();
            let write = |text: &str| sys::fd::write_all(out.as_fd(), text.as_bytes()).unwrap();
            let come = async |text: &str| {
                while !has(text) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            outputs.pass_on(readers()).unwrap();
            write("whole\nhalf");
            tokio::time::timeout(Duration::from_secs(20), come("whole")).await.unwrap();
            assert!(!has("half"), "its end has not come");
            outputs.stop().await;
            assert!(has("half"));
            write("later\n");
            outputs.pass_on(readers()).unwrap();
            tokio::time::timeout(Duration::from_secs(20), come("later")).await.unwrap();
        });
        std::fs::remove_file(&log).unwrap();
    }

    #[test]
    fn what_is_a_record_stays_as_it_is() {
        let record = |text: &[u8]| record_of(Log::Stdout, &Writer::default(), Level::Info, text);
        assert_eq!(record(b"{\"event\": 1}"), b"{\"event\": 1}\n");
        for text in [b"{not json}".as_slice(), b"plain", b"{\"a\": 1} tail", b"[1]", b"\xff"] {
            let made: serde_json::Value = serde_json::from_slice(&record(text)).unwrap();
            assert_eq!((&made["log"], made["message"].is_string()), (&"stdout".into(), true));
        }
    }

    #[test]
    fn a_line_may_say_how_much_it_matters() {
        assert_eq!(priority(Level::Warning, b"plain"), (Level::Warning, b"plain".as_slice()));
        assert_eq!(priority(Level::Warning, b"<3>bad"), (Level::Error, b"bad".as_slice()));
        assert_eq!(priority(Level::Info, b"<7>detail"), (Level::Debug, b"detail".as_slice()));
        assert_eq!(priority(Level::Info, b"<9>x"), (Level::Info, b"<9>x".as_slice()));
        assert_eq!(priority(Level::Info, b"<"), (Level::Info, b"<".as_slice()));
    }
}
