//! What workers write to standard output and standard error, where the log is systemd's journal: it comes through pipes,
//! and goes there line by line with the worker's fields. The pipes cross to a successor with everything else.
//!
//! Standard error is worth a warning, standard output is information; a line may say otherwise (`<3>`, sd-daemon(3)).

use contract::journal::Entry;
use contract::logline::Level;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use sys::journal::Journal;
use tokio::net::unix::pipe::Receiver;

/// A longer line is cut, as journald does it.
const LONGEST: usize = 48 * 1024;
/// So much is read at a time.
const PIECE: usize = 64 * 1024;

/// Our ends of a worker's pipes: of its standard output, and of its standard error.
#[derive(Debug)]
pub(crate) struct Outputs(pub(crate) [OwnedFd; 2]);

/// The worker's ends, in the same order.
pub(crate) type Ends = [OwnedFd; 2];

impl Outputs {
    /// Two new pipes.
    pub(crate) fn new() -> io::Result<(Self, Ends)> {
        let (out, out_end) = sys::fd::large_pipe()?;
        let (err, err_end) = sys::fd::large_pipe()?;
        Ok((Self([out, err]), [out_end, err_end]))
    }

    /// Begins to pass on what comes. `fields` say whose it is. To be called within the runtime.
    pub(crate) fn pass_on(&self, fields: &Entry, journal: &Arc<Journal>) -> io::Result<()> {
        for (end, level) in self.0.iter().zip([Level::Info, Level::Warning]) {
            let pipe = Receiver::from_owned_fd(end.try_clone()?)?;
            let lines = Lines {
                level,
                fields: fields.clone(),
                journal: Arc::clone(journal),
                line: Vec::new(),
                dropped: 0,
            };
            tokio::spawn(read(pipe, lines));
        }
        Ok(())
    }
}

/// Until nobody can write any more.
async fn read(pipe: Receiver, mut lines: Lines) {
    let mut piece = vec![0; PIECE];
    while pipe.readable().await.is_ok() {
        match pipe.try_read(&mut piece) {
            Ok(0) => break,
            Ok(length) => lines.take(&piece[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => break,
        }
        // Somebody who writes without end does not keep the loop from its other work.
        tokio::task::yield_now().await;
    }
    lines.send();
}

/// Lines that are being put together.
struct Lines {
    level: Level,
    fields: Entry,
    journal: Arc<Journal>,
    line: Vec<u8>,
    dropped: u64,
}

impl Lines {
    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(bytes) {
            self.line.extend_from_slice(&bytes[..end]);
            self.send();
            bytes = &bytes[end + 1..];
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > LONGEST {
            self.send();
        }
    }

    fn send(&mut self) {
        let line = std::mem::take(&mut self.line);
        let (level, text) = priority(self.level, line.trim_ascii_end());
        if text.is_empty() {
            return;
        }
        if self.dropped > 0 {
            let text = format!("{} lines of output were dropped: the journal did not keep up", self.dropped);
            if !self.enter(Level::Warning, text.as_bytes()) {
                self.dropped += 1;
                return;
            }
            self.dropped = 0;
        }
        if !self.enter(level, text) {
            self.dropped += 1;
        }
    }

    fn enter(&self, level: Level, text: &[u8]) -> bool {
        let entry = Entry::new(level).all(&self.fields).field("MESSAGE", text);
        self.journal.send(entry.bytes()).is_ok()
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
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
    fn a_line_may_say_how_much_it_matters() {
        assert_eq!(priority(Level::Warning, b"plain"), (Level::Warning, b"plain".as_slice()));
        assert_eq!(priority(Level::Warning, b"<3>bad"), (Level::Error, b"bad".as_slice()));
        assert_eq!(priority(Level::Info, b"<7>detail"), (Level::Debug, b"detail".as_slice()));
        assert_eq!(priority(Level::Info, b"<9>x"), (Level::Info, b"<9>x".as_slice()));
        assert_eq!(priority(Level::Info, b"<"), (Level::Info, b"<".as_slice()));
    }
}
