"""The hooks of a worker's life in every kind of worker, and on every interpreter."""

import os
import signal

import pytest
from support.interpreters import supported
from support.subject import Subject, binary
from support.waiting import wait_until

from .conftest import HERE

LIFE = ["post_fork", "post_worker_init"]
KINDS = ["sync", "gthread", "gevent", "asgi"]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def of_kind(hooked, kind, *flags, **options):
    threads = ["--threads", 2] if kind == "gthread" else []
    app = {"app": "asgi_plain"} if kind == "asgi" else {"app": "greens"} if kind == "gevent" else {}
    return hooked("rcorn", "-k", kind, "-w", 1, *threads, *flags, **app, **options)


def test_a_graceful_end(hooked, kind):
    server = of_kind(hooked, kind)
    assert server.server.stop() == 0
    assert server.worker(1) == [*LIFE, "worker_exit"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_a_worker_that_is_interrupted(hooked, kind, number):
    server = of_kind(hooked, kind)
    os.kill(server.named("post_fork")[0]["process"], number)
    server.wait_for("post_worker_init", age=2)
    server.wait_for("child_exit", age=1)
    assert server.worker(1) == [*LIFE, "worker_int", "worker_exit"]


def test_a_worker_that_is_terminated(hooked, kind):
    server = of_kind(hooked, kind)
    os.kill(server.named("post_fork")[0]["process"], signal.SIGTERM)
    server.wait_for("child_exit", age=1)
    assert server.worker(1) == [*LIFE, "worker_exit"]


def test_an_end_that_takes_its_time(hooked, kind):
    """Longer than the second that a worker has which closes its channel unasked."""
    settings = """
import atexit, time

def last():
    time.sleep(1)
    print("ended", flush=True)

def post_worker_init(worker):
    atexit.register(last)

def worker_exit(server, worker):
    time.sleep(1.2)
    print("left", flush=True)
"""
    server = of_kind(hooked, kind, settings=settings).server
    assert server.stop() == 0
    assert server.output.split() == ["left", "ended"]
    assert "killed" not in server.log


BLOCKS = """
import time

def blocks(environ, start_response):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        pass

async def blocks_loop(scope, receive, send):
    if scope["type"] == "http":
        time.sleep(30)
"""


def test_a_worker_that_is_stuck(hooked, kind):
    def files(place):
        (place / "stuck.py").write_text(BLOCKS)

    threads = ["--threads", 2] if kind == "gthread" else []
    call = "stuck:blocks_loop" if kind == "asgi" else "stuck:blocks"
    flags = ["-k", kind, "-w", 1, "--timeout", 1, "--graceful-timeout", 2, *threads]
    server = hooked("rcorn", *flags, app=None, call=call, files=files)
    with server.server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_for("child_exit", age=1)
    hooks = [hook for hook in server.worker(1) if "request" not in hook]
    assert hooks == [*LIFE, "worker_abort", "worker_exit"]
    server.wait_for("post_worker_init", age=2)


@pytest.mark.parametrize("interpreter", supported(), ids=lambda interpreter: interpreter.label)
def test_on_every_interpreter(start, interpreter):
    subject = Subject((str(binary()),), interpreter.environment / "bin" / "python")
    place = {}

    def prepare(directory):
        (directory / "settings.py").write_text((HERE / "noting.py").read_text())
        place["notes"] = directory / "notes"

    server = start("plain", "-c", "settings.py", "-w", "2", subject=subject, prepare=prepare).ready()
    assert server.get("/").status == 200
    assert server.stop() == 0
    assert place["notes"].read_text().count('"worker_exit"') == 2 and '"on_exit"' in place["notes"].read_text()


def test_a_greenlet_of_a_hook_runs(hooked):
    settings = """
import gevent

def post_worker_init(worker):
    def tick():
        gevent.sleep(0.05)
        print("ticked", flush=True)
    gevent.spawn(tick)
"""
    server = hooked("rcorn", "-k", "gevent", settings=settings, app="greens").server
    wait_until(lambda: server.output == "ticked\n", "the greenlet has run")


WAITS = """
import asyncio
import time

def sleeps(environ, start_response):
    time.sleep(30)

async def waits(scope, receive, send):
    await asyncio.sleep(30 if scope["type"] == "http" else 0)
"""


@pytest.mark.parametrize("kind", ["gevent", "asgi"])
def test_a_request_that_is_ended_as_it_takes_too_long(hooked, kind):
    def files(place):
        (place / "slow.py").write_text(WAITS)

    call = "slow:waits" if kind == "asgi" else "slow:sleeps"
    flags = ["-k", kind, "-w", 1, "--request-timeout", "0.3"]
    server = hooked("rcorn", *flags, app=None, call=call, files=files)
    assert server.server.get("/").status == 504
    ended = server.wait_for("post_request")
    assert (ended["code"], ended["path"]) == (504, "/")


ENDS = """
import gevent

def times_out(environ, start_response):
    raise gevent.Timeout(1)

def exits(environ, start_response):
    raise SystemExit(3)
"""


@pytest.mark.parametrize("call", ["times_out", "exits"])
def test_a_greenlet_that_ends_with_no_ordinary_exception(hooked, call):
    def files(place):
        (place / "ends.py").write_text(ENDS)

    server = hooked("rcorn", "-k", "gevent", "-w", 1, app=None, call=f"ends:{call}", files=files)
    assert server.server.get("/").status == 500
    assert server.wait_for("post_request")["code"] == 500


ITERATES = """
async def application(scope, receive, send):
    if scope["type"] == "http":
        fields = [(b"content-length", b"0"), (b"x-number", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": iter(fields)})
        await send({"type": "http.response.body"})
"""


def test_fields_of_an_iterator_are_seen_by_the_hook_and_by_the_client(hooked):
    settings = """
def post_request(worker, req, environ, resp):
    print(resp.headers, flush=True)
"""

    def files(place):
        (place / "iterates.py").write_text(ITERATES)

    server = hooked("rcorn", settings=settings, app=None, call="iterates", files=files).server
    assert ("x-number", "1") in server.get("/").headers
    wait_until(lambda: server.output.endswith("\n"), "the hook has run")
    assert server.output == "[('content-length', '0'), ('x-number', '1')]\n"
