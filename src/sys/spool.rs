//! Temporary files without a name, for what is too large to keep in memory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A new file in `directory` that no other process can open and that vanishes when it is closed.
pub fn unnamed_file(directory: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.clone().custom_flags(libc::O_TMPFILE).open(directory) {
        // Some file systems (overlay on old kernels, NFS) have no unnamed files.
        Err(error)
            if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR | libc::ENOENT)) =>
        {
            named_then_removed(&mut options, directory)
        }
        result => result,
    }
}

fn named_then_removed(options: &mut OpenOptions, directory: &Path) -> io::Result<File> {
    let (pid, now) = (crate::process::own_pid(), crate::clock::now());
    let path = directory.join(format!(".rcorn-{pid}-{now}"));
    let file = options.create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};

    #[test]
    fn leaves_no_name_behind() {
        let directory = std::env::temp_dir().join(format!("rcorn-spool-{}", crate::process::own_pid()));
        std::fs::create_dir(&directory).unwrap();
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        for mut file in
            [unnamed_file(&directory).unwrap(), named_then_removed(&mut options, &directory).unwrap()]
        {
            file.write_all(b"body").unwrap();
            file.rewind().unwrap();
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap();
            assert_eq!(content, "body");
        }
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
        std::fs::remove_dir(&directory).unwrap();
    }
}
