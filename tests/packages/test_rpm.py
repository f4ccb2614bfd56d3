"""The .rpm: dnf puts it into a root, the root boots, rpm upgrades and removes it there. (The root is a Debian: what the
package asks for is there, and a package without files says so to rpm's database.)"""

import os
import shutil
import subprocess

import pytest
from support import tomorrow
from support.box import Load
from support.interpreters import ROOT

from .conftest import status

APP = (ROOT / "tests/apps/plain.py").read_text()


def rpm_run(*words, home=None):
    """One of rpm's tools. (Debian's has its database in the user's home, unless that says otherwise.)"""
    environment = {**os.environ, "HOME": str(home)} if home else None
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def base(rpm, later_rpm, tmp_path_factory):
    """A package that stands for the C library and the shell, which this root has from elsewhere."""
    place = tmp_path_factory.mktemp("base")
    asked = rpm_run("rpm", "-qp", "--requires", rpm, later_rpm).splitlines()
    wanted = {name for name in asked if name and not name.startswith("rpmlib(")}
    spec = "Name: base\nVersion: 1\nRelease: 1\nSummary: base\nLicense: none\nBuildArch: noarch\n"
    spec += "".join(f"Provides: {name}\n" for name in sorted(wanted)) + "%description\n%files\n"
    (place / "base.spec").write_text(spec)
    rpm_run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {place}", place / "base.spec")
    return next(place.rglob("base-*.rpm"))


@pytest.fixture
def box(blank, base, rpm, tmp_path):
    if not shutil.which("dnf"):
        pytest.skip("dnf is not installed (on Debian, apt install dnf)")
    machine = blank("trixie")
    # nginx's user on these distributions.
    with open(machine.tree / "etc/group", "a") as groups:
        groups.write("nginx:x:991:www-data\n")
    dnf = ("dnf", "-y", "--quiet", f"--installroot={machine.tree}", "--releasever=1", "--disablerepo=*", "--nogpgcheck")
    (tmp_path / ".rpmmacros").write_text("%_dbpath /var/lib/rpm\n")
    rpm_run(*dnf, "--setopt=install_weak_deps=0", "install", base, rpm, home=tmp_path)
    machine.write("/etc/rcorn/shop.toml", 'app = "plain"\nchdir = "/srv/shop"\nworkers = 2\n').write("/srv/shop/plain.py", APP)
    return machine.boot()


def test_what_dnf_lays_down(box):
    assert box.run("rpm", "--verify", "rcorn") == "" and "rcorn" in box.run("getent", "group", "rcorn")
    files = box.run("rpm", "-ql", "rcorn").splitlines()
    assert {"/usr/bin/rcorn", "/usr/bin/rcornctl", "/usr/lib/rcorn/_rcorn.abi3.so", "/etc/rcorn"} <= set(files)
    assert {"/usr/share/man/man1/rcorn.1.gz", "/usr/share/man/man5/rcorn.toml.5.gz"} <= set(files)
    box.run("systemctl", "start", "rcorn@shop.socket")
    assert box.run("stat", "-c", "%U %G %a", "/run/rcorn/shop.sock").split() == ["root", "nginx", "660"]
    assert box.run("curl", "-fsS", "--unix-socket", "/run/rcorn/shop.sock", "http://shop/") == "hello"


def test_upgrade_and_removal(box, later_rpm):
    box.run("systemctl", "enable", "--now", "rcorn@shop")
    box.put("/root/later.rpm", later_rpm.read_bytes())
    before = status(box)
    with Load(box) as load:
        # Not rpm's fault, nor ours: on a Debian it warns that apt should be used.
        box.run("rpm", "-U", "/root/later.rpm")
    assert load.failures == []
    after = status(box)
    assert (after["version"], after["pid"]) == (tomorrow.VERSION, before["pid"]) and before["version"] != tomorrow.VERSION
    box.run("rpm", "-e", "rcorn")
    assert box.show("rcorn@shop", "ActiveState") == "inactive" and box.run("pgrep", "-f", "rcorn", code=1) == ""
    assert box.run("ls", "/etc/rcorn").split() == ["shop.toml"] and "/usr/bin/rcorn" not in box.run("ls", "/usr/bin")


def test_what_it_needs_is_old(rpm):
    """glibc 2.28 of 2018 and nothing else: RHEL 8 and its kin, Fedora 29."""
    needed = rpm_run("rpm", "-qp", "--requires", rpm)
    versions = {tuple(map(int, name.split("GLIBC_")[1].split(")")[0].split("."))) for name in needed.split() if "GLIBC_" in name}
    assert max(versions) <= (2, 28), sorted(versions)
    assert "python" not in needed and "systemd" not in needed
