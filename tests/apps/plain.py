"""A WSGI application without a framework: each path tries one thing of a server."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs


def application(environ, start_response):
    route = ROUTES.get(environ["PATH_INFO"])
    if route is None:
        return plain_text(start_response, "not found", "404 Not Found")
    return route(environ, start_response)


def plain_text(start_response, text, status="200 OK"):
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def as_json(start_response, value):
    return plain_text(start_response, json.dumps(value))


def parameters(environ):
    return {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}


def hello(environ, start_response):
    return plain_text(start_response, "hello")


def number(environ, start_response):
    """The number that was sent, and who answers."""
    return plain_text(start_response, f"{parameters(environ)['n']} {os.getpid()}")


def pid(environ, start_response):
    return plain_text(start_response, str(os.getpid()))


def environment(environ, start_response):
    return as_json(start_response, {name: value for name, value in environ.items() if isinstance(value, str)})


def types(environ, start_response):
    return as_json(start_response, {name: type(value).__name__ for name, value in environ.items()})


def interpreter(environ, start_response):
    known = {
        "prefix": sys.prefix,
        "executable": sys.executable,
        "argv": sys.argv,
        "path": sys.path,
        "version": list(sys.version_info[:2]),
        "cwd": os.getcwd(),
        "name": __name__,
        "modules": sorted(name for name in sys.modules if "rcorn" in name),
    }
    return as_json(start_response, known)


def process_environment(environ, start_response):
    return as_json(start_response, dict(os.environ))


def identity(environ, start_response):
    mask = os.umask(0)
    os.umask(mask)
    known = {
        "ids": os.getresuid(),
        "groups": os.getresgid(),
        "supplementary": sorted(os.getgroups()),
        "umask": mask,
        "import": IMPORTED_AS,
    }
    return as_json(start_response, known)


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(body)))])
    return [body]


def digest(environ, start_response):
    """Reads the body in pieces, so that it is never whole in memory."""
    hasher, length = hashlib.sha256(), 0
    while piece := environ["wsgi.input"].read(65536):
        hasher.update(piece)
        length += len(piece)
    return as_json(start_response, {"length": length, "sha256": hasher.hexdigest()})


def head_only(environ, start_response):
    start_response("200 OK", [("Content-Length", "5"), ("X-Method", environ["REQUEST_METHOD"])])
    return [b"hello"]


def hold(environ, start_response):
    """Says that it was entered, then waits until it is released."""
    meet(parameters(environ)["name"])
    return plain_text(start_response, f"held {os.getpid()}")


def meet(name):
    Path(f"{name}.entered").touch()
    deadline = time.monotonic() + 60
    while not Path(f"{name}.release").exists() and time.monotonic() < deadline:
        time.sleep(0.002)


def stream(environ, start_response):
    """Each piece but the first is made only once the client has let it."""
    start_response("200 OK", [("Content-Type", "text/plain")])

    def pieces():
        yield b"first"
        for piece in ("second", "third"):
            meet(piece)
            yield piece.encode()

    return pieces()


def pieces(environ, start_response):
    """`count` pieces of `size` bytes, without a Content-Length."""
    wanted = parameters(environ)
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return (b"x" * int(wanted["size"]) for _ in range(int(wanted["count"])))


def big(environ, start_response):
    """One body of `size` bytes."""
    size = int(parameters(environ)["size"])
    start_response("200 OK", [("Content-Length", str(size))])
    return [b"x" * size]


def raises(environ, start_response):
    raise RuntimeError("the application raised this")


def raises_late(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])

    def body():
        yield b"begun"
        raise RuntimeError("the application raised this in the middle")

    return body()


def leaves(environ, start_response):
    """The process ends without a word."""
    os._exit(int(parameters(environ)["code"]))


def crashes(environ, start_response):
    os.kill(os.getpid(), int(parameters(environ)["signal"]))
    time.sleep(30)


def busy(environ, start_response):
    """Python code that holds the interpreter for `s` seconds."""
    end = time.monotonic() + float(parameters(environ)["s"])
    while time.monotonic() < end:
        pass
    return plain_text(start_response, str(os.getpid()))


def sleeps(environ, start_response):
    time.sleep(float(parameters(environ)["s"]))
    return plain_text(start_response, str(os.getpid()))


def drips(environ, start_response):
    """A slow stream."""
    wanted = parameters(environ)
    start_response("200 OK", [("Content-Type", "text/plain")])

    def body():
        for _ in range(int(wanted["count"])):
            time.sleep(float(wanted["pause"]))
            yield b"drip"

    return body()


def leaves_a_child(environ, start_response):
    """A grandchild outlives its parent for a moment."""
    command = ["/bin/sh", "-c", "sleep 0.05 >/dev/null & echo $!"]
    return plain_text(start_response, subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def child_descriptors(environ, start_response):
    """What a program that the application starts has open."""
    code = "import os; print(*sorted(os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if int(n) > 2 and os.path.exists(f'/proc/self/fd/{n}')), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], close_fds=False, capture_output=True, text=True, check=True)
    return plain_text(start_response, done.stdout)


def says(environ, start_response):
    """Writes everywhere that an application writes."""
    print("said by print", flush=True)
    print("said by stderr", file=sys.stderr, flush=True)
    print("said by wsgi.errors", file=environ["wsgi.errors"], flush=True)
    return plain_text(start_response, "said")


def signals(environ, start_response):
    """Which signals this process ignores, blocks and catches, as the kernel writes it."""
    status = Path("/proc/self/status").read_text()
    lines = [line.split(":\t") for line in status.splitlines() if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
    return as_json(start_response, dict(lines))


IMPORTED_AS = [os.getuid(), os.getgid(), sorted(os.getgroups())]
ROUTES = {
    "/": hello,
    "/number": number,
    "/pid": pid,
    "/environ": environment,
    "/types": types,
    "/interpreter": interpreter,
    "/process-environment": process_environment,
    "/identity": identity,
    "/echo": echo,
    "/digest": digest,
    "/head": head_only,
    "/hold": hold,
    "/stream": stream,
    "/pieces": pieces,
    "/big": big,
    "/raises": raises,
    "/raises-late": raises_late,
    "/leaves": leaves,
    "/crashes": crashes,
    "/busy": busy,
    "/sleeps": sleeps,
    "/drips": drips,
    "/leaves-a-child": leaves_a_child,
    "/child-descriptors": child_descriptors,
    "/says": says,
    "/signals": signals,
}
