"""Reloads that cannot succeed, each for a reason of its own: one clear line, and what serves goes on as it was."""

import os
import re
import resource
import signal

import pytest
from support.load import Load
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn survives no failed reload")

PRELOAD = pytest.mark.parametrize("preload", ["on", "off"])


@pytest.fixture
def configured(serve, directory):
    """Serves the plain application with a settings file that a test can change."""

    def configured(text="", *flags, **options):
        configure(directory, text)
        return serve("plain", "--config", directory / "app.toml", *flags, **options)

    return configured


def configure(directory, text):
    (directory / "app.toml").write_text(text)


def reload_fails(server, words, count=1):
    """Asks for a reload, and gives the one line that says why it failed."""
    server.send(signal.SIGHUP)
    said = server.wait_for_log(r"\[ERROR\] reload failed: [^\n]*", count=count)[0]
    assert words in said and said.endswith("(still serving generation 1)"), said
    said_to_systemd = f"STATUS={said.removeprefix('[ERROR] ')}"
    wait_until(lambda: server.notify.said(said_to_systemd), f"systemd heard {said_to_systemd!r}")
    return said


def is_as_before(server, workers):
    """Only the old processes are there, under their names, and one of them answers."""
    with server.explained():
        wait_until(
            lambda: server.workers() == workers and len(server.titled("zygote")) == 1, "the new ones are gone"
        )
        title = open(f"/proc/{server.pid}/cmdline").read().split("\0")[0]
        assert title == "rcorn: arbiter [plain]", title
    assert server.get("/").text == "hello"


def test_an_interpreter_that_is_gone(configured, directory):
    server = configured()
    workers = server.wait_for_workers(1)
    configure(directory, f'python = "{directory}/nowhere"\n')
    reload_fails(server, f"{directory}/nowhere")
    is_as_before(server, workers)


def test_an_interpreter_that_is_none(configured, directory):
    server = configured()
    workers = server.wait_for_workers(1)
    (directory / "python").write_text("#!/bin/sh\necho 'no Python here' >&2; exit 1\n")
    (directory / "python").chmod(0o755)
    configure(directory, f'python = "{directory}/python"\n')
    reload_fails(server, "no Python here")
    is_as_before(server, workers)


def test_a_user_that_does_not_exist(configured, directory):
    server = configured()
    workers = server.wait_for_workers(1)
    configure(directory, 'user = "nobody-has-this-name"\n')
    said = reload_fails(server, 'there is no user "nobody-has-this-name"')
    assert re.search(r"\.toml:\d+: there is no user", said), "it says where that was written"
    is_as_before(server, workers)


@PRELOAD
def test_an_import_that_fails_says_where(serve, preload):
    server = serve("plain", "--workers", 2, f"--preload={preload}")
    workers = server.wait_for_workers(2)
    (server.directory / "plain.py").write_text("\n\nraise LookupError('the third line')\n")
    said = reload_fails(server, "LookupError: the third line")
    before = server.log.partition(said)[0]
    assert before.count("Traceback (most recent call last)") == 1 and 'plain.py", line 3' in before
    is_as_before(server, workers)


def test_one_worker_that_cannot_start_is_enough(serve):
    """Whoever is the second to import the module fails; the first one got ready."""
    server = serve("plain", "--workers", 2, "--preload=off")
    workers = server.wait_for_workers(2)
    source = server.directory / "plain.py"
    lock = "import os\nos.mkdir('only-once')\n"
    source.write_text(source.read_text() + lock)
    with Load(server.address, clients=4) as load:
        reload_fails(server, "FileExistsError")
        is_as_before(server, workers)
    load.assert_all_answered()


@PRELOAD
def test_after_a_failed_reload_killed_workers_come_back(serve, preload):
    """With preload as they were; without it from what lies on disk, as soon as that can be imported again."""
    server = serve("plain", "--workers", 2, f"--preload={preload}")
    source = server.directory / "plain.py"
    good = source.read_text()
    source.write_text("raise LookupError('a bad one')\n")
    reload_fails(server, "LookupError")
    victim, survivor = server.wait_for_workers(2)
    os.kill(victim, signal.SIGKILL)
    if preload == "off":
        server.wait_for_log("restarting in", count=2)
        stays_true(lambda: survivor in server.workers(), "the healthy one is there", seconds=0.2)
        assert server.get("/").text == "hello"
        source.write_text(good)
    with server.explained():
        wait_until(lambda: len(server.workers()) == 2 and victim not in server.workers(), "there are two again")
    assert server.get("/").text == "hello"


def test_the_settings_of_what_serves_hold_for_its_later_workers(configured, directory):
    server = configured('env = ["COLOUR=red"]\n')
    configure(directory, 'env = ["COLOUR=blue"]\nworkers = 2\npythonpath = "nowhere"\n')
    (server.directory / "plain.py").rename(directory / "plain.py")
    reload_fails(server, "plain")
    (worker,) = server.wait_for_workers(1)
    os.kill(worker, signal.SIGKILL)
    with server.explained():
        wait_until(lambda: server.workers() not in ([], [worker]), "there is another worker")
    assert server.get("/process-environment").json["COLOUR"] == "red"
    stays_true(lambda: len(server.workers()) == 1, "there is one", seconds=0.2)


@pytest.mark.parametrize("spare", [0, 1, 2, 4])
def test_no_descriptor_is_left(serve, spare):
    server = serve("plain", "--workers", 2)
    workers = server.wait_for_workers(2)
    highest = max(map(int, os.listdir(f"/proc/{server.pid}/fd")))
    most = (highest + 1 + spare, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE, most)
    reload_fails(server, "Too many open files")
    assert server.workers() == workers and server.get("/").text == "hello"
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
    server.send(signal.SIGHUP)
    server.wait_for_log(r"\] reloaded: generation")


def test_no_room_is_left_for_the_state(serve):
    """Nor for the log: only systemd hears of it."""
    server = serve("plain")
    workers = server.wait_for_workers(1)
    most = (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE, most)
    server.send(signal.SIGHUP)
    said = "STATUS=reload failed: cannot write down the state: File too large (os error 27) (still serving generation 1)"
    with server.explained():
        wait_until(lambda: server.notify.said(said), f"systemd heard {said!r}")
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)
    assert server.workers() == workers and server.get("/").text == "hello"
    server.send(signal.SIGHUP)
    server.wait_for_log(r"\] reloaded: generation")
