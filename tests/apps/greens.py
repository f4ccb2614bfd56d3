"""A WSGI application for gevent workers: it waits in ordinary calls of the standard library."""

import json
import os
import signal
import socket
import sys
import threading
import time
from urllib.parse import parse_qs

LOCAL = threading.local()
NOW = {"running": 0, "most": 0}
ALL_HERE = threading.Event()
SOCKET_AT_IMPORT = socket.socket.__module__


def application(environ, start_response):
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    answer = globals()["do_" + environ["PATH_INFO"].strip("/")](environ, query)
    body = [json.dumps(answer).encode()] if not hasattr(answer, "__next__") else answer
    start_response("200 OK", [("Content-Type", "application/json")])
    return body


def do_sleep(environ, query):
    NOW["running"] += 1
    NOW["most"] = max(NOW["most"], NOW["running"])
    try:
        time.sleep(float(query["s"]))
    finally:
        NOW["running"] -= 1
    return "slept"


def do_meet(environ, query):
    """Nobody is answered before all are here."""
    NOW["running"] += 1
    if NOW["running"] == int(query["all"]):
        ALL_HERE.set()
    ALL_HERE.wait()
    return "met"


def do_blocks(environ, query):
    """Sleeps in C, and the hub with it."""
    import gevent.monkey

    open("blocking", "w").close()
    gevent.monkey.get_original("time", "sleep")(3600)


def do_waits(environ, query):
    open(query["name"] + ".waits", "w").close()
    time.sleep(3600)


def do_most(environ, query):
    return NOW["most"]


def do_patched(environ, query):
    import gevent.monkey

    return [SOCKET_AT_IMPORT, gevent.monkey.is_module_patched("threading"), environ["wsgi.multithread"], os.getpid()]


def do_local(environ, query):
    """What one greenlet remembers no other one sees, also while both wait."""
    before = getattr(LOCAL, "value", None)
    LOCAL.value = query["value"]
    time.sleep(0.2)
    return [before, LOCAL.value]


def do_upstream(environ, query):
    """Asks another server, which takes its time."""
    with socket.create_connection(("127.0.0.1", int(query["port"]))) as upstream:
        return upstream.recv(100).decode()


def do_echo(environ, query):
    total, body = 0, environ["wsgi.input"]
    while piece := body.read(10_000):
        total += len(piece)
    return total


def do_first(environ, query):
    """The first bytes of a body, before its end has arrived."""
    stream = environ["wsgi.input"]
    first = stream.read1(100)

    def answer():
        yield first
        yield stream.read()

    return answer()


def do_stream(environ, query):
    for _ in range(int(query["pieces"])):
        yield b"x" * 65536


def do_drips(environ, query):
    while True:
        yield b"drip"
        time.sleep(0.05)


def do_block(environ, query):
    """Computes without ever waiting."""
    deadline = time.monotonic() + float(query["s"])
    while time.monotonic() < deadline:
        pass
    return "done"


def do_exit(environ, query):
    sys.exit(3)


def do_kill(environ, query):
    os.kill(os.getpid(), signal.SIGKILL)
