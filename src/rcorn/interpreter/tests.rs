//! Which Python is chosen, in directories made for the purpose.

use super::*;
use std::ffi::OsString;

/// A directory that is removed at the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rcorn-python-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn executable(&self, path: &str) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn environment(&self, path: &str) -> PathBuf {
        let python = self.executable(&format!("{path}/bin/python3"));
        std::fs::write(self.0.join(path).join("pyvenv.cfg"), "").unwrap();
        python
    }

    fn find(
        &self,
        arguments: &[&str],
        environment: &[(&str, &Path)],
        rcorn: &str,
    ) -> Result<PathBuf, String> {
        let invocation = Invocation {
            program: "rcorn".into(),
            arguments: arguments.iter().chain(&["app"]).map(OsString::from).collect(),
            environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            directory: self.0.clone(),
            executable: self.0.join(rcorn),
            predecessor: None,
        };
        let settings = invocation.load().map_err(|refusal| refusal.to_string())?;
        find(&invocation, &settings).map(|found| found.path).map_err(|refusal| refusal.to_string())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_order_in_which_it_is_looked_for() {
    let place = Place::new("order");
    let in_path = place.executable("path/python3");
    let path = [("PATH", place.0.join("path"))];
    let path = [(path[0].0, path[0].1.as_path())];
    assert_eq!(place.find(&[], &path, "bin/rcorn"), Ok(in_path));
    let local = place.environment(".venv");
    assert_eq!(place.find(&[], &path, "bin/rcorn"), Ok(local));
    let active = place.environment("active");
    let both = [path[0], ("VIRTUAL_ENV", &place.0.join("active"))];
    assert_eq!(place.find(&[], &both, "bin/rcorn"), Ok(active));
    let wheel = place.environment("wheel");
    assert_eq!(place.find(&[], &both, "wheel/bin/rcorn"), Ok(wheel));
    let named = place.executable("other/python");
    assert_eq!(place.find(&["--python", "other/python"], &both, "wheel/bin/rcorn"), Ok(named));
}

#[test]
fn a_directory_stands_for_the_python_in_it() {
    let place = Place::new("directory");
    let python = place.environment("env");
    assert_eq!(place.find(&["--python", "env"], &[], "bin/rcorn"), Ok(python));
}

#[test]
fn where_pip_has_installed_it() {
    let place = Place::new("pip");
    let active = place.environment("active");
    let environment = place.0.join("active");
    let variable = [("VIRTUAL_ENV", environment.as_path())];
    let extension = place.executable("usr/lib/python3.12/site-packages/rcorn/_rcorn.abi3.so");
    let settings = Settings::default();
    let executable = place.0.join("usr/bin/rcorn");
    let invocation = Invocation { executable, ..Invocation::of_process() };
    assert!(find_extension(&invocation, &settings).is_err(), "there is no record of pip's");
    for (version, matches) in [("0.0.1", false), (env!("CARGO_PKG_VERSION"), true)] {
        let record = format!("usr/lib/python3.12/site-packages/rcorn-{version}.dist-info");
        std::fs::create_dir_all(place.0.join(record)).unwrap();
        assert_eq!(find_extension(&invocation, &settings).is_ok(), matches, "{version}");
    }
    assert_eq!(find_extension(&invocation, &settings).unwrap(), extension);
    assert_eq!(place.find(&[], &variable, "usr/bin/rcorn"), Ok(active), "a user's directory has no Python");
    let python = place.executable("usr/bin/python3.12");
    assert_eq!(place.find(&[], &variable, "usr/bin/rcorn"), Ok(python));
}

#[test]
fn what_is_wrong_is_one_sentence() {
    let place = Place::new("wrong");
    std::fs::write(place.0.join("text"), "x").unwrap();
    for (name, words) in [("absent", "does not exist"), ("text", "is not executable")] {
        let refused = place.find(&["--python", name], &[], "bin/rcorn").unwrap_err();
        assert!(refused.starts_with("python: ") && refused.contains(words), "{refused}");
    }
    assert!(place.find(&[], &[("PATH", &place.0)], "bin/rcorn").unwrap_err().contains("no Python was found"));
}
