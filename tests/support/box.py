"""A machine of its own with a real systemd: systemd-nspawn on a root made by mmdebstrap, which is kept under target/.

What one test does to its box is gone with the box: an overlay lies over the root.
"""

import contextlib
import fcntl
import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .interpreters import ROOT, TARGET
from .subject import binaries
from .waiting import wait_until

PACKAGES = (
    "systemd,systemd-sysv,dbus,passwd,libgcc-s1,python3,python3-flask,python3-django,nginx,curl,iproute2,procps,netbase,rpm"
)
ROOTS = TARGET / "roots"
SUITES = ["bookworm", "trixie", "sid"]
GROUPS = Path("/sys/fs/cgroup")
NUMBERS = itertools.count()


class Unable(Exception):
    """Why there can be no box here."""


def why_no_root():
    """Why no root of a Debian release can be made here, or nothing."""
    if os.geteuid() != 0:
        return "roots of Debian releases need root"
    return None if shutil.which("mmdebstrap") else "roots of Debian releases need mmdebstrap (on Debian, apt install mmdebstrap)"


@functools.lru_cache(maxsize=None)
def why_not():
    """Why this machine cannot have boxes, or nothing."""
    if os.geteuid() != 0:
        return "boxes with systemd need root"
    missing = [tool for tool in ("systemd-nspawn", "mmdebstrap", "nsenter") if not shutil.which(tool)]
    if missing:
        return f"boxes with systemd need {', '.join(missing)} (on Debian, apt install systemd-container mmdebstrap)"
    return why_no_boot()


def why_no_boot():
    """Tried once, with the first release: a container, for instance, may have no boxes within."""
    try:
        box = Box(SUITES[0])
    except (Unable, subprocess.CalledProcessError) as why:
        return f"no box can be made here: {why}"
    try:
        box.boot()
        return None
    except AssertionError as why:
        return f"no box boots here: {why}"
    finally:
        box.stop()


@functools.lru_cache(maxsize=None)
def root(suite, packages=PACKAGES):
    """The root of a Debian release; made when it is not there."""
    # Under another name once it has other packages.
    place = ROOTS / f"{suite}-{hashlib.sha256(packages.encode()).hexdigest()[:8]}"
    with open(made(ROOTS) / f"{suite}.lock", "w") as turn:
        # Whoever comes second finds it made.
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not place.exists():
            make_root(suite, packages, place)
    return place


def make_root(suite, packages, place):
    if (failure := ROOTS / f"{place.name}.failed").exists() and time.time() - failure.stat().st_mtime < 600:
        raise Unable(failure.read_text())
    draft = Path(tempfile.mkdtemp(prefix=f"{suite}-", dir=ROOTS))
    sites = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    mirror = subprocess.run(sites, capture_output=True, text=True).stdout.splitlines()[:1]
    options = ["--quiet", "--variant=minbase", f"--include={packages}", '--aptopt=Acquire::Check-Valid-Until "false"']
    done = subprocess.run(["mmdebstrap", *options, suite, draft, *mirror], capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(draft, ignore_errors=True)
        failure.write_text(f"mmdebstrap cannot make {suite}: {' '.join(done.stderr.strip().splitlines()[-1:])}")
        raise Unable(failure.read_text())
    draft.chmod(0o755)
    draft.rename(place)


def made(directory):
    directory.mkdir(parents=True, exist_ok=True)
    return directory


class Box:
    """One machine. Boot it, run commands in it, stop it."""

    def __init__(self, suite):
        self.suite = suite
        self.place = Path(tempfile.mkdtemp(prefix="rcorn-box-"))
        # A machine's name has letters, digits, and dashes within.
        self.name = f"rcorn-{os.getpid()}-{next(NUMBERS)}"
        self.tree = self.place / "root"
        self.process = None
        self.leader = None
        layers = [made(self.place / name) for name in ("upper", "work", "root")]
        options = f"lowerdir={root(suite)},upperdir={layers[0]},workdir={layers[1]}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.tree], check=True)
        self.binds = {Path(__file__).resolve().parents[1]: "/tests"}
        (self.tree / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")

    def install(self):
        """What a package lays down and does, by `make install`."""
        place = (f"DESTDIR={self.tree}", "PREFIX=/usr", f"BUILT={binaries()}")
        subprocess.run(["make", "--silent", "install", *place], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        with open(self.tree / "etc/group", "a") as groups:
            groups.write("rcorn:x:990:\n")
        return self

    def write(self, path, text):
        """Before it boots: afterwards a link in the box could lead out of it."""
        file = self.tree / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return self

    def boot(self, seconds=60):
        heard = self.place / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(heard))
            notify.settimeout(0.5)
            deadline = time.monotonic() + seconds
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", f'{self._enter_groups()} exec "$@"', "sh", *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=open(self.place / "console", "wb"),
                stderr=subprocess.STDOUT,
                env={**os.environ, "NOTIFY_SOCKET": str(heard), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
            told = ""
            while "READY=1" not in told:
                try:
                    told += notify.recv(4096).decode() + "\n"
                except TimeoutError:
                    gone = self.process.poll() is not None
                    assert not gone and time.monotonic() < deadline, f"{self.suite} does not boot: {self.console()[-500:]}"
                if "X_NSPAWN_LEADER_PID=" in told:
                    self.leader = int(re.search(r"X_NSPAWN_LEADER_PID=(\d+)", told)[1])
        return self

    def _command(self):
        return [
            *("systemd-nspawn", "-q", "-D", str(self.tree), "-b", "--register=no", "--keep-unit", "--private-network"),
            *("-M", self.name, "--notify-ready=yes", "--console=pipe", "--kill-signal=SIGRTMIN+4"),
            *(f"--bind-ro={source}:{place}" for source, place in self.binds.items()),
        ]

    def _groups(self):
        parents = [GROUPS / "systemd", GROUPS / "unified", GROUPS]
        return [parent / self.name for parent in parents if (parent / "cgroup.procs").exists()]

    def _enter_groups(self):
        """Two boxes in the same control group get in each other's way."""
        return " ".join(f"mkdir -p {group} && echo $$ > {group}/cgroup.procs;" for group in self._groups())

    def console(self):
        return (self.place / "console").read_text(errors="replace")

    def start(self, *words, **options):
        """A command in the box, in the background."""
        return subprocess.Popen(["nsenter", "-t", str(self.leader), "-a", "--", *map(str, words)], **options)

    def run(self, *words, code=0, seconds=60, text=None):
        """What a command says; it has to end with `code` (None: with any)."""
        command = ["nsenter", "-t", str(self.leader), "-a", "--", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, input=text)
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def put(self, path, content):
        """Writes a file in the running box."""
        data = content if isinstance(content, bytes) else content.encode()
        write = ["sh", "-c", 'mkdir -p "$(dirname "$1")" && cat > "$1"', "sh", path]
        subprocess.run(["nsenter", "-t", str(self.leader), "-a", "--", *write], input=data, check=True, timeout=60)

    def show(self, unit, name):
        return self.run("systemctl", "show", unit, "--property", name, "--value").strip()

    def journal(self, *words):
        self.run("journalctl", "--sync", code=None)
        lines = self.run("journalctl", "-o", "json", "--no-pager", *words).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def said(self, unit):
        """The messages of a unit, one under the other."""
        return "\n".join(str(entry.get("MESSAGE")) for entry in self.journal("-u", unit))

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        subprocess.run(["umount", "-l", self.tree], check=False)
        for group in self._groups():
            # From the leaves up; a group that is still in use stays.
            for directory, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)
        shutil.rmtree(self.place, ignore_errors=True)


def wait_for_unit(box, unit, state="active", seconds=30):
    """Until the unit is in that state."""
    try:
        wait_until(lambda: box.show(unit, "ActiveState") == state, f"{unit} is {state}", seconds=seconds, pause=0.05)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{box.run('systemctl', 'status', unit, code=None)}\n{box.said(unit)}") from None


class Load:
    """Clients inside the box, whose every request is accounted for."""

    def __init__(self, box, address="127.0.0.1:8000", manner="fresh"):
        command = ["env", "PYTHONPATH=/tests", "python3", "-m", "support.loader", address, "3", manner]
        self.process = box.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        output, _ = self.process.communicate("", timeout=60)
        self.result = json.loads(output)
        self.failures = self.result["failures"]
        assert self.result["answered"] > 0, self.result
