"""rolling = true: a reload goes through the workers one by one."""

import re
import signal

import pytest
from support.holding import Held
from support.load import Load
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn replaces all workers at once")

# Each import of a version notes itself, and the third one of a version that is called bad fails.
VERSION = """
import pathlib
from plain import ROUTES, application, plain_text
note = pathlib.Path(__file__).with_name("imports-{version}")
with note.open("a") as file:
    file.write("x")
if "{version}" == "bad" and len(note.read_text()) == 3:
    raise RuntimeError("the third is too many")
ROUTES["/version"] = lambda environ, start_response: plain_text(start_response, "{version}")
"""


@pytest.fixture
def rolling(start, directory):
    write(directory, "one")
    server = start("plain", "--pythonpath", directory, "--workers", 3, "--rolling", "--preload=off", call="versioned")
    return server.ready()


def write(directory, version):
    (directory / "versioned.py").write_text(VERSION.format(version=version) + "#" * len(version))


def most_at_a_time(server):
    """The log tells each worker's begin and end."""
    count = most = 0
    for line in server.log.splitlines():
        count += ("Booting worker" in line) - bool(re.search(r"worker \d+ \(pid \d+\) left", line))
        most = max(most, count)
    return most


def test_there_is_never_more_than_one_worker_too_many(rolling, directory):
    old = rolling.wait_for_workers(3)
    write(directory, "three")
    with Load(rolling.address, clients=3) as kept, Load(rolling.address, clients=2, keep_alive=False) as fresh:
        rolling.send(signal.SIGHUP)
        rolling.wait_for_log("reloaded: generation 2, 3 workers are ready")
        assert {rolling.get("/version").text for _ in range(20)} == {"three"}
        with rolling.explained():
            wait_until(lambda: len(rolling.workers()) == 3 and not set(rolling.workers()) & set(old), "all are new")
    kept.assert_all_answered()
    fresh.assert_all_answered()
    assert most_at_a_time(rolling) == 4


def test_it_waits_for_those_who_have_something_to_finish(rolling, directory):
    rolling.wait_for_workers(3)
    with Held(rolling, "one") as one, Held(rolling, "two") as two, Held(rolling, "three") as three:
        write(directory, "three")
        rolling.send(signal.SIGHUP)
        with rolling.explained():
            wait_until(lambda: len(rolling.workers()) == 4, "the first one has come")
            stays_true(lambda: len(rolling.workers()) == 4, "the next comes when one has left", seconds=1)
        assert "reloaded" not in rolling.log
        for held in (one, two, three):
            assert held.release().response().status == 200
    rolling.wait_for_log("reloaded: generation 2")


def test_one_that_fails_half_way_makes_the_old_generation_complete_again(rolling, directory):
    rolling.wait_for_workers(3)
    write(directory, "bad")
    with Load(rolling.address, clients=2, keep_alive=False) as load:
        rolling.send(signal.SIGHUP)
        # What is respawned imports what lies there; so it is good again by then.
        rolling.wait_for_log(r"reload failed: [^\n]*the third is too many[^\n]* \(still serving generation 1\)")
        write(directory, "one")
        with rolling.explained():
            wait_until(lambda: len(rolling.workers()) == 3, "three workers serve")
            wait_until(lambda: {rolling.get("/version").text for _ in range(20)} == {"one"}, "of the old generation")
    load.assert_all_answered()
