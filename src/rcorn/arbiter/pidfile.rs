//! The file with our process id. It appears whole or not at all, replaces one whose process is gone, and goes with us.

use std::io::Write;
use std::path::{Path, PathBuf};
use sys::process::{exists, own_pid};

/// A file that holds our process id. Removed with this value, unless somebody else wrote it since.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes it.
    pub(crate) fn write(path: &Path) -> Result<Self, String> {
        if let Some(pid) = read(path).filter(|pid| *pid != own_pid() && exists(*pid)) {
            let path = path.display();
            return Err(format!(
                "{path} names process {pid}, which runs: stop it first, or choose another --pid"
            ));
        }
        put(path).map_err(|error| format!("cannot write the pid file {}: {error}", path.display()))?;
        Ok(Self { path: path.to_path_buf() })
    }

    /// The file that our former self wrote.
    pub(crate) fn take_up(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if read(&self.path) == Some(own_pid()) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn read(path: &Path) -> Option<i32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn put(path: &Path) -> std::io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", own_pid()));
    let mut file = std::fs::File::create(&draft)?;
    let written = writeln!(file, "{}", own_pid()).and_then(|()| std::fs::rename(&draft, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_replaced_a_live_one_is_not() {
        let path = std::env::temp_dir().join(format!("rcorn-pid-{}", own_pid()));
        std::fs::write(&path, format!("{}\n", sys::process::parent_pid())).unwrap();
        assert!(PidFile::write(&path).unwrap_err().contains("which runs"));
        std::fs::write(&path, "2147483647\n").unwrap();
        let file = PidFile::write(&path).unwrap();
        assert_eq!(read(&path), Some(own_pid()));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn what_somebody_else_wrote_since_is_left() {
        let path = std::env::temp_dir().join(format!("rcorn-pid-other-{}", own_pid()));
        let file = PidFile::write(&path).unwrap();
        std::fs::write(&path, "1\n").unwrap();
        drop(file);
        assert!(path.exists());
        std::fs::remove_file(&path).unwrap();
    }
}
