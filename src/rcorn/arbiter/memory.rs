//! How much memory a worker has, and whether the kernel killed somebody for want of it. Read from /proc and from our
//! control group; where these are not there, nothing is known.

use std::fs;
use std::path::{Path, PathBuf};

/// The memory of a process in bytes: what it shares with others is counted in proportion (PSS).
pub(crate) fn of_process(pid: i32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok();
    rollup.and_then(|text| kibibytes(&text, "Pss:")).or_else(|| {
        // Not everybody may read that one.
        resident(pid)
    })
}

/// The CPU that a process has used, in seconds.
pub(crate) fn cpu_of_process(pid: i32) -> Option<f64> {
    cpu(pid, 2)
}

/// The same with what its children had used that it has reaped.
pub(crate) fn cpu_with_children(pid: i32) -> Option<f64> {
    cpu(pid, 4)
}

/// The first so many of: user and system time, and those of children.
fn cpu(pid: i32, fields: usize) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may have blanks and brackets in it. The kernel counts hundredths of a second for everybody.
    let times = text.rsplit_once(')')?.1.split_whitespace().skip(11).take(fields);
    let hundredths: u64 = times.map(str::parse::<u64>).sum::<Result<_, _>>().ok()?;
    Some(hundredths as f64 / 100.0)
}

/// The memory of a process in bytes, what it shares with others in full (RSS).
pub(crate) fn resident(pid: i32) -> Option<u64> {
    kibibytes(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:")
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// Counts the kernel's kills in our control group.
#[derive(Debug)]
pub(crate) struct Kills {
    file: Option<PathBuf>,
    seen: u64,
}

impl Kills {
    /// Begins to count.
    pub(crate) fn watch() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let file = files(&groups).into_iter().find(|file| count(file).is_some());
        Self { seen: file.as_deref().and_then(count).unwrap_or(0), file }
    }

    /// Was anybody killed for want of memory since the last question?
    pub(crate) fn happened(&mut self) -> bool {
        let now = self.file.as_deref().and_then(count).unwrap_or(self.seen);
        std::mem::replace(&mut self.seen, now) < now
    }
}

/// Where the kills of our control group may be counted: version 2, then version 1.
fn files(groups: &str) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let path = |marker: &str| groups.lines().find_map(|line| line.split_once(marker).map(|(_, path)| path));
    let inside = |path: &str| path.trim_start_matches('/').to_owned();
    let two = path("0::").map(|path| root.join(inside(path)).join("memory.events"));
    let one = path(":memory:").map(|path| root.join("memory").join(inside(path)).join("memory.oom_control"));
    two.into_iter().chain(one).collect()
}

fn count(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")).and_then(|number| number.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_memory_is_plausible() {
        let bytes = of_process(sys::process::own_pid()).unwrap();
        assert!((1 << 18..1 << 32).contains(&bytes), "{bytes}");
        assert_eq!(of_process(0), None);
        assert!(cpu_of_process(sys::process::own_pid()).is_some_and(|seconds| seconds < 1000.0));
    }

    #[test]
    fn kills_are_counted_from_the_last_question_on() {
        let file = std::env::temp_dir().join(format!("rcorn-kills-{}", sys::process::own_pid()));
        fs::write(&file, "oom 3\noom_kill 1\n").unwrap();
        let mut kills = Kills { seen: count(&file).unwrap(), file: Some(file.clone()) };
        assert!(!kills.happened());
        fs::write(&file, "oom 4\noom_kill 2\n").unwrap();
        assert!(kills.happened() && !kills.happened());
        fs::remove_file(file).unwrap();
        assert!(!kills.happened());
    }

    #[test]
    fn both_versions_of_control_groups_are_known() {
        let files = files("4:memory:/a/b\n0::/system.slice/x.service\n");
        assert_eq!(files[0], Path::new("/sys/fs/cgroup/system.slice/x.service/memory.events"));
        assert_eq!(files[1], Path::new("/sys/fs/cgroup/memory/a/b/memory.oom_control"));
    }
}
