"""Instructions of one request may not grow unseen: the difference between N and 2 N requests, by valgrind.

Counted is what runs in our own object, of a release build; the interpreter's and the kernel's share are theirs. Where a
change makes it cheaper or has a good reason to cost more, the number is changed with it.
"""

import shutil
import subprocess

import pytest
from support.client import Connection
from support.interpreters import ROOT, TARGET, supported
from support.server import Server
from support.subject import Subject
from support import systemd

from speed.callgrind import instructions

# Another compiler makes other code.
RUSTC = "1.95.0"
# In the extension, for a WSGI hello with 7 header fields; the interpreter's part is not in it, so all give the same.
WORKER = 11_370
# In all of the example `hello`, whose client costs the same each time.
HTTP = 6_930
SLACK = 0.03
COUNT = 500
# The last build of the packages, else one by `make build`.
RELEASES = [*TARGET.glob("*-linux-gnu/release"), TARGET / "release"]
APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, world!"]
"""
FIELDS = {
    "Host": "localhost:8000",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "Accept": "text/html,application/json;q=0.9",
    "Accept-Language": "en",
    "Accept-Encoding": "gzip",
    "Cookie": "a=b; c=d",
}
# A title in `ps` is written over the arguments, which are also valgrind's: it keeps its own in the environment.
PYTHON = """#!/bin/sh
export VALGRIND_OPTS="--callgrind-out-file={directory}/counted.%p --log-file=/dev/null"
exec valgrind --tool=callgrind {python} "$@"
"""


def why_not():
    """Why nothing can be counted here, or nothing."""
    if not shutil.which("valgrind"):
        return "instructions are counted by valgrind (on Debian, apt install valgrind)"
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1:2]
    if rustc != [RUSTC]:
        return f"the budget is of rustc {RUSTC}, this is {' '.join(rustc)}"
    return None if release() else "there is no release build: make build"


def release():
    return next((place for place in RELEASES if (place / "rcorn").exists()), None)


pytestmark = [
    pytest.mark.rcorn("counts in rcorn's own code"),
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]


def is_within(counted, budget):
    assert counted <= budget * (1 + SLACK), f"{counted:.0f} instructions a request, {budget} are budgeted"
    assert counted >= budget * (1 - SLACK), f"{counted:.0f} instructions a request: write that down instead of {budget}"


@pytest.mark.parametrize("interpreter", supported(), ids=lambda interpreter: interpreter.label)
def test_a_wsgi_request(interpreter, directory):
    few, many = (ours_in_worker(interpreter, directory / str(count), count) for count in (COUNT, 2 * COUNT))
    is_within((many - few) / COUNT, WORKER)


def ours_in_worker(interpreter, directory, count):
    """Instructions of the extension in the one worker, from its birth to its end."""
    directory.mkdir()
    (directory / "hello.py").write_text(APP)
    wrapper = directory / "python"
    wrapper.write_text(PYTHON.format(directory=directory, python=interpreter.environment / "bin" / "python"))
    wrapper.chmod(0o755)
    subject = Subject((str(release() / "rcorn"),), wrapper)
    flags = ["--python", wrapper, "--timeout", 0, "--keep-alive", 100, "hello:app"]
    server = Server(directory, flags, env={"PYTHONHASHSEED": 0}, listener=systemd.tcp_listener(), subject=subject)
    try:
        server.ready(seconds=60)
        worker = server.wait_for_log(r"Booting worker 1 \(pid (\d+)\)")[1]
        with Connection(server.address, timeout=60) as client:
            for _ in range(count):
                assert client.request("/index?a=1", headers=FIELDS).status == 200
        server.stop()
    finally:
        assert server.clean_up() is None
    return instructions(directory / f"counted.{worker}")["lib_rcorn.so"]


def test_http_without_python(directory):
    """With a fake application."""
    subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "hello"], cwd=ROOT / "src" / "http", check=True)
    few, many = (ours_in_example(directory, count) for count in (COUNT, 2 * COUNT))
    is_within((many - few) / COUNT, HTTP)


def ours_in_example(directory, count):
    out = directory / f"counted.{count}"
    command = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}"]
    subprocess.run([*command, TARGET / "release" / "examples" / "hello", str(count)], check=True)
    return instructions(out)["hello"]
