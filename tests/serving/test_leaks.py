"""What a worker opens it closes."""

import contextlib
import os

import pytest
from support import processes
from support.client import Closed, request_bytes
from support.waiting import wait_until


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.rcorn("Gunicorn's threads keep some for later")
def test_descriptors_are_given_back(plain):
    (worker,) = plain.wait_for_workers(1)
    plain.get("/")
    before = open_descriptors(worker)
    for number in range(50):
        plain.get(f"/number?n={number}")
        plain.request("/digest", "POST", body=b"x" * 1_200_000)
        plain.get("/raises")
        with plain.connect() as malformed:
            malformed.send(b"nonsense\r\n\r\n")
            assert malformed.response().status == 400
        with plain.connect() as silent:
            silent.send(b"GET")
        aborted = plain.connect()
        aborted.send(request_bytes("/big?size=5000000"))
        aborted.head()
        aborted.abort()
        half = plain.connect()
        half.send(request_bytes("/digest", "POST", {"Content-Length": "3000000"}) + b"x" * 1_500_000)
        half.abort()
    wait_until(lambda: open_descriptors(worker) <= before, "every descriptor is closed", seconds=15)
    assert plain.workers() == [worker]


@pytest.mark.rcorn("Gunicorn's own growth is not ours to judge")
@pytest.mark.parametrize("target", ["/raises", "/raises-late", "/number?n=1", "/nowhere"])
def test_memory_is_given_back(plain, target):
    """What an exception holds on to (its frames know start_response) is let go as well: 100 bytes each would show."""
    (worker,) = plain.wait_for_workers(1)

    def ask(times):
        for _ in range(times):
            with contextlib.suppress(Closed):  # an answer that is torn
                plain.get(target)

    ask(500)
    before = processes.resident_kib(worker)
    ask(4000)
    assert processes.resident_kib(worker) - before < 200
    assert plain.workers() == [worker]


HOOKS = "def pre_request(worker, req): pass\ndef post_request(worker, req, environ, resp): pass\n"
LOGGING = """
logconfig_dict = {
    "handlers": {"console": {"class": "logging.NullHandler"}},
    "loggers": {"gunicorn.access": {"level": "INFO", "handlers": ["console"], "propagate": False}},
}
"""
WHO_SEES_IT = {
    "nobody": ("", []),
    "hooks": (HOOKS, []),
    "access": ("", ["--access-logfile", "access", "--access-logformat", "%({called.with}e)s"]),
    "logging": (LOGGING, []),
}
KINDS = {
    "sync": ("holding_on", []),
    "threads": ("holding_on", ["--threads", 2]),
    "gevent": ("holding_on", ["-k", "gevent"]),
    "asgi": ("holding_on:scope_of_tasks", ["-k", "asgi"]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", WHO_SEES_IT)
def test_the_environment_is_given_back(serve, kind, who):
    """Also one that refers to itself, by what the application was called with."""
    (call, flags), (settings, more) = KINDS[kind], WHO_SEES_IT[who]

    def prepare(place):
        (place / "settings.py").write_text(settings)

    server = serve("holding_on", "-c", "settings.py", "-w", 1, *flags, *more, call=call, prepare=prepare)
    counts = [server.get("/").json for _ in range(12)]
    assert max(counts) <= 3, counts
