//! The files that are watched: what they were like when they were loaded, and which of them are otherwise now. Knows
//! nothing of how it is noticed that there may be something to look at.

use super::pattern::Pattern;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// By which a change is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Nanoseconds of the wall clock.
    written: i128,
    size: u64,
    inode: u64,
}

impl Mark {
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        let written = i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
        Some(Self { written, size: found.size(), inode: found.ino() })
    }
}

/// What is watched. It crosses to whoever follows us.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Files {
    /// Those that are known; `None` when there is no such file.
    marks: BTreeMap<PathBuf, Option<Mark>>,
    /// What some of them really are, by way of a symbolic link.
    real: BTreeSet<PathBuf>,
    /// When the youngest generation began to load: what was written later may be otherwise than it was loaded.
    since: i128,
    #[serde(skip)]
    patterns: Vec<Pattern>,
    /// Where the youngest generation could not be imported.
    #[serde(skip)]
    passing: Vec<Pattern>,
}

impl Files {
    /// Another generation begins to load now, with these patterns.
    pub(super) fn begin(&mut self, patterns: Vec<Pattern>, now: i128) {
        self.since = now;
        self.passing.clear();
        let known: BTreeSet<PathBuf> = patterns.iter().flat_map(Pattern::files).collect();
        known.into_iter().for_each(|path| self.know(path));
        self.patterns = patterns;
    }

    /// These are watched from now on. True when one of them may be otherwise than it was loaded.
    pub(super) fn add(&mut self, files: impl IntoIterator<Item = PathBuf>) -> bool {
        let mut late = false;
        for path in files {
            if self.marks.contains_key(&path) {
                continue;
            }
            self.know(path.clone());
            if let Some(mark) = self.marks.get_mut(&path)
                && mark.is_some_and(|mark| mark.written > self.since)
            {
                // Found to be changed by the next look.
                *mark = None;
                late = true;
            }
        }
        late
    }

    /// Files that match may come, as the application could not be imported.
    pub(super) fn expect(&mut self, pattern: Pattern) {
        pattern.files().for_each(|path| self.know(path));
        self.passing.push(pattern);
    }

    fn know(&mut self, path: PathBuf) {
        if let Ok(real) = path.canonicalize()
            && real != path
        {
            self.real.insert(real);
        }
        self.marks.entry(path).or_insert_with_key(|path| Mark::of(path));
    }

    fn all_patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.patterns.iter().chain(&self.passing)
    }

    /// Is it about something that is watched?
    pub(super) fn concern(&self, path: &Path) -> bool {
        self.marks.contains_key(path)
            || self.real.contains(path)
            || self.all_patterns().any(|pattern| pattern.matches(path))
    }

    /// Those that have changed, come or gone since they were asked for last.
    pub(super) fn changed(&mut self) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        let found: BTreeSet<PathBuf> = self.all_patterns().flat_map(Pattern::files).collect();
        for path in found {
            self.marks.entry(path).or_insert(None);
        }
        for (path, mark) in &mut self.marks {
            let now = Mark::of(path);
            if now != *mark {
                *mark = now;
                changed.push(path.clone());
            }
        }
        changed
    }

    /// The directories in which something may happen to them, as far as they are there; and those above, which tell when
    /// one is made anew.
    pub(super) fn directories(&self) -> BTreeSet<PathBuf> {
        let files = self.marks.keys().chain(&self.real);
        let parents: BTreeSet<&Path> = files.filter_map(|path| path.parent()).collect();
        let above = parents.iter().filter_map(|parent| parent.parent());
        let all = parents.iter().copied().chain(above).map(Path::to_path_buf);
        all.chain(self.all_patterns().flat_map(Pattern::directories)).collect()
    }

    /// How many are known.
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("rcorn-files-{name}-{}", sys::process::own_pid()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn later() -> Files {
        Files { since: i128::MAX, ..Files::default() }
    }

    #[test]
    fn a_change_is_told_once() {
        let place = Place::new("once");
        let (app, other) = (place.write("app.py", "a"), place.write("other.py", "b"));
        let mut files = later();
        assert!(!files.add([app.clone(), other.clone()]));
        assert_eq!(files.changed(), Vec::<PathBuf>::new());
        place.write("app.py", "longer");
        assert_eq!((files.changed(), files.changed().len()), (vec![app.clone()], 0));
        fs::rename(place.write("app.py~", "longer"), &app).unwrap();
        assert_eq!(files.changed(), [app], "another file under the same name, of the same size");
        fs::remove_file(&other).unwrap();
        assert_eq!(files.changed(), [other]);
        assert!(!files.concern(&place.0.join("notes.txt")));
    }

    #[test]
    fn what_was_written_while_it_was_loaded_counts_as_changed() {
        let place = Place::new("late");
        let app = place.write("app.py", "a");
        let mut files = Files::default();
        assert!(files.add([app.clone()]));
        assert_eq!(files.changed(), vec![app.clone()]);
        assert!(!files.add([app]), "once");
    }

    #[test]
    fn files_that_match_a_pattern_come_and_go() {
        let place = Place::new("patterns");
        let old = place.write("old.html", "");
        let mut files = later();
        files.begin(vec![Pattern::new("*.html", &place.0).unwrap()], i128::MAX);
        assert_eq!((files.changed().len(), files.concern(&old)), (0, true));
        let new = place.write("new.html", "");
        assert_eq!(files.changed(), vec![new.clone()]);
        files.expect(Pattern::new("*.py", &place.0).unwrap());
        let missing = place.write("missing.py", "");
        assert_eq!(files.changed(), [missing]);
        fs::remove_file(&new).unwrap();
        assert_eq!(files.changed(), [new]);
        files.begin(Vec::new(), i128::MAX);
        assert!(!files.concern(&place.0.join("another.py")), "it was imported in the end");
    }

    #[test]
    fn a_link_is_watched_where_it_leads() {
        let place = Place::new("links");
        fs::create_dir_all(place.0.join("shared")).unwrap();
        let real = place.write("shared/app.py", "a");
        let link = place.0.join("app.py");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut files = later();
        files.add([link.clone()]);
        let real = real.canonicalize().unwrap();
        assert!(files.concern(&real) && files.directories().contains(real.parent().unwrap()));
        place.write("shared/app.py", "longer");
        assert_eq!(files.changed(), [link]);
    }
}
