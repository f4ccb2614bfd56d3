"""Where the peers come from: a virtual environment under target/, and tools of the system."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute()
APPS = Path(__file__).parent / "apps"
VENV = Path(os.environ.get("BENCH_VENV") or TARGET / "venv-bench").absolute()
PYTHON = VENV / "bin" / "python"
RCORN = Path(os.environ.get("RCORN_BIN") or TARGET / "release").absolute() / "rcorn"
HERE = Path(__file__).parent


def newest():
    """The newest Python that the tests run on."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support import interpreters

    return max(interpreters.supported(), key=lambda found: found.version).path


def set_up(interpreter):
    """Makes the environment, unless it is there; says what will be missing."""
    if not shutil.which("wrk"):
        sys.exit("the load is made by wrk: on Debian, apt install wrk")
    for tool, what in (("nginx", "nginx is left out"), ("strace", "system calls are not counted"), ("taskset", "nothing is pinned")):
        if not shutil.which(tool):
            print(f"without {tool}, {what}", file=sys.stderr)
    wanted = "".join((HERE / name).read_text() for name in ("requirements.txt", "requirements-libev.txt"))
    stamp = VENV / "made-from"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"making {VENV} with {interpreter}", file=sys.stderr)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([interpreter, "-m", "venv", VENV], check=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
    subprocess.run([*pip, "--no-build-isolation", "-r", HERE / "requirements-libev.txt"], check=False)
    stamp.write_text(wanted)


def has(module):
    """Can the environment import it?"""
    return subprocess.run([PYTHON, "-W", "ignore", "-c", f"import {module}"], capture_output=True).returncode == 0
