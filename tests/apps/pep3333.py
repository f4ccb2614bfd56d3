"""One path for each rule of PEP 3333 that an application can try. What happens behind the answer is noted in EVENTS."""

import io
import json
import os
import tempfile
from urllib.parse import parse_qs

EVENTS = []
ROUTES = {}


def application(environ, start_response):
    return ROUTES[environ["PATH_INFO"]](environ, start_response)


def route(function):
    ROUTES["/" + function.__name__.replace("_", "-")] = function
    return function


def reply(start_response, value, status="200 OK"):
    body = json.dumps(value).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


PLAIN = [("Content-Type", "text/plain")]


class Result:
    """An iterable that notes how it is used."""

    def __init__(self, pieces, length=None, fails_at=None, fails_in_close=None):
        self.pieces, self.fails_at, self.fails_in_close = iter(pieces), fails_at, fails_in_close
        self.made = 0
        if length is not None:
            self.__class__ = type("Sized", (Result,), {"__len__": lambda self: length})

    def __iter__(self):
        EVENTS.append("iter")
        return self

    def __next__(self):
        if self.made == self.fails_at:
            raise RuntimeError("in the iteration")
        self.made += 1
        return next(self.pieces)

    def close(self):
        EVENTS.append("close")
        if self.fails_in_close:
            raise self.fails_in_close


@route
def events(environ, start_response):
    noted = EVENTS[:]
    EVENTS.clear()
    return reply(start_response, noted)


@route
def pid(environ, start_response):
    return reply(start_response, os.getpid())


@route
def environ_strings(environ, start_response):
    return reply(start_response, {name: value for name, value in environ.items() if type(value) is str})


@route
def environ_types(environ, start_response):
    kinds = {name: type(value).__name__ for name, value in environ.items()}
    kinds["environ"] = type(environ).__name__
    return reply(start_response, kinds)


@route
def environ_values(environ, start_response):
    names = ["wsgi.version", "wsgi.multiprocess", "wsgi.run_once", "wsgi.input_terminated"]
    return reply(start_response, {name: environ.get(name) for name in names})


@route
def multithread(environ, start_response):
    return reply(start_response, environ["wsgi.multithread"])


@route
def environ_changes(environ, start_response):
    known = "mine" in environ
    environ["mine"] = 1
    environ["SERVER_NAME"] = "changed"
    return reply(start_response, known)


@route
def environ_process(environ, start_response):
    return reply(start_response, sorted(set(environ) & set(os.environ)))


@route
def errors_stream(environ, start_response):
    stream = environ["wsgi.errors"]
    stream.write("one\n")
    stream.writelines(["two \N{SNOWMAN}\n", "three\n"])
    stream.flush()
    return reply(start_response, "ok")


# wsgi.input


@route
def input_calls(environ, start_response):
    """Does what `do` says, one call after another: `read`, `read:3`, `readline`, `readlines:5`, `next`, `list`."""
    stream, seen = environ["wsgi.input"], []
    for call in parse_qs(environ["QUERY_STRING"])["do"][0].split(","):
        name, _, argument = call.partition(":")
        arguments = [None if argument == "None" else int(argument)] if argument else []
        if name == "next":
            value = next(iter(stream), None)
        elif name == "list":
            value = list(stream)
        else:
            value = getattr(stream, name)(*arguments)
        seen.append(decoded(value))
    return reply(start_response, seen)


def decoded(value):
    if isinstance(value, list):
        return [piece.decode() for piece in value]
    return None if value is None else value.decode()


@route
def input_ignored(environ, start_response):
    return reply(start_response, "not read")


@route
def input_size(environ, start_response):
    total = 0
    while piece := environ["wsgi.input"].read(100_000):
        total += len(piece)
    return reply(start_response, total)


# start_response


@route
def late_start(environ, start_response):
    def pieces():
        start_response("201 Created", PLAIN)
        yield b"late"

    return pieces()


@route
def start_after_empty_piece(environ, start_response):
    def pieces():
        yield b""
        start_response("200 OK", PLAIN)
        yield b"after"

    return pieces()


@route
def no_start(environ, start_response):
    return [b"body"]


@route
def no_start_in_generator(environ, start_response):
    yield b"body"


@route
def start_twice(environ, start_response):
    start_response("200 OK", PLAIN)
    start_response("201 Created", PLAIN)
    return [b"x"]


@route
def start_again_with_exc_info(environ, start_response):
    import sys

    start_response("200 OK", [("X-First", "1")])
    try:
        raise KeyError("x")
    except KeyError:
        start_response("503 Sorry", [("X-Second", "2")], sys.exc_info())
    return [b"sorry"]


@route
def start_with_exc_info_when_sent(environ, start_response):
    import sys

    start_response("200 OK", PLAIN)
    yield b"sent"
    try:
        raise KeyError("the original error")
    except KeyError:
        try:
            start_response("500 Oh", PLAIN, sys.exc_info())
        except KeyError:
            EVENTS.append("raised again")
            raise


@route
def start_with_exc_info_none(environ, start_response):
    start_response("200 OK", PLAIN, None)
    return [b"x"]


@route
def keeps_start_response(environ, start_response):
    previous = KEPT.pop() if KEPT else None
    KEPT.append(start_response)
    if previous:
        try:
            previous("500 Not Yours", [])
        except Exception as error:
            EVENTS.append(type(error).__name__)
    return reply(start_response, "mine")


KEPT = []


def starts(name, status, headers):
    def start(environ, start_response):
        start_response(status, headers)
        return [b"x"]

    ROUTES["/" + name] = start


class Text(str):
    pass


for name, status in {
    "status-number": 200,
    "status-bytes": b"200 OK",
    "status-none": None,
    "status-empty": "",
    "status-short": "20",
    "status-words": "OK",
    "status-four-digits": "2000 OK",
    "status-no-blank": "200OK",
    "status-control": "200 O\x01K",
    "status-beyond-latin-1": "200 \N{SNOWMAN}",
}.items():
    starts(name, status, PLAIN)

for name, headers in {
    "headers-none": None,
    "headers-dict": {"A": "b"},
    "headers-lists": [["A", "b"]],
    "headers-triple": [("A", "b", "c")],
    "headers-bytes-name": [(b"A", "b")],
    "headers-bytes-value": [("A", b"b")],
    "headers-number": [("Content-Length", 1)],
    "headers-beyond-latin-1": [("A", "\N{SNOWMAN}")],
    "headers-colon": [("A:", "b")],
    "length-word": [("Content-Length", "one")],
    "length-negative": [("Content-Length", "-1")],
    "length-twice": [("Content-Length", "1"), ("Content-Length", "2")],
    "length-twice-the-same": [("Content-Length", "1"), ("content-length", "1")],
    "headers-tuple-of-pairs": (("X-A", "b"),),
    "headers-subclass": [(Text("X-A"), Text("b"))],
    "headers-blanks": [("X-A", "  b  ")],
}.items():
    starts(name, "200 OK", headers)


# Results


def gives(name, result, headers=PLAIN):
    def give(environ, start_response):
        start_response("200 OK", list(headers))
        return result()

    ROUTES["/" + name] = give


class OnlyGetItem:
    def __getitem__(self, index):
        return [b"a", b"b"][index]


gives("result-list", lambda: [b"a", b"b"])
gives("result-tuple", lambda: (b"a", b"b"))
gives("result-empty-list", lambda: [])
gives("result-empty-piece", lambda: [b""])
gives("result-empty-pieces-between", lambda: [b"", b"a", b"", b"b", b""])
gives("result-generator", lambda: (piece for piece in [b"a", b"b"]))
gives("result-empty-generator", lambda: iter(()))
gives("result-getitem", OnlyGetItem)
gives("result-sized-one", lambda: Result([b"a"], length=1))
gives("result-sized-two", lambda: Result([b"a", b"b"], length=2))
gives("result-sized-wrongly", lambda: Result([b"a", b"b"], length=1))
gives("result-none", lambda: None)
gives("result-number", lambda: 5)
gives("result-bytes", lambda: b"ab")
gives("result-str", lambda: "ab")
gives("result-str-pieces", lambda: ["a"])
gives("result-late-str", lambda: iter([b"a", "b"]))
gives("result-bytearray", lambda: [bytearray(b"a")])
gives("result-memoryview", lambda: [memoryview(b"a")])
gives("result-huge", lambda: [b"x" * 20_000_000])
gives("result-with-length", lambda: iter([b"a", b"b"]), [("Content-Length", "2")])
gives("close-after-success", lambda: Result([b"a", b"b"]))
gives("close-after-failure", lambda: Result([b"a", b"b"], fails_at=1))
gives("close-after-first-failure", lambda: Result([b"a"], fails_at=0))
gives("close-fails", lambda: Result([b"a"], fails_in_close=RuntimeError("in close")))
gives("close-after-too-many", lambda: Result([b"a", b"b"]), [("Content-Length", "1")])
gives("close-exits", lambda: Result([b"a"], fails_in_close=SystemExit(3)))
gives("endless", lambda: Result(endless()))


def endless():
    while True:
        EVENTS[:] = [len(EVENTS) and EVENTS[0] if isinstance(EVENTS and EVENTS[0], int) else 0]
        EVENTS[0] += 1
        yield b"x" * 65536


@route
def made_so_far(environ, start_response):
    return reply(start_response, EVENTS)


@route
def pieces_one_by_one(environ, start_response):
    start_response("200 OK", PLAIN)
    for number in range(3):
        EVENTS.append(f"made {number}")
        yield str(number).encode()
        deadline = 2000
        while not os.path.exists(f"seen-{number}") and deadline:
            deadline -= 1
            __import__("time").sleep(0.005)
        EVENTS.append(f"seen {number}" if deadline else "never seen")


# write()


@route
def write_only(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"a")
    write(b"b")
    return []


@route
def write_then_result(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"written ")
    return [b"returned"]


@route
def write_with_length(environ, start_response):
    write = start_response("200 OK", [("Content-Length", "3")])
    write(b"abc")
    write(b"def")
    return [b"ghi"]


@route
def write_text(environ, start_response):
    start_response("200 OK", PLAIN)("text")
    return []


@route
def write_nothing(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"")
    return [b"x"]


# Exceptions


def raising(name, error, when="call"):
    def at_once(environ, start_response):
        raise error

    def after_start(environ, start_response):
        start_response("200 OK", PLAIN)
        raise error

    def before_a_piece(environ, start_response):
        start_response("200 OK", PLAIN)
        if error:
            raise error
        yield b"never"

    def behind_a_piece(environ, start_response):
        start_response("200 OK", PLAIN)
        yield b"begun"
        raise error

    kinds = {"call": at_once, "start": after_start, "first": before_a_piece, "second": behind_a_piece}
    ROUTES["/" + name] = kinds[when]


class Own(BaseException):
    pass


for kind, error in {
    "exception": RuntimeError("an exception"),
    "system-exit": SystemExit(7),
    "interrupt": KeyboardInterrupt(),
    "generator-exit": GeneratorExit(),
    "own-base": Own("a base exception"),
    "recursion": RecursionError("too deep"),
    "memory": MemoryError(),
}.items():
    raising(f"{kind}-at-call", error, "call")
    raising(f"{kind}-at-first", error, "first")
    raising(f"{kind}-at-second", error, "second")
raising("exception-after-start", RuntimeError("after start"), "start")


# wsgi.file_wrapper


def wrapping(name, make, headers=PLAIN):
    def wrap(environ, start_response):
        start_response("200 OK", list(headers))
        return environ["wsgi.file_wrapper"](make())

    ROUTES["/" + name] = wrap


class Noted(io.BytesIO):
    def close(self):
        EVENTS.append("close")
        super().close()


class NoClose:
    def __init__(self):
        self.rest = [b"ab", b"cd"]

    def read(self, size):
        return self.rest.pop(0) if self.rest else b""


def real(content, position=0):
    file = tempfile.TemporaryFile()
    file.write(content)
    file.seek(position)
    return file


wrapping("file-real", lambda: real(b"0123456789"))
wrapping("file-position", lambda: real(b"0123456789", 4))
wrapping("file-with-length", lambda: real(b"0123456789"), [("Content-Length", "10")])
wrapping("file-shorter-length", lambda: real(b"0123456789"), [("Content-Length", "3")])
wrapping("file-longer-length", lambda: real(b"0123456789"), [("Content-Length", "20")])
wrapping("file-empty", lambda: real(b""))
wrapping("file-large", lambda: real(b"0123456789" * 1_000_000))
wrapping("file-in-memory", lambda: Noted(b"0123456789"))
wrapping("file-without-close", NoClose)
wrapping("file-text", lambda: io.StringIO("text"))


@route
def file_read_partly(environ, start_response):
    file = real(b"0123456789")
    file.read(3)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](file, 4)


@route
def file_wrapped_in_a_generator(environ, start_response):
    start_response("200 OK", PLAIN)
    yield from environ["wsgi.file_wrapper"](real(b"0123456789"), 3)


@route
def early_hints(environ, start_response):
    hint = environ["wsgi.early_hints"]
    hint([("Link", "</a.css>; rel=preload")])
    hint([("Link", "</b.css>; rel=preload")])
    return reply(start_response, "ok")


@route
def early_hints_injection(environ, start_response):
    try:
        environ["wsgi.early_hints"]([("Link", "a\r\nX-Evil: 1")])
    except Exception as error:
        EVENTS.append(type(error).__name__)
    return reply(start_response, "ok")
