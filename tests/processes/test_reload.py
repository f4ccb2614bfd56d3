"""HUP and USR2: new workers with new code replace the old ones once they are ready, or nothing changes."""

import itertools
import os
import signal

import pytest
from support.client import Connection
from support.holding import Held
from support.load import Load
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn's HUP stops the old workers at once and survives no failure")

RELOADS = pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR2], ids=lambda number: number.name)
PRELOAD = pytest.mark.parametrize("preload", ["on", "off"])

VERSION = """
import os
from plain import ROUTES, application, plain_text
ROUTES["/version"] = lambda environ, start_response: plain_text(start_response, "{version}")
"""


@pytest.fixture
def versioned(start, directory):
    """Serves an application whose version a test can change."""

    def versioned(*flags, **options):
        write(directory, "one")
        return start("plain", "--pythonpath", directory, *flags, call="versioned", **options).ready()

    return versioned


SIZES = itertools.count()


def write(directory, version):
    # Never twice the same size: a source of the same size and second passes for the one that is compiled already.
    (directory / "versioned.py").write_text(VERSION.format(version=version) + "#" * next(SIZES))


def replaced(server, old, count):
    with server.explained():
        wait_until(
            lambda: len(server.workers()) == count and not set(server.workers()) & set(old), "all workers are new"
        )


@RELOADS
@PRELOAD
def test_new_code_is_served(versioned, directory, number, preload):
    server = versioned("--workers", 2, f"--preload={preload}")
    old = server.wait_for_workers(2)
    assert server.get("/version").text == "one"
    write(directory, "two")
    pid = server.pid
    server.send(number)
    replaced(server, old, 2)
    assert {server.get("/version").text for _ in range(10)} == {"two"}
    assert server.is_running() and server.pid == pid
    assert len(server.titled("zygote")) == 1


@PRELOAD
def test_once_it_is_done_every_new_connection_finds_the_new_code(versioned, directory, preload):
    server = versioned("--workers", 4, f"--preload={preload}")
    with Load(server.address, clients=3, keep_alive=False) as load:
        for turn in range(2, 10):
            write(directory, str(turn))
            server.send(signal.SIGHUP)
            server.wait_for_log(rf"reloaded: generation {turn}\b")
            assert {server.get("/version").text for _ in range(20)} == {str(turn)}
    load.assert_all_answered()


@RELOADS
def test_no_request_fails(versioned, directory, number):
    server = versioned("--workers", 2)
    with Load(server.address, clients=6) as kept, Load(server.address, clients=2, keep_alive=False) as fresh:
        for turn in range(3):
            old = server.wait_for_workers(2)
            wait_until(lambda: kept.answered > 200 * (turn + 1), "the load runs")  # noqa: B023
            write(directory, str(turn))
            server.send(number)
            replaced(server, old, 2)
    kept.assert_all_answered()
    fresh.assert_all_answered()


@PRELOAD
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import a_module_that_nobody_has\n", "a_module_that_nobody_has"),
        ("application = 5\n", "callable"),
        ("def application(\n", "SyntaxError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)\n", "SIGSEGV"),
    ],
    ids=["missing-module", "no-callable", "syntax-error", "crash"],
)
def test_code_that_does_not_work_changes_nothing(versioned, directory, preload, code, words):
    server = versioned("--workers", 2, f"--preload={preload}", "--startup-timeout", 5)
    workers = server.wait_for_workers(2)
    (directory / "versioned.py").write_text(code)
    with Load(server.address, clients=4) as load:
        server.send(signal.SIGHUP)
        server.wait_for_log(words)
        server.wait_for_log(r"(?i)reload[^\n]*fail|fail[^\n]*reload")
        with server.explained():
            wait_until(lambda: server.workers() == workers and len(server.titled("zygote")) == 1, "the new ones are gone")
    load.assert_all_answered()
    assert server.get("/version").text == "one"
    write(directory, "two")
    server.send(signal.SIGHUP)
    replaced(server, workers, 2)
    assert server.get("/version").text == "two"


def test_a_new_generation_that_hangs_is_discarded(start, directory):
    server = start("gated", "--startup-timeout", 2)
    (server.directory / "import-may-end").touch()
    workers = server.ready().wait_for_workers(1)
    (server.directory / "import-may-end").unlink()
    server.send(signal.SIGHUP)
    server.wait_for_log(r"(?i)reload[^\n]*fail|fail[^\n]*reload")
    assert server.workers() == workers and server.get("/").text == "hello"


def test_the_old_ones_serve_until_the_new_ones_are_ready(start):
    server = start("gated")
    gate = server.directory / "import-may-end"
    gate.touch()
    (old,) = server.ready().wait_for_workers(1)
    gate.unlink()
    (server.directory / "importing").unlink()
    server.send(signal.SIGHUP)
    with server.explained():
        wait_until((server.directory / "importing").exists, "the new import has begun")
    assert server.get("/pid").text == str(old)
    gate.touch()
    replaced(server, [old], 1)


def test_a_request_of_the_old_generation_is_finished(versioned, directory):
    server = versioned()
    (old,) = server.wait_for_workers(1)
    with Held(server) as held:
        write(directory, "two")
        server.send(signal.SIGHUP)
        wait_until(lambda: server.get("/version").text == "two", "the new code is served")
        assert held.release().response().text == f"held {old}"
    replaced(server, [old], 1)


def test_settings_are_read_anew(start, directory):
    file = directory / "app.toml"
    file.write_text('workers = 1\nenv = ["COLOUR=red"]\n')
    server = start("plain", "--config", file).ready()
    old = server.wait_for_workers(1)
    file.write_text('workers = 3\nenv = ["COLOUR=blue"]\n')
    server.send(signal.SIGHUP)
    replaced(server, old, 3)
    assert server.get("/process-environment").json["COLOUR"] == "blue"


@pytest.mark.parametrize("content", ['workers = "many"\n', "workers = \n", None], ids=["value", "grammar", "missing"])
def test_settings_that_are_wrong_change_nothing(start, directory, content):
    file = directory / "app.toml"
    file.write_text("workers = 2\n")
    server = start("plain", "--config", file).ready()
    workers = server.wait_for_workers(2)
    file.unlink() if content is None else file.write_text(content)
    server.send(signal.SIGHUP)
    server.wait_for_log(r"(?i)reload[^\n]*app\.toml")
    stays_true(lambda: server.workers() == workers, "the workers are the same", seconds=0.3)
    assert server.get("/").text == "hello"


def test_an_address_may_come_and_go(start, directory):
    file, first, second = directory / "app.toml", f"{directory}/1.sock", f"{directory}/2.sock"
    file.write_text(f'bind = "unix:{first}"\n')
    server = start("plain", "--config", file, handed=False).ready()
    file.write_text(f'bind = "unix:{second}"\n')
    old = server.wait_for_workers(1)
    server.send(signal.SIGHUP)
    replaced(server, old, 1)
    with Connection(second) as connection:
        assert connection.request("/").text == "hello"
    wait_until(lambda: not os.path.exists(first), "the first socket is gone")


def test_an_address_that_stays_refuses_nobody(start, directory):
    server = start("plain", "--bind", "127.0.0.1:0", "--workers", 2, handed=False).ready()
    old = server.wait_for_workers(2)
    with Load(server.address, clients=4, keep_alive=False) as load:
        server.send(signal.SIGHUP)
        replaced(server, old, 2)
    load.assert_all_answered()


def test_many_reloads_at_once_are_at_most_one_more(versioned, directory):
    server = versioned("--workers", 2)
    old = server.wait_for_workers(2)
    write(directory, "two")
    for _ in range(20):
        server.send(signal.SIGHUP)
    replaced(server, old, 2)
    wait_until(lambda: server.get("/version").text == "two", "the new code is served")
    with server.explained():
        wait_until(lambda: len(server.workers()) == 2 and len(server.titled("zygote")) == 1, "it has settled")


def test_reloads_during_a_reload_are_one_more(start):
    server = start("gated")
    gate, importing = server.directory / "import-may-end", server.directory / "importing"
    gate.touch()
    server.ready()
    gate.unlink()
    importing.unlink()
    server.send(signal.SIGHUP)
    with server.explained():
        wait_until(importing.exists, "the new import has begun")
    for wish in range(3):
        server.send(signal.SIGHUP)
        server.wait_for_log("the reload that was asked for follows it", count=wish + 1)
    gate.touch()
    server.wait_for_log(r"\] reloaded: generation 3")
    stays_true(lambda: "generation 4" not in server.log, "three wishes are one reload more", seconds=0.5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_stop_in_the_middle_of_a_reload(start, number):
    server = start("gated")
    gate = server.directory / "import-may-end"
    gate.touch()
    server.ready()
    gate.unlink()
    (server.directory / "importing").unlink()
    server.send(signal.SIGHUP)
    with server.explained():
        wait_until((server.directory / "importing").exists, "the new import has begun")
    assert server.stop(number, seconds=5) == 0
    assert "Traceback" not in server.log
