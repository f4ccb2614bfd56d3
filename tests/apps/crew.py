"""A WSGI application for threads: each path shows one thing that several threads could get wrong."""

import atexit
import contextvars
import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs

LOCAL = threading.local()
VARIABLE = contextvars.ContextVar("variable", default=0)
BARRIER = threading.Barrier(4, timeout=10)
atexit.register(lambda: print("the exit handlers ran", file=sys.stderr, flush=True))


def application(environ, start_response):
    route = ROUTES.get(environ["PATH_INFO"])
    wanted = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    if route is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    result = route(environ, wanted)
    if isinstance(result, (str, bytes)) or not hasattr(result, "__next__"):
        body = json.dumps(result).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return result


def hello(environ, wanted):
    return "hello"


def number(environ, wanted):
    return iter([f"{wanted['n']} {os.getpid()}".encode()])


def name(environ, wanted):
    thread = threading.current_thread()
    return {"name": thread.name, "daemon": thread.daemon, "all": sorted(t.name for t in threading.enumerate())}


def meet(environ, wanted):
    """Returns when four requests are in here at once."""
    BARRIER.wait()
    return threading.current_thread().name


def count(environ, wanted):
    """How often this thread was here, by both kinds of memory."""
    LOCAL.count = getattr(LOCAL, "count", 0) + 1
    VARIABLE.set(VARIABLE.get() + 1)
    return [threading.current_thread().name, LOCAL.count, VARIABLE.get()]


def sleeps(environ, wanted):
    time.sleep(float(wanted["s"]))
    return f"slept {wanted['s']}"


def spins(environ, wanted):
    """Never lets go of the interpreter for longer than it must."""
    end = time.monotonic() + float(wanted["s"])
    while time.monotonic() < end:
        pass
    return "span"


def drips(environ, wanted):
    def pieces():
        for number in range(int(wanted["count"])):
            yield f"{number}\n".encode()
            time.sleep(float(wanted["pause"]))

    return pieces()


def torn(environ, wanted):
    def pieces():
        yield b"begun"
        time.sleep(60)

    return pieces()


def digest(environ, wanted):
    """Reads the body in the way that is asked for."""
    stream, total, length = environ["wsgi.input"], hashlib.sha256(), 0
    for piece in WAYS[wanted.get("by", "read")](stream):
        total.update(piece)
        length += len(piece)
    return {"length": length, "digest": total.hexdigest()}


def in_pieces(stream):
    while piece := stream.read(10_000):
        yield piece


WAYS = {
    "read": lambda stream: [stream.read()],
    "pieces": in_pieces,
    "lines": lambda stream: iter(stream.readline, b""),
    "all-lines": lambda stream: stream.readlines(),
    "iteration": iter,
}


def echo_as_it_comes(environ, wanted):
    """Sends each line of the body as soon as it has come."""
    return (line for line in environ["wsgi.input"])


def forgets_the_body(environ, wanted):
    return "I do not care"


def fails_over_a_bad_body(environ, wanted):
    environ["wsgi.input"].read(1)
    Path(wanted["mark"]).touch()
    environ["wsgi.input"].read()
    return "all is well"


def tells_of_a_bad_body(environ, wanted):
    try:
        return fails_over_a_bad_body(environ, wanted)
    except OSError as error:
        return f"OSError: {error}"


def keeps_the_body(environ, wanted):
    global KEPT
    KEPT = environ["wsgi.input"]
    return "kept"


def reads_what_was_kept(environ, wanted):
    try:
        return KEPT.read(10).decode()
    except OSError as error:
        return f"OSError: {error}"


def exits(environ, wanted):
    raise {"exit": SystemExit, "interrupt": KeyboardInterrupt}[wanted["by"]]("from a thread")


def file(environ, wanted):
    return environ["wsgi.file_wrapper"](open(wanted["path"], "rb"))


ROUTES = {
    "/": hello,
    "/number": number,
    "/name": name,
    "/meet": meet,
    "/count": count,
    "/sleeps": sleeps,
    "/spins": spins,
    "/drips": drips,
    "/torn": torn,
    "/digest": digest,
    "/echo-as-it-comes": echo_as_it_comes,
    "/forgets-the-body": forgets_the_body,
    "/fails-over-a-bad-body": fails_over_a_bad_body,
    "/tells-of-a-bad-body": tells_of_a_bad_body,
    "/keeps-the-body": keeps_the_body,
    "/reads-what-was-kept": reads_what_was_kept,
    "/exits": exits,
    "/file": file,
}
