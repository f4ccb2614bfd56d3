"""The life of an ASGI worker: lifespan, clients that go away, drains, reloads, signals, time limits."""

import os
import re
import signal
import time

import pytest
from support import processes
from support.client import request_bytes
from support.holding import Held
from support.load import Load
from support.server import copy_app
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("the application is not told to Gunicorn as ASGI")


@pytest.fixture
def asgi(serve):
    return serve("asgi_plain", "--asgi-disconnect-grace-period", "0.3")


def test_a_client_that_goes_is_told_and_sending_fails(asgi):
    with asgi.connect() as connection:
        connection.send(request_bytes("/watch"))
        asgi.made("watching")
    assert asgi.made("disconnected") == "http.disconnect"
    assert asgi.made("send_failed") == "ClientDisconnected False"
    assert asgi.get("/").text == "hello"
    assert "Traceback" not in asgi.log, "a client that goes is no error"


def test_a_client_that_resets_is_told(asgi):
    connection = asgi.connect()
    connection.send(request_bytes("/watch"))
    asgi.made("watching")
    connection.abort()
    assert asgi.made("disconnected") == "http.disconnect"
    asgi.made("send_failed")


def test_a_task_whose_client_has_gone_is_cancelled_after_a_grace(asgi):
    begin = time.monotonic()
    with asgi.connect() as connection:
        connection.send(request_bytes("/deaf"))
        asgi.made("entered")
    asgi.made("cancelled")
    assert time.monotonic() - begin >= 0.3
    assert "Traceback" not in asgi.log
    assert asgi.get("/").text == "hello"


@pytest.mark.parametrize(("path", "sign"), [("/deaf", "cancelled"), ("/watch", "send_failed")])
def test_a_client_that_goes_is_no_error_of_the_application(serve, path, sign):
    server = serve("asgi_plain", "--asgi-disconnect-grace-period", "0.3", "--access-logfile", "-")
    with server.connect() as connection:
        connection.send(request_bytes(path))
        server.made("entered" if path == "/deaf" else "watching")
    server.made(sign)
    line = rf'"GET {path} HTTP/1.1" (000|200) \d+ "-" "-" "the client went away"'
    wait_until(lambda: re.search(line, server.output), "its line tells why it has no answer")
    assert '" 500 ' not in server.output


def test_a_client_that_only_finished_sending_gets_its_answer(asgi):
    with asgi.connect() as connection:
        connection.send(request_bytes("/number?n=5"))
        connection.finish_sending()
        assert connection.response().text.startswith("5 ")


def test_a_background_task_lets_the_next_request_through(asgi):
    with asgi.connect() as connection:
        assert connection.request("/background").text == "answered"
        asgi.made("background.entered")
        assert connection.request("/").text == "hello"
    (asgi.directory / "background.release").touch()
    asgi.made("background.done")


def test_a_drain_waits_for_background_tasks_and_then_tells_the_application(asgi):
    assert asgi.get("/background").text == "answered"
    asgi.made("background.entered")
    asgi.send(signal.SIGTERM)
    asgi.wait_for_log("stopping")
    stays_true(asgi.is_running, "it waits for the task", 0.5)
    assert not (asgi.directory / "shutdown").exists()
    (asgi.directory / "background.release").touch()
    assert asgi.wait() == 0
    assert (asgi.directory / "background.done").exists() and (asgi.directory / "shutdown").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_who_has_nothing_to_do_leaves_at_once(serve, workers):
    # Without a limit nothing else wakes the loop.
    server = serve("asgi_plain", "--workers", workers, "--timeout", 0)
    assert server.get("/").text == "hello"
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 10, "and not when the time for the drain is over"


def test_a_drain_finishes_requests(asgi):
    with Held(asgi) as held:
        asgi.send(signal.SIGTERM)
        asgi.wait_for_log("stopping")
        held.release()
        assert held.response().text == "released"
    assert asgi.wait() == 0


def test_tasks_that_take_too_long_are_cancelled_in_time_for_the_end(serve):
    server = serve("asgi_plain", "--graceful-timeout", 2)
    connection = server.connect()
    connection.send(request_bytes("/deaf"))
    server.made("entered")
    assert server.stop() == 0
    connection.close()
    assert (server.directory / "cancelled").exists() and (server.directory / "shutdown").exists()
    assert "killed" not in server.log


def test_an_interrupt_ends_at_once(asgi):
    connection = asgi.connect()
    connection.send(request_bytes("/deaf"))
    asgi.made("entered")
    begin = time.monotonic()
    assert asgi.stop(signal.SIGINT) == 0
    connection.close()
    assert time.monotonic() - begin < 10 and "Traceback" not in asgi.log


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_signals_of_the_application_and_ours(serve, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    server = serve("asgi_plain", "--loop", loop)
    (worker,) = server.wait_for_workers(1)
    assert server.get("/signals").text == "0"
    processes.send(worker, signal.SIGUSR2)
    wait_until(lambda: server.get("/signals").text == "1", "the application's handler has run")
    processes.send(worker, signal.SIGTERM)
    with server.explained():
        wait_until(lambda: worker not in server.workers() and server.workers(), "another worker took its place")
    assert server.get("/").text == "hello"
    server.made("shutdown")


def test_an_application_that_exits_is_replaced(asgi):
    (worker,) = asgi.wait_for_workers(1)
    assert asgi.get("/end_process").status == 500
    with asgi.explained():
        wait_until(lambda: asgi.workers() not in ([], [worker]), "another worker took its place")
    assert asgi.get("/").text == "hello"


@pytest.mark.parametrize("path", ["/number", "/slow_number"])
def test_a_reload_under_load_loses_nothing(serve, path):
    server = serve("asgi_plain", "--workers", 2)
    with Load(server.address, clients=6, path=path) as load:
        for generation in (2, 3, 4):
            load.goes_on(200)
            server.send(signal.SIGHUP)
            server.wait_for_log(rf"\] reloaded: generation {generation}\b")
        load.stop()
        load.assert_all_answered()
    assert "Traceback" not in server.log


def test_a_reload_changes_the_class_of_the_workers(start, directory):
    """The same address serves WSGI, then ASGI, then WSGI again, and nobody notices but by the answer."""
    place = directory / "app"
    place.mkdir()
    for name in ("plain", "asgi_plain"):
        copy_app(name, place)
    settings = directory / "rcorn.toml"
    settings.write_text('app = "plain"')
    server = start(None, "--chdir", place, "-c", settings, call="").ready()
    with Load(server.address, clients=3) as load:
        for generation, app in ((2, "asgi_plain"), (3, "plain"), (4, "asgi_plain")):
            load.goes_on(100)
            settings.write_text(f'app = "{app}"')
            server.send(signal.SIGHUP)
            server.wait_for_log(rf"\] reloaded: generation {generation}\b")
        load.stop()
        load.assert_all_answered()
    assert server.get("/state").text == "yes! 1"


LIFESPANS = {
    "failed": 'await send({"type": "lifespan.startup.failed", "message": "no database"})',
    "raises": 'raise RuntimeError("no database")',
    "returns": "return",
}


def lifespan_app(directory, what):
    source = (
        "async def application(scope, receive, send):\n"
        "    if scope['type'] == 'lifespan':\n"
        "        await receive()\n"
        f"        {what}\n"
        "        return\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b'served'})\n"
    )
    directory.mkdir(exist_ok=True)
    (directory / "lived.py").write_text(source)
    return directory


@pytest.mark.parametrize(("what", "mode"), [("failed", "auto"), ("failed", "on"), ("raises", "on"), ("returns", "on")])
def test_a_start_that_fails_is_the_end(start, directory, what, mode):
    place = lifespan_app(directory / "app", LIFESPANS[what])
    server = start(None, "--chdir", place, "--lifespan", mode, call="lived")
    assert server.wait() == 3
    assert "the application did not start: " in server.log
    assert "lifespan.startup.complete" in server.log if what == "returns" else "no database" in server.log
    assert ("Traceback" in server.log) == (what == "raises")


@pytest.mark.parametrize(("what", "mode"), [("raises", "auto"), ("returns", "auto"), ("failed", "off")])
def test_who_knows_no_lifespan_is_served(start, directory, what, mode):
    place = lifespan_app(directory / "app", LIFESPANS[what])
    server = start(None, "--chdir", place, "--lifespan", mode, call="lived").ready()
    assert server.get("/").text == "served"
    assert ("it serves without one" in server.log) == (what == "raises")


def test_a_reload_whose_start_fails_changes_nothing(start, directory):
    place = lifespan_app(directory / "app", "await send({'type': 'lifespan.startup.complete'})")
    server = start(None, "--chdir", place, call="lived").ready()
    old = server.wait_for_workers(1)
    lifespan_app(place, LIFESPANS["failed"])
    server.send(signal.SIGHUP)
    server.wait_for_log("reload failed.*no database")
    wait_until(lambda: server.workers() == old, "the new worker is gone, the old one is not")
    assert server.get("/").text == "served"


def test_a_loop_that_is_blocked_is_replaced_and_shown(serve):
    server = serve("asgi_plain", "--timeout", 1)
    (worker,) = server.wait_for_workers(1)
    with server.connect() as connection:
        connection.send(request_bytes("/block"))
        server.made("blocking")
        server.wait_for_log("WORKER TIMEOUT")
        server.wait_for_log(r'asgi_plain\.py", line \d+ in block')
        with server.explained():
            wait_until(lambda: server.workers() not in ([], [worker]), "another worker took its place")
    assert server.get("/").text == "hello"


def test_a_request_that_waits_long_is_no_silence(serve):
    server = serve("asgi_plain", "--timeout", 1)
    (worker,) = server.wait_for_workers(1)
    with Held(server) as held:
        stays_true(lambda: server.workers() == [worker], "its loop turns", 3)
        held.release()
        assert held.response().text == "released"


def test_memory_and_descriptors_stay_where_they_are(serve):
    server = serve("asgi_plain")
    (worker,) = server.wait_for_workers(1)

    def rounds(count):
        for _ in range(count):
            with server.connect() as connection:
                for path in ("/", "/slow_number?n=1", "/scope", "/context?mark=a"):
                    assert connection.request(path).status == 200
                connection.request("/digest", "POST", body=b"x" * 70_000)
                connection.send(request_bytes("/boom_within"))

    def measures():
        return processes.resident_kib(worker), len(os.listdir(f"/proc/{worker}/fd"))

    rounds(100)
    memory, descriptors = measures()
    rounds(200)
    wait_until(lambda: measures()[1] <= descriptors + 1, "its descriptors are closed")
    assert measures()[0] < memory + 1500, (memory, measures())
