//! What the fuzzers once found stays found: each file of `fuzz/regressions/TARGET/` is tried again.

use super::*;
use std::path::Path;

/// Tries every file of a target; how many there were.
fn try_again(target: &str, try_one: fn(&[u8])) -> usize {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/regressions").join(target);
    let Ok(files) = std::fs::read_dir(&directory) else { return 0 };
    let paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    for path in &paths {
        println!("{}", path.display());
        try_one(&std::fs::read(path).unwrap());
    }
    paths.len()
}

#[test]
fn what_was_found_stays_found() {
    type Target = (&'static str, fn(&[u8]));
    let targets: [Target; 8] = [
        ("chunks", chunks),
        ("forwarded", forwarded),
        ("frames", frames),
        ("inflated", inflated),
        ("preambles", preambles),
        ("requests", requests),
        ("responses", responses),
        ("spoken", spoken),
    ];
    let tried: usize = targets.iter().map(|(name, target)| try_again(name, *target)).sum();
    assert!(tried > 0, "fuzz/regressions is gone");
}
