"""Another version takes over, and gives back: its contract, its scoreboard and what it says really differ."""

import json
import os
import shutil
import signal
import subprocess

import pytest
from support import tomorrow
from support.holding import Held
from support.load import Load
from support.subject import Subject, binaries
from support.waiting import wait_until

pytestmark = [
    pytest.mark.rcorn("Gunicorn's USR2 is another process"),
    pytest.mark.skipif(not (tomorrow.BINARIES / "rcorn").exists(), reason="no other build is there: make test makes one"),
]

TODAY, TOMORROW = "0.1.0", tomorrow.VERSION
FILES = ["lib_rcorn.so", "rcorn"]


class Upgraded:
    """A server whose program lies where a test can replace it, with a control socket."""

    def __init__(self, serve, directory, *flags):
        self.place = directory / "bin"
        self.place.mkdir()
        self.socket = directory / "control.sock"
        self.install(TODAY)
        subject = Subject((str(self.place / "rcorn"),), Subject.default().python)
        self.server = serve("plain", "--control-socket", self.socket, *flags, subject=subject)
        self.outcomes = 0

    def install(self, version):
        """As package managers do it, by rename."""
        for name in FILES:
            shutil.copy2((binaries() if version == TODAY else tomorrow.BINARIES) / name, self.place / f"{name}.new")
            (self.place / f"{name}.new").rename(self.place / name)

    def ctl(self, version, *words):
        place = binaries() if version == TODAY else tomorrow.BINARIES
        return subprocess.run(
            [place / "rcornctl", "--socket", self.socket, *words], capture_output=True, text=True, timeout=60
        )

    def becomes(self, version):
        """Installs it and reloads; with the client of the version that is left."""
        former = self.status()["version"]
        self.install(version)
        done = self.ctl(former, "reload")
        assert done.returncode == 0, done.stdout + done.stderr + self.server.log
        assert self.status()["version"] == version

    def status(self, version=TODAY):
        done = self.ctl(version, "status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def upgraded(serve, directory):
    return lambda *flags: Upgraded(serve, directory, *flags)


@pytest.mark.parametrize("preload", ["on", "off"])
def test_forth_and_back_without_losing_a_request(upgraded, preload):
    it = upgraded("--workers", 2, f"--preload={preload}")
    pid = it.server.pid
    with Load(it.server.address, clients=4) as kept, Load(it.server.address, clients=2, keep_alive=False) as fresh:
        for _ in range(3):
            for version in (TOMORROW, TODAY):
                it.becomes(version)
    kept.assert_all_answered()
    fresh.assert_all_answered()
    assert it.server.pid == pid
    assert it.server.log.count(f"rcorn {TOMORROW} goes on in this process where rcorn {TODAY} stopped") == 3
    assert it.server.log.count(f"rcorn {TODAY} goes on in this process where rcorn {TOMORROW} stopped") == 3
    with it.server.explained():
        wait_until(lambda: len(it.server.workers()) == 2, "those of the former generations have left")
    assert "killed" not in it.server.log


def test_what_is_in_flight_finishes_two_versions_later(upgraded):
    it = upgraded()
    (first,) = it.server.wait_for_workers(1)
    with Held(it.server, "first") as held:
        it.becomes(TOMORROW)
        with Held(it.server, "second") as second:
            it.becomes(TODAY)
            assert held.release().response().text == f"held {first}"
            assert second.release().response().status == 200
    it.server.wait_for_workers(1)


def test_what_was_counted_stays_counted(upgraded):
    """Also of a worker that goes on, whose scoreboard the other version cannot read."""
    it = upgraded("--workers", 2)

    def counted():
        return it.status()["total"]["by_class"][1]

    for _ in range(10):
        assert it.server.get("/").status == 200
    wait_until(lambda: counted() == 10, "ten requests are counted")
    with Held(it.server, "first") as held:
        it.becomes(TOMORROW)
        assert counted() == 10
        assert it.server.get("/").status == 200
        wait_until(lambda: counted() == 11, "one more is counted")
        held.release()
    it.becomes(TODAY)
    assert counted() == 11
    assert it.status()["reloads"] == {"done": 2, "failed": 0}


def test_either_client_speaks_to_either_version(upgraded):
    it = upgraded("--workers", 2)
    for running, client in [(TODAY, TOMORROW), (TOMORROW, TODAY), (TOMORROW, TOMORROW)]:
        if it.status()["version"] != running:
            it.becomes(running)
        generation = it.status(client)["generation"]
        text = it.ctl(client, "status").stdout
        assert f"generation {generation} (rcorn {running}, pid {it.server.pid})" in text
        assert "2 of 2 ready" in text and it.ctl(client, "stacks").stdout.count("File") >= 2
        assert it.ctl(client, "reload").returncode == 0
        assert it.status(client)["generation"] == generation + 1
    assert it.ctl(TODAY, "stop").returncode == 0
    assert it.server.wait() == 0


def test_an_upgrade_with_a_broken_application_leaves_the_former_version_serving(upgraded):
    it = upgraded("--workers", 2, "--preload=on")
    workers = it.server.wait_for_workers(2)
    source = it.server.directory / "plain.py"
    good = source.read_text()
    source.write_text(f"{good}\nimport a_module_that_nobody_has\n")
    it.install(TOMORROW)
    with Load(it.server.address, clients=3, keep_alive=False) as load:
        done = it.ctl(TODAY, "reload")
        assert done.returncode == 1 and "a_module_that_nobody_has" in done.stderr
        assert it.server.workers() == workers
        before = load.answered
        wait_until(lambda: load.answered > before + 50, "the load goes on")
    load.assert_all_answered()
    # Its zygote has the good code still, and forks for the arbiter of tomorrow.
    os.kill(workers[0], signal.SIGKILL)
    with it.server.explained():
        wait_until(lambda: len(it.server.workers()) == 2 and workers[0] not in it.server.workers(), "it is replaced")
    assert it.server.get("/").text == "hello"
    source.write_text(good)
    assert it.ctl(TOMORROW, "reload").returncode == 0
    assert it.server.get("/").text == "hello"

