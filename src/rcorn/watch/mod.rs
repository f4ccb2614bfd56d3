//! Development (`reload`): notices that a file of the application has changed, and waits until no more do, so that a
//! checkout of a thousand files is one reload. Workers say which files they have loaded; what a change means is decided
//! elsewhere.
//!
//! `files` knows what was loaded and what has changed since, `pattern` those that may come. The kernel tells in which
//! directories there is something to look at (inotify); where it cannot, everything is looked at once a second.

mod files;
mod pattern;

pub(crate) use files::Files;

use crate::settings::{ReloadEngine, Settings};
use contract::message::Loaded;
use pattern::Pattern;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};
use sys::inotify::{Directories, Directory, Noticed, hears_of_changes_in};
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// Nothing more has changed for so long: then that was all.
const QUIET: Duration = Duration::from_millis(50);
/// Nobody waits for longer than that.
const LONGEST: Duration = Duration::from_secs(2);
/// How often everything is looked at where the kernel does not tell.
const POLL: Duration = Duration::from_secs(1);

/// The files of the application.
#[derive(Debug)]
pub(crate) struct Watch {
    files: Files,
    engine: Engine,
    /// Since when there is something to look at, and when that is done.
    due: Option<(Instant, Instant)>,
    looked: Instant,
    directory: PathBuf,
}

#[derive(Debug)]
enum Engine {
    Inotify(AsyncFd<Directories>, BTreeMap<Directory, PathBuf>),
    Poll,
}

impl Watch {
    /// A generation with these settings begins to load. A sentence says what does not work as it was asked for. To be
    /// called within the runtime.
    pub(crate) fn begin(files: Option<Files>, settings: &Settings) -> (Self, Option<String>) {
        let (engine, complaint) = match Engine::of(settings) {
            Ok(engine) => (engine, None),
            Err(error) => (Engine::Poll, Some(polls_instead(&error))),
        };
        let directory = settings.chdir.clone();
        let mut watch =
            Self { files: files.unwrap_or_default(), engine, due: None, looked: Instant::now(), directory };
        watch.files.begin(watch.patterns_of(settings), wall_clock());
        // Who goes on where another stopped may have missed something.
        watch.look_soon();
        let armed = watch.arm();
        (watch, complaint.or(armed))
    }

    fn patterns_of(&self, settings: &Settings) -> Vec<Pattern> {
        let named = settings.files.iter().chain(&settings.env_file);
        let named = named.filter_map(|path| Some(glob::Pattern::escape(path.to_str()?)));
        let all = named.chain(settings.development.reload_extra_files.iter().cloned());
        all.filter_map(|text| Pattern::new(&text, &self.directory)).collect()
    }

    /// What crosses.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// A process has loaded these. A sentence says what does not work.
    pub(crate) fn add(&mut self, loaded: Loaded) -> Option<String> {
        let before = self.files.len();
        if self.files.add(loaded.files.into_iter().map(PathBuf::from)) {
            self.look_soon();
        }
        let patterns = loaded.patterns.iter().filter_map(|text| Pattern::new(text, &self.directory));
        let patterns: Vec<Pattern> = patterns.collect();
        let news = self.files.len() != before || !patterns.is_empty();
        patterns.into_iter().for_each(|pattern| self.files.expect(pattern));
        if news { self.arm() } else { None }
    }

    fn look_soon(&mut self) {
        let now = Instant::now();
        let first = self.due.map_or(now, |(first, _)| first);
        self.due = Some((first, (now + QUIET).min(first + LONGEST)));
    }

    /// Has the kernel tell of all directories that matter.
    fn arm(&mut self) -> Option<String> {
        let Engine::Inotify(directories, known) = &mut self.engine else { return None };
        for path in self.files.directories() {
            match directories.get_ref().watch(&path) {
                Ok(directory) => drop(known.insert(directory, path)),
                // Those that are not there now are heard of from above.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => {
                    self.engine = Engine::Poll;
                    self.look_soon();
                    return Some(polls_instead(&error));
                }
            }
        }
        None
    }

    /// When `look` is to be called.
    pub(crate) fn next(&self) -> Option<Duration> {
        // By the clock: whoever asks may be woken more often by something else.
        let poll = matches!(self.engine, Engine::Poll).then(|| POLL.saturating_sub(self.looked.elapsed()));
        let due = self.due.map(|(_, at)| at.saturating_duration_since(Instant::now()));
        due.or(poll)
    }

    /// Waits until the kernel tells of something that matters.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let Engine::Inotify(directories, known) = &mut self.engine else { return Poll::Pending };
            let Ok(mut guard) = ready!(directories.poll_read_ready(context)) else { return Poll::Pending };
            let noticed = guard.get_inner().noticed();
            guard.clear_ready();
            for noticed in &noticed {
                if let Noticed::Gone(directory) = noticed {
                    known.remove(directory);
                }
            }
            if let Some(made_anew) = self.files.matter(&noticed, known) {
                if made_anew {
                    // A complaint about what is there no more would be one too many.
                    let _ = self.arm();
                }
                self.look_soon();
                return Poll::Ready(());
            }
        }
    }

    /// What has changed, as a sentence.
    pub(crate) fn look(&mut self) -> Option<String> {
        self.due = None;
        self.looked = Instant::now();
        let changed = self.files.changed();
        let first = changed.first()?;
        let _ = self.arm();
        let first = first.strip_prefix(&self.directory).unwrap_or(first).display();
        Some(match changed.len() {
            1 => format!("{first} has changed"),
            count => format!("{first} and {} more files have changed", count - 1),
        })
    }
}

impl Files {
    /// `None`: nothing that matters. Else: was a directory made anew, so that there may be more to hear of?
    fn matter(&self, noticed: &[Noticed], known: &BTreeMap<Directory, PathBuf>) -> Option<bool> {
        let mut found = None;
        for noticed in noticed {
            let (matters, anew) = match noticed {
                Noticed::File(directory, name) => {
                    (known.get(directory).is_some_and(|path| self.concern(&path.join(name))), false)
                }
                Noticed::Directory(_) | Noticed::Gone(_) | Noticed::Missed => (true, true),
            };
            if matters {
                found = Some(found.unwrap_or(false) | anew);
            }
        }
        found
    }
}

impl Engine {
    fn of(settings: &Settings) -> io::Result<Self> {
        let polls = match settings.development.reload_engine {
            ReloadEngine::Poll => true,
            ReloadEngine::Inotify => false,
            ReloadEngine::Auto => !hears_of_changes_in(&settings.chdir),
        };
        if polls {
            return Ok(Self::Poll);
        }
        #[allow(
            deprecated,
            reason = "its successor is unsafe and asks that the descriptor be owned and never swapped: it is both, \
                      and this room has no unsafe"
        )]
        let directories = AsyncFd::new(Directories::new()?)?;
        Ok(Self::Inotify(directories, BTreeMap::new()))
    }
}

fn polls_instead(error: &io::Error) -> String {
    format!("reload: files are looked at once a second, as the kernel cannot tell of changes: {error}")
}

fn wall_clock() -> i128 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i128::try_from(now.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::future::poll_fn;

    fn settings(place: &str, engine: ReloadEngine) -> Settings {
        let chdir = std::env::temp_dir().join(format!("rcorn-watch-{place}-{}", sys::process::own_pid()));
        fs::create_dir_all(&chdir).unwrap();
        let mut settings = crate::arbiter::tests::settings();
        settings.chdir = chdir.canonicalize().unwrap();
        settings.development.reload_engine = engine;
        settings
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn many_changes_are_one_and_others_are_none() {
        let settings = settings("many", ReloadEngine::Inotify);
        let file = |name: &str| settings.chdir.join(name);
        let known = ["a.py", "b.py", "c.py"];
        known.iter().for_each(|name| fs::write(file(name), "").unwrap());
        runtime().block_on(async {
            let (mut watch, complaint) = Watch::begin(None, &settings);
            assert_eq!((complaint, watch.look()), (None, None));
            let files = known.iter().map(|name| file(name).display().to_string()).collect();
            assert_eq!(watch.add(Loaded { files, patterns: Vec::new() }), None);
            assert_eq!((watch.look(), watch.next()), (None, None), "nothing to wait for but the kernel");
            fs::write(file("notes.txt"), "x").unwrap();
            known.iter().for_each(|name| fs::write(file(name), "changed").unwrap());
            poll_fn(|context| watch.poll(context)).await;
            let wait = watch.next().unwrap();
            assert!(wait <= QUIET, "{wait:?}");
            assert_eq!(watch.look().unwrap(), "a.py and 2 more files have changed");
            assert_eq!((watch.look(), watch.next()), (None, None));
            let (mut next, _) = Watch::begin(Some(watch.files().clone()), &settings);
            assert!(next.next().is_some(), "something may have been missed meanwhile");
            assert_eq!(next.look(), None);
        });
        fs::remove_dir_all(&settings.chdir).unwrap();
    }

    #[test]
    fn without_the_kernel_everything_is_looked_at_once_a_second() {
        let settings = settings("poll", ReloadEngine::Poll);
        let file = settings.chdir.join("a.py");
        fs::write(&file, "").unwrap();
        runtime().block_on(async {
            let (mut watch, _) = Watch::begin(None, &settings);
            watch.add(Loaded { files: vec![file.display().to_string()], patterns: Vec::new() });
            assert_eq!(watch.look(), None);
            let wait = watch.next().unwrap();
            assert!(POLL / 2 < wait && wait <= POLL, "{wait:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(watch.next().unwrap() <= wait - Duration::from_millis(20), "it does not begin anew");
            fs::write(&file, "changed").unwrap();
            assert_eq!(watch.look().unwrap(), "a.py has changed");
        });
        fs::remove_dir_all(&settings.chdir).unwrap();
    }
}
