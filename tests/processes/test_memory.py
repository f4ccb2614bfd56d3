"""A worker that the kernel kills for want of memory: the log says so, with the request that needed it."""

import contextlib
import os
import re
import signal
from pathlib import Path

import pytest
from support.client import Closed
from support.holding import Held
from support.load import Load
from support.subject import Subject
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn guesses: 'Perhaps out of memory?'")

LIMIT = 200 << 20
ROOT = Path("/sys/fs/cgroup")
GREEDY = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"hello" if environ["PATH_INFO"] == "/" else b"x" * (1 << 30)]
"""


@pytest.fixture
def group():
    """A control group with little memory, of version 2 or 1."""
    for parent, limit in [(ROOT, "memory.max"), (ROOT / "memory", "memory.limit_in_bytes")]:
        place = parent / f"rcorn-test-{os.getpid()}"
        if made(place, place / limit):
            yield place
            wait_until(lambda: not (place / "cgroup.procs").read_text(), "nobody is left in the group")
            place.rmdir()
            return
    pytest.skip("no control group with a limit of memory can be made here")


def made(place, limit):
    with contextlib.suppress(OSError):
        place.mkdir()
        if limit.exists():
            limit.write_text(str(LIMIT))
            with contextlib.suppress(OSError):
                (place / "memory.swap.max").write_text("0")
            return True
        place.rmdir()
    return False


def test_it_is_told_from_other_kills(group, serve):
    enter = f'echo $$ > {group}/cgroup.procs && exec "$@"'
    default = Subject.default()
    subject = Subject(("/bin/sh", "-c", enter, "sh", *default.command), default.python)
    server = serve("plain", subject=subject)
    (first,) = server.wait_for_workers(1)
    (server.directory / "plain.py").write_text(GREEDY)
    os.kill(first, signal.SIGKILL)
    server.wait_for_log(r"worker 1 \(pid \d+\) was killed by SIGKILL; restarting")
    server.send(signal.SIGHUP)
    server.wait_for_log("reloaded")
    with pytest.raises(Closed):
        server.get("/greedy")
    said = r'worker 1 \(pid \d+\) was killed by SIGKILL by the kernel, as memory ran out while it was in "GET /greedy HTTP/1.1"'
    server.wait_for_log(said)
    assert server.get("/").text == "hello"


def test_under_pressure_the_largest_idle_worker_makes_room(serve, directory):
    """systemd has services watch the kernel, or anything else: here a pipe."""
    pipe = directory / "pressure"
    os.mkfifo(pipe)
    server = serve("plain", "--workers", 2, env={"MEMORY_PRESSURE_WATCH": pipe})
    old = server.wait_for_workers(2)
    with Held(server) as held, Load(server.address, clients=2, keep_alive=False) as load:
        told = r"worker \d \(pid (\d+)\) is the largest that is idle, with \d+ MiB, and memory is short"

        def pressed():
            """As the kernel says it: again and again. At one moment every worker may be in a request."""
            pipe.write_text("now")
            return re.search(told, server.log)

        found = wait_until(pressed, "the largest idle worker has to go", pause=0.05)
        with server.explained():
            wait_until(lambda: len(server.workers()) == 2 and int(found[1]) not in server.workers(), "it is replaced")
        assert held.release().response().text.split()[1] != found[1], "not the one that was busy"
    load.assert_all_answered()
    assert set(server.workers()) & set(old), "only one of them"


def test_what_cannot_be_watched_is_told_and_no_more(serve, directory):
    server = serve("plain", env={"MEMORY_PRESSURE_WATCH": directory / "nowhere"})
    server.wait_for_log(r"\[WARNING\] cannot watch memory pressure at [^\n]*nowhere: No such file")
    assert server.get("/").text == "hello"
