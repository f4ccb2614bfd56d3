"""Which Pythons this machine has: the system's, those on PATH, those of pyenv. No path is written down here.

Run as a program it makes virtual environments: `tests` one for each of them, `example` one for `make run`.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 11)
WANTED = ["3.11", "3.12", "3.13"]
ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute()
ENVIRONMENTS = Path(os.environ.get("RCORN_TEST_VENVS") or ROOT / "target").absolute()


@dataclass(frozen=True)
class Interpreter:
    """One Python that was found."""

    label: str
    path: Path
    version: tuple

    @property
    def is_supported(self):
        return self.version >= OLDEST

    @property
    def environment(self):
        """Its virtual environment with what the tests' applications need."""
        return ENVIRONMENTS / f"venv-{self.label}"


def version_of(path):
    """(major, minor) of a Python with the lock that rcorn needs, or None."""
    code = "import sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
    try:
        output = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=30, check=True).stdout
        major, minor, free_threaded = map(int, output.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return None if free_threaded else (major, minor)


def pyenv_roots():
    yield os.environ.get("PYENV_ROOT")
    if shutil.which("pyenv"):
        yield subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False).stdout.strip()
    yield os.path.expanduser("~/.pyenv")


@functools.lru_cache(maxsize=None)
def pyenv_pythons():
    """Version text ("3.12.1") to interpreter."""
    found = {}
    for root in filter(None, pyenv_roots()):
        for python in sorted(Path(root).glob("versions/*/bin/python")):
            name = python.parents[1].name
            if re.fullmatch(r"3\.\d+\.\d+", name):
                found.setdefault(name, python)
    return found


@functools.lru_cache(maxsize=None)
def find(minor):
    """A Python of that minor version ("3.12"): pyenv's newest, else the one on PATH. None when there is none."""
    of_pyenv = [path for name, path in pyenv_pythons().items() if name.startswith(minor + ".")]
    on_path = [found for found in [shutil.which(f"python{minor}")] if found]
    for path in [*reversed(of_pyenv), *map(Path, on_path)]:
        version = version_of(path)
        if version and minor == "{}.{}".format(*version):
            return Interpreter(minor, path, version)
    return None


@functools.lru_cache(maxsize=None)
def system():
    """The system's python3, or None."""
    path = Path("/usr/bin/python3")
    version = version_of(path)
    return Interpreter("system", path, version) if version else None


@functools.lru_cache(maxsize=None)
def on_path():
    """The python3 on PATH, whatever its version, or None."""
    path = shutil.which("python3")
    version = version_of(path) if path else None
    return Interpreter("{}.{}".format(*version), Path(path), version) if version else None


def supported():
    """Every interpreter that the tests run on; the first one runs most of them, and pytest itself."""
    found = {}
    for interpreter in [system(), *map(find, WANTED), on_path()]:
        if interpreter and interpreter.is_supported:
            found.setdefault(interpreter.label, interpreter)
    return list(found.values())


def main(what):
    found = supported()
    if not found:
        sys.exit("rcorn needs Python 3.11 or newer, and there is none: on Debian 12 and later, apt install python3 python3-venv")
    if what == "example":
        make_environment(found[0], ENVIRONMENTS / "venv-example", [ROOT / "examples" / "flask" / "requirements.txt"])
        return
    apps, tests = (ROOT / "tests" / "requirements" / name for name in ("apps.txt", "tests.txt"))
    for interpreter in found:
        make_environment(interpreter, interpreter.environment, [apps, tests] if interpreter is found[0] else [apps])
    print(found[0].environment / "bin" / "python")


def make_environment(interpreter, place, requirements):
    """Makes a virtual environment, unless one made from the same is there."""
    stamp = place / "made-from"
    wanted = "\n".join([str(interpreter), *(path.read_text() for path in requirements)])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"making {place} with {interpreter.path}", file=sys.stderr)
    shutil.rmtree(place, ignore_errors=True)
    if subprocess.run([interpreter.path, "-m", "venv", place], check=False, stdout=sys.stderr).returncode:
        sys.exit(f"{interpreter.path} cannot make virtual environments: on Debian, apt install python3-venv")
    pip = [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    arguments = [argument for path in requirements for argument in ("-r", path)]
    if subprocess.run([*pip, *arguments], check=False, stdout=sys.stderr).returncode:
        sys.exit(f"pip could not install what {', '.join(map(str, requirements))} ask for")
    stamp.write_text(wanted)


if __name__ == "__main__":
    main(sys.argv[1])
