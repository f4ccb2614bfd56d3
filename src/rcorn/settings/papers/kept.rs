//! Files in the tree that are made of what the code knows. A test fails where one says something else; `make papers`
//! writes them anew. Both programs use this, in their tests only.

use std::path::{Path, PathBuf};

/// The variable with which `make papers` asks for writing.
const WRITE: &str = "RCORN_WRITE_PAPERS";

/// The lines between which a file is made; what stands around them is written by hand.
const BEGIN: &str = "Made by `make papers` from here";
const END: &str = "to here.";

/// All of this file is `text`.
pub(crate) fn all(path: &str, text: &str) {
    let place = place(path);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&place, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    assert!(read(&place) == text, "{path} is not what the settings say; run: make papers");
}

/// What stands between the marks of this file is `text`.
pub(crate) fn part(path: &str, text: &str) {
    let old = read(&place(path));
    let (head, rest) = old.split_once(BEGIN).unwrap_or_else(|| panic!("{path} lacks the line {BEGIN:?}"));
    let (_, tail) = rest.split_once(END).unwrap_or_else(|| panic!("{path} lacks the line {END:?}"));
    // The rest of the line with the mark, and the comment sign before the other one.
    let closing = rest.split_once('\n').map_or("", |(closing, _)| closing);
    let opening = head.rsplit_once('\n').map_or(head, |(_, opening)| opening);
    all(path, &format!("{head}{BEGIN}{closing}\n{text}{opening}{END}{tail}"));
}

fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(place: &Path) -> String {
    std::fs::read_to_string(place).unwrap_or_default()
}
