"""The same hooks in the same order as Gunicorn itself runs them. What differs is written down, with its reason."""

import os
import signal

import pytest

from .conftest import Hooked

BOTH = ["rcorn", "gunicorn"]
START = ["nworkers_changed 2", "on_starting", "when_ready", "pre_fork 1", "pre_fork 2"]
LIFE = ["post_fork", "post_worker_init"]


@pytest.fixture(params=BOTH)
def name(request):
    return request.param


def serving(hooked, name, *flags, workers=2, **options) -> Hooked:
    server = hooked(name, "-w", workers, "--graceful-timeout", 5, *flags, **options)
    for age in range(1, workers + 1):
        server.wait_for("post_worker_init", age=age)
    return server


def test_start_and_stop(hooked, name):
    server = serving(hooked, name)
    assert server.server.stop() == 0
    assert server.master() == [*START, "child_exit 1", "child_exit 2", "on_exit"]
    assert server.worker(1) == server.worker(2) == [*LIFE, "worker_exit"]
    assert server.named("nworkers_changed")[0]["old"] is None
    assert server.named("on_starting")[0]["workers"] == server.named("when_ready")[0]["workers"] == 2
    assert all(note["pid"] == "[booting]" for note in server.named("pre_fork"))
    assert all(note["own"] and note["mark"] == "set before the fork" for note in server.named("post_fork"))
    assert all(note["loaded"] and not note["booted"] for note in server.named("post_worker_init"))
    assert not any(note["known"] for note in server.named("child_exit"))
    assert server.named("on_exit")[0]["members"] == 0


def test_a_quick_stop(hooked, name):
    server = serving(hooked, name)
    assert server.server.stop(signal.SIGQUIT) == 0
    assert server.master() == [*START, "child_exit 1", "child_exit 2", "on_exit"]
    assert server.worker(1) == server.worker(2) == [*LIFE, "worker_int", "worker_exit"]
    assert not server.named("worker_int")[0]["alive"]


def test_a_reload(hooked, name):
    server = serving(hooked, name)
    server.server.send(signal.SIGHUP)
    server.wait_for("post_worker_init", 4)
    server.wait_for("child_exit", 2)
    server.server.stop()
    reload = ["nworkers_changed 2 2", "on_reload", "pre_fork 3", "pre_fork 4", "child_exit 1", "child_exit 2"]
    assert server.master() == [*START, *reload, "child_exit 3", "child_exit 4", "on_exit"]
    assert all(server.worker(age) == [*LIFE, "worker_exit"] for age in (1, 2, 3, 4))


def test_one_more_and_one_less(hooked, name):
    server = serving(hooked, name)
    server.server.send(signal.SIGTTIN)
    server.wait_for("post_worker_init", age=3)
    server.server.send(signal.SIGTTOU)
    # Gunicorn sends the oldest away, rcorn the one with the highest number: numbers stay without gaps.
    left = 3 if name == "rcorn" else 1
    server.wait_for("child_exit", age=left)
    server.server.stop()
    others = [f"child_exit {age}" for age in (1, 2, 3) if age != left]
    changed = ["nworkers_changed 3 2", "pre_fork 3", "nworkers_changed 2 3"]
    ends = sorted([f"child_exit {left}", *others])
    assert server.master() == [*START, *changed, *ends, "on_exit"]


def test_a_worker_that_is_killed(hooked, name):
    server = serving(hooked, name)
    pid = server.named("post_fork")[0]["process"]
    killed = server.named("post_fork")[0]["age"]
    os.kill(pid, signal.SIGKILL)
    server.wait_for("post_worker_init", age=3)
    server.server.stop()
    ends = sorted(f"child_exit {age}" for age in (1, 2, 3) if age != killed)
    assert server.master() == [*START, f"child_exit {killed}", "pre_fork 3", *ends, "on_exit"]
    assert server.worker(killed) == LIFE, "it could not run anything"


def test_a_worker_that_has_served_enough(hooked, name):
    server = serving(hooked, name, "--max-requests", "2", workers=1)
    assert [server.server.get("/").status for _ in range(2)] == [200, 200]
    server.wait_for("post_worker_init", age=2)
    server.wait_for("child_exit", age=1)
    server.server.stop()
    # Gunicorn forks the next when the last has ended; rcorn has it ready before.
    renewed = ["pre_fork 2", "child_exit 1"] if name == "rcorn" else ["child_exit 1", "pre_fork 2"]
    start = ["nworkers_changed 1", *START[1:4]]
    last = ["child_exit 2", "on_exit"]
    assert server.master() == [*start, *renewed, *last]
    assert [hook for hook in server.worker(1) if "request" not in hook] == [*LIFE, "worker_exit"]
    assert next(note["nr"] for note in server.named("worker_exit")) == 2


def test_a_request_that_takes_too_long(hooked, name):
    server = serving(hooked, name, "--timeout", "1", workers=1)
    with server.server.connect() as connection:
        connection.send(b"GET /sleeps?s=30 HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_for("child_exit", age=1)
    server.wait_for("post_worker_init", age=2)
    server.server.stop()
    # Gunicorn waits for the client then, and kills the worker before that is over.
    end = ["worker_exit"] if name == "rcorn" else []
    assert server.worker(1) == [*LIFE, "pre_request", "worker_abort", "post_request", *end]


def test_sigusr2(hooked, name):
    # Gunicorn's successor cannot use a socket that systemd has handed over.
    server = serving(hooked, name, "--bind", "127.0.0.1:0", workers=1, handed=False)
    server.server.send(signal.SIGUSR2)
    if name == "rcorn":
        server.wait_for("on_reload")
        server.wait_for("child_exit", age=1)
        server.server.stop()
        # The new program is the old process: what follows is a reload.
        expected = ["pre_exec", "nworkers_changed", "on_reload", "pre_fork"]
    else:
        server.wait_for("on_starting", 2)
        server.wait_for("post_worker_init", 2)
        successor = server.named("on_starting")[1]["process"]
        server.server.stop()
        os.kill(successor, signal.SIGTERM)
        server.wait_for("on_exit", 2)
        # It has two masters until somebody ends the first.
        expected = ["pre_exec", "nworkers_changed", "on_starting", "when_ready", "pre_fork"]
    names = [note["hook"] for note in server.notes if note["hook"] in expected]
    assert names[-len(expected) :] == expected, server.notes


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent", "asgi"])
def test_requests(hooked, name, kind):
    app = {"app": "asgi_plain"} if kind == "asgi" else {}
    server = hooked(name, "-w", 1, "-k", kind, *(["--threads", 2] if kind == "gthread" else []), **app)
    assert server.server.get("/?a=b").status == 200
    server.wait_for("post_request")  # which runs behind the answer, and may be in another thread
    assert server.server.get("/refused").status == 500
    server.wait_for("post_request", 2)
    server.server.stop()
    before, refused = server.named("pre_request")
    assert (before["method"], before["uri"], before["path"], before["query"]) == ("GET", "/?a=b", "/", "a=b")
    after, after_refused = server.named("post_request")
    assert (refused["path"], after["path"], after_refused["path"]) == ("/refused", "/", "/refused")
    if kind == "asgi" and name == "gunicorn":
        return  # it counts later, keeps nothing, and gives `resp` only where there is an access log
    assert (before["nr"], after["nr"], after["mine"], after_refused["mine"]) == (0, 1, "kept", "kept")
    body = 5 if "length" in after else None
    assert (after["status"], after["code"], after["sent"]) == ("200 OK", 200, body)
    assert "status" not in after_refused
