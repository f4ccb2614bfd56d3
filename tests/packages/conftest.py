"""The packages as `make deb` and `make rpm` leave them, and a later version of each; machines without rcorn to put them in."""

import json
import re
import shutil
import subprocess

import pytest
from support import box as boxes
from support import tomorrow
from support.interpreters import ROOT, TARGET
from support.subject import IS_RCORN

DIST = TARGET / "dist"


def only(pattern, kind):
    """The one package that there is."""
    found = sorted(DIST.rglob(pattern))
    if len(found) != 1:
        pytest.skip(f"there are {len(found)} packages {pattern}; `make {kind}` makes one")
    return found[0]


@pytest.fixture(scope="session")
def deb():
    return only("rcorn_*.deb", "deb")


@pytest.fixture(scope="session")
def rpm():
    return only("rcorn-*.rpm", "rpm")


@pytest.fixture(scope="session")
def later_deb(deb, tmp_path_factory):
    """The same package with tomorrow's programs in it."""
    place = tmp_path_factory.mktemp("later")
    subprocess.run(["dpkg-deb", "-R", deb, place / "tree"], check=True)
    with_tomorrow(place / "tree/usr/bin", place / "tree/usr/lib/rcorn")
    control = place / "tree/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {tomorrow.VERSION}-1", control.read_text()))
    package = place / f"rcorn_{tomorrow.VERSION}-1_amd64.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", place / "tree", package], check=True, stdout=subprocess.DEVNULL)
    return package


@pytest.fixture(scope="session")
def later_rpm(rpm, tmp_path_factory):
    """The same spec with tomorrow's programs."""
    place = tmp_path_factory.mktemp("later-rpm")
    built = place / "built"
    built.mkdir()
    with_tomorrow(built, built)
    (built / "third-party.txt").write_text("")
    # Its build directory is the checkout, which is read only.
    defines = {"_topdir": place, "_rpmdir": place, "built": built, "rcorn_version": tomorrow.VERSION}
    options = [word for name, value in defines.items() for word in ("--define", f"{name} {value}")]
    command = ["rpmbuild", "-bb", "--quiet", "--nodeps", "--build-in-place", "rpm/rcorn.spec", *options]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(place.rglob("rcorn-*.rpm"))


def with_tomorrow(programs, library):
    if not (tomorrow.BINARIES / "rcorn").exists():
        pytest.skip("no other build is there: make test makes one")
    for name in ("rcorn", "rcornctl"):
        shutil.copy2(tomorrow.BINARIES / name, programs)
    shutil.copy2(tomorrow.BINARIES / "lib_rcorn.so", library / "_rcorn.abi3.so")


@pytest.fixture
def blank(request):
    """A machine that has never heard of rcorn; `blank(suite)` is not booted yet."""
    reason = boxes.why_not() if IS_RCORN else "about rcorn's packages"
    if reason:
        pytest.skip(reason)

    def make(suite):
        try:
            machine = boxes.Box(suite)
        except boxes.Unable as why:
            pytest.skip(str(why))
        request.addfinalizer(machine.stop)
        return machine

    return make


def steps(heading="## Install"):
    """The commands that README.md has under a heading."""
    text = (ROOT / "README.md").read_text().split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]
    return "".join(line[4:] + "\n" for line in text.splitlines() if line.startswith("    ") or not line.strip())


def status(box, name="shop"):
    return json.loads(box.run("rcornctl", "status", name, "--json"))
