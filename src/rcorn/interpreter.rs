//! The application's interpreter, and the extension module that it loads: where they are found.

use crate::settings::{Invocation, Refusal, Settings};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A Python that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interpreter {
    /// Its path. A link of a virtual environment is kept: without it Python would not know the environment.
    pub(crate) path: PathBuf,
}

/// Names of a virtual environment in the application's directory.
const ENVIRONMENTS: [&str; 2] = [".venv", "venv"];

/// The interpreter: the setting `python`; the one beside rcorn, in a virtual environment or where pip has installed it;
/// `$VIRTUAL_ENV`; `.venv` or `venv` in the application's directory; `python3` in `$PATH`.
pub(crate) fn find(invocation: &Invocation, settings: &Settings) -> Result<Interpreter, Refusal> {
    let path = match &settings.python {
        Some(path) => chosen(path, "python")?,
        None => match invocation.variable("VIRTUAL_ENV").filter(|_| beside(invocation).is_none()) {
            Some(environment) => chosen(&settings.chdir.join(environment), "$VIRTUAL_ENV")?,
            None => searched(invocation, settings)?,
        },
    };
    Ok(Interpreter { path })
}

/// Something that was named: a Python, or the directory of a virtual environment.
fn chosen(path: &Path, origin: &str) -> Result<PathBuf, Refusal> {
    let python = if path.is_dir() { python_in(path) } else { path.to_owned() };
    match why_not(&python) {
        None => Ok(python),
        Some(why) => Err(Refusal::setup(format!("{origin}: {} {why}", python.display()))),
    }
}

/// Why this cannot be an interpreter.
fn why_not(path: &Path) -> Option<&'static str> {
    let Ok(data) = std::fs::metadata(path) else {
        return Some("does not exist: give the path of a Python 3.11 or later");
    };
    if !data.is_file() {
        return Some("is not a file: give the path of a Python 3.11 or later");
    }
    (data.permissions().mode() & 0o111 == 0).then_some("is not executable")
}

fn searched(invocation: &Invocation, settings: &Settings) -> Result<PathBuf, Refusal> {
    let local = ENVIRONMENTS.iter().map(|name| settings.chdir.join(name)).find_map(|place| python_of(&place));
    beside(invocation).or(local).or_else(|| in_path(invocation)).ok_or_else(|| {
        let where_else = "install python3, or name one with --python";
        Refusal::setup(format!("no Python was found in a virtual environment or in $PATH: {where_else}"))
    })
}

/// The Python of the virtual environment that rcorn itself is installed in, or the one for which pip has installed it.
fn beside(invocation: &Invocation) -> Option<PathBuf> {
    let prefix = invocation.executable.parent()?.parent()?;
    python_of(prefix).or_else(|| {
        let named = |library: PathBuf| Some(prefix.join("bin").join(library.file_name()?));
        libraries(prefix)
            .filter(|library| package(library).is_some())
            .find_map(named)
            .filter(|python| why_not(python).is_none())
    })
}

/// The library directories of the Pythons that are installed at `prefix`: `lib/python3.12` and its like.
fn libraries(prefix: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = ["lib", "lib64"].map(|lib| std::fs::read_dir(prefix.join(lib)));
    let paths = entries.into_iter().flatten().flatten().flatten().map(|entry| entry.path());
    paths.filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"python3.")))
}

/// The extension that pip has laid into a library directory together with this version of rcorn.
fn package(library: &Path) -> Option<PathBuf> {
    let record = concat!("rcorn-", env!("CARGO_PKG_VERSION"), ".dist-info");
    let places = ["site-packages", "dist-packages"].map(|place| library.join(place));
    let place = places.into_iter().find(|place| place.join(record).is_dir())?;
    Some(place.join("rcorn/_rcorn.abi3.so")).filter(|extension| extension.is_file())
}

/// The Python of a virtual environment, if it is one.
fn python_of(environment: &Path) -> Option<PathBuf> {
    let python = python_in(environment);
    (environment.join("pyvenv.cfg").is_file() && why_not(&python).is_none()).then_some(python)
}

/// `python` as the environment itself calls it; some have `python3` only.
fn python_in(environment: &Path) -> PathBuf {
    let python = environment.join("bin/python");
    if python.exists() { python } else { environment.join("bin/python3") }
}

fn in_path(invocation: &Invocation) -> Option<PathBuf> {
    let path = invocation.variable("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
    let candidates = path.split(':').filter(|directory| !directory.is_empty());
    candidates.map(|directory| Path::new(directory).join("python3")).find(|python| why_not(python).is_none())
}

/// The extension module: the hidden setting; beside rcorn; in the library directory of the package; where pip puts it.
pub(crate) fn find_extension(invocation: &Invocation, settings: &Settings) -> Result<PathBuf, Refusal> {
    if let Some(path) = &settings.extension {
        return Ok(path.clone());
    }
    let home = invocation.executable.parent().unwrap_or(Path::new("/"));
    let places = ["_rcorn.abi3.so", "lib_rcorn.so", "../lib/rcorn/_rcorn.abi3.so"];
    let found = places.iter().map(|place| home.join(place)).find(|path| path.is_file());
    let installed = || libraries(home.parent()?).find_map(|library| package(&library));
    found.or_else(installed).ok_or_else(|| {
        let home = home.display();
        Refusal::setup(format!(
            "the extension module is neither beside rcorn in {home}, nor in {home}/../lib/rcorn, nor where pip installs \
             it for rcorn {}: is the installation complete?",
            env!("CARGO_PKG_VERSION")
        ))
    })
}

#[cfg(test)]
mod tests;
