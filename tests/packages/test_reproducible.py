"""The same sources make the same packages: somewhere else, for somebody else, on another day."""

import hashlib
import os
import shutil
import subprocess

import pytest
from support.interpreters import ROOT, TARGET

from .conftest import DIST


def digests(place):
    packages = [path for kind in ("*.deb", "*.rpm") for path in place.rglob(kind)]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in packages}


@pytest.mark.alone
@pytest.mark.timeout(1200)
def test_two_builds_are_the_same(tmp_path, deb, rpm):
    if subprocess.run(["unshare", "--user", "--map-user=1234", "true"], capture_output=True).returncode:
        pytest.skip("nobody else can be had here: unshare --user is not allowed")
    elsewhere = tmp_path / "a-directory-with-a-longer-name"
    copy_sources(elsewhere)
    # Only tools that were fetched already: the compiler's, and zig.
    (elsewhere / "target").mkdir()
    (elsewhere / "target/venv-zig").symlink_to(TARGET / "venv-zig")
    home = os.path.expanduser("~")
    environment = {name: value for name, value in os.environ.items() if name not in ("CARGO_TARGET_DIR", "RUSTFLAGS", "MAKEFLAGS")}
    environment |= {"HOME": str(tmp_path), "USER": "somebody", "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8"}
    environment |= {"CARGO_HOME": os.environ.get("CARGO_HOME", f"{home}/.cargo"), "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", f"{home}/.rustup")}
    command = ["unshare", "--user", "--map-user=1234", "--map-group=1234", "sh", "-c", "umask 027; exec make deb rpm"]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert digests(elsewhere / "target/dist") == digests(DIST)


def copy_sources(place):
    """What is kept in the tree, with times of long ago."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
            os.utime(place / name, (981_173_106, 981_173_106))
