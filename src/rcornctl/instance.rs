//! Which control socket is meant.

use crate::Trouble;
use std::path::{Path, PathBuf};

/// Where the instances of `rcorn@.service` have theirs.
const INSTANCES: &str = "/run/rcorn";

/// By path, by name, by `$RCORN_CONTROL`, or because there is only one.
pub(crate) fn find(name: Option<&str>, socket: Option<&Path>) -> Result<PathBuf, Trouble> {
    match (name, socket) {
        (_, Some(path)) => Ok(path.to_path_buf()),
        (Some(path), None) if path.contains('/') => Ok(PathBuf::from(path)),
        (Some(name), None) => Ok(of(name)),
        (None, None) => match std::env::var_os("RCORN_CONTROL").filter(|path| !path.is_empty()) {
            Some(path) => Ok(path.into()),
            None => only_one(Path::new(INSTANCES)),
        },
    }
}

fn of(name: &str) -> PathBuf {
    Path::new(INSTANCES).join(name).join("control.sock")
}

fn only_one(place: &Path) -> Result<PathBuf, Trouble> {
    let names = std::fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let sockets = names.filter(|name| place.join(name).join("control.sock").exists());
    let mut names: Vec<String> = sockets.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    match names.as_slice() {
        [] => Err(Trouble::Unreachable(format!(
            "no instance runs in {}; name one, or its socket with --socket",
            place.display()
        ))),
        [only] => Ok(place.join(only).join("control.sock")),
        several => Err(Trouble::Usage(format!("which one: {}?", several.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        assert_eq!(find(Some("shop"), None).unwrap(), Path::new("/run/rcorn/shop/control.sock"));
        assert_eq!(find(Some("./a.sock"), None).unwrap(), Path::new("./a.sock"));
        assert_eq!(find(None, Some(Path::new("/x"))).unwrap(), Path::new("/x"));
    }

    #[test]
    fn the_only_one_needs_no_name() {
        let place = std::env::temp_dir().join(format!("rcornctl-{}", std::process::id()));
        assert!(matches!(only_one(&place), Err(Trouble::Unreachable(_))));
        for (name, expected) in [("shop", true), ("blog", false)] {
            std::fs::create_dir_all(place.join(name)).unwrap();
            std::fs::write(place.join(name).join("control.sock"), "").unwrap();
            let found = only_one(&place);
            assert_eq!(found.is_ok(), expected, "{found:?}");
        }
        std::fs::remove_dir_all(&place).unwrap();
    }
}
