//! Patterns of paths: which files are there, which may come, and in which directories.

use glob::{MatchOptions, Pattern as Glob};
use std::path::{Path, PathBuf};

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A pattern of absolute paths. A directory stands for all that is below it.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    glob: Glob,
}

impl Pattern {
    /// `None` for what is no pattern.
    pub(super) fn new(text: &str, base: &Path) -> Option<Self> {
        let path = base.join(text);
        let mut text = path.to_str()?.to_owned();
        if path.is_dir() {
            text = format!("{}/**/*", text.trim_end_matches('/'));
        }
        Some(Self { glob: Glob::new(&text).ok()?, text })
    }

    pub(super) fn matches(&self, path: &Path) -> bool {
        self.glob.matches_path_with(path, OPTIONS)
    }

    /// The files that match it now.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let found = glob::glob_with(&self.text, OPTIONS).into_iter().flatten().flatten();
        found.filter(|path| !path.is_dir())
    }

    /// The directories in which files that match it may come, as far as they are there.
    pub(super) fn directories(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let fixed = self.text.find(['*', '?', '[']).unwrap_or(self.text.len());
        let base = self.text[..fixed].rfind('/').map_or("/", |end| &self.text[..end]).to_owned();
        // Each part behind that may be one that is yet to come: `a/*/b/*.html` needs `a`, `a/*` and `a/*/b`.
        let rest = self.text[base.len()..].trim_start_matches('/');
        let parts: Vec<&str> = rest.split('/').collect();
        let mut below = Vec::new();
        for count in 1..parts.len() {
            let pattern = format!("{}/{}", base.trim_end_matches('/'), parts[..count].join("/"));
            below.extend(glob::glob_with(&pattern, OPTIONS).into_iter().flatten().flatten());
        }
        let base = PathBuf::from(if base.is_empty() { "/" } else { &base });
        std::iter::once(base).chain(below).filter(|path| path.is_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(base: &Path, paths: impl Iterator<Item = PathBuf>) -> Vec<String> {
        let mut names: Vec<String> =
            paths.map(|path| path.strip_prefix(base).unwrap().display().to_string()).collect();
        names.sort();
        names.dedup();
        names
    }

    #[test]
    fn patterns_find_files_and_the_places_where_they_come() {
        let base = std::env::temp_dir().join(format!("rcorn-pattern-{}", sys::process::own_pid()));
        for file in ["templates/a.html", "templates/mail/b.html", "templates/c.txt", "settings.ini"] {
            let path = base.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let pattern = |text: &str| Pattern::new(text, &base).unwrap();
        let all = pattern("templates/**/*.html");
        assert_eq!(names(&base, all.files()), ["templates/a.html", "templates/mail/b.html"]);
        assert_eq!(names(&base, all.directories()), ["templates", "templates/mail"]);
        assert!(all.matches(&base.join("templates/new/d.html")) && !all.matches(&base.join("d.html")));
        assert_eq!(names(&base, pattern("settings.ini").files()), ["settings.ini"]);
        assert_eq!(names(&base, pattern("settings.ini").directories()), [""]);
        assert_eq!(names(&base, pattern("*.ini").directories()), [""]);
        assert_eq!(names(&base, pattern("templates").files()).len(), 3, "a directory is all below it");
        assert_eq!(names(&base, pattern("nowhere/*.html").files()), Vec::<String>::new());
        fs::remove_dir_all(&base).unwrap();
    }
}
