"""statsd as Gunicorn names it: the same requests to both, and what a statsd server hears of each."""

import os
import re
import signal
import socket
from collections import Counter

import pytest
from support.client import request_bytes
from support.subject import Subject
from support.waiting import wait_until

from .conftest import KINDS

pytestmark = pytest.mark.rcorn("both are started here")

REQUEST_LINES = {
    "gunicorn.request.duration:N|ms": 6,
    "gunicorn.requests:1|c|@1.0": 6,
    "gunicorn.request.status.200:1|c|@1.0": 4,
    "gunicorn.request.status.404:1|c|@1.0": 2,
}


def ask(server):
    for _ in range(4):
        assert server.get("/").status == 200
    for _ in range(2):
        assert server.get("/nowhere").status == 404


def of_requests(lines):
    """The lines about requests, with a word for the time that one took."""
    lines = [re.sub(r"duration:\d+(\.\d+)?\|ms", "duration:N|ms", line) for line in lines]
    return Counter(line for line in lines if ".request" in line)


@pytest.mark.parametrize("kind", KINDS)
def test_requests_are_told(serve, statsd, kind):
    hears = statsd()
    app, *flags = KINDS[kind]
    server = serve(app, *flags, "--workers", 2, "--statsd-host", "127.0.0.1:{}".format(hears.address[1]))
    ask(server)
    hears.until(lambda lines: of_requests(lines) == REQUEST_LINES, "six requests")
    hears.until(lambda lines: "gunicorn.workers:2|g" in lines, "of two workers")


@pytest.mark.parametrize("more", [(), ("--statsd-prefix", "shop", "--dogstatsd-tags", "env:test,zone:1")], ids=["plain", "prefix, tags"])
def test_each_line_is_as_gunicorn_writes_it(serve, start, statsd, more):
    """Name, form, prefix and tags; only Gunicorn has a datagram for each line."""
    ours, theirs = statsd(), statsd()
    flags = ["--workers", 1, "--enable-backlog-metric", *more, "--statsd-host"]
    server = serve("plain", *flags, "127.0.0.1:{}".format(ours.address[1]))
    python = Subject.default().python
    gunicorn = Subject((str(python), "-m", "gunicorn", "--no-control-socket"), python)
    other = start("plain", *flags, "127.0.0.1:{}".format(theirs.address[1]), subject=gunicorn)
    wait_until(lambda: "Booting worker" in other.log, "Gunicorn runs")
    for each in (server, other):
        ask(each)
        each.get("/raises")

    def forms(lines):
        return {re.sub(r"(duration|backlog|workers):\d+(\.\d+)?", r"\1:N", line) for line in lines}

    def known(lines):
        words = ("backlog", "workers", "exception", "status.200", "status.404", "status.500")
        return all(any(word in line for line in lines) for word in words)

    ours.until(known, "of everything")
    theirs.until(known, "of everything, from Gunicorn")
    assert forms(ours.lines) == forms(theirs.lines)
    assert all(len(datagram.split("\n")) == 1 for datagram in theirs.datagrams)


@pytest.mark.inline("each thread ends its request in its own time")
def test_lines_of_one_turn_share_a_datagram(serve, statsd):
    hears = statsd()
    server = serve("plain", "--statsd-host", "127.0.0.1:{}".format(hears.address[1]))
    with server.connect() as connection:
        connection.send(request_bytes("/") * 10)
        for _ in range(10):
            assert connection.response().status == 200
    hears.until(lambda lines: sum("requests:1" in line for line in lines) == 10, "ten requests")
    with_requests = [datagram for datagram in hears.datagrams if "requests:1" in datagram]
    assert len(with_requests) < 10 and all(len(datagram) <= 1432 for datagram in with_requests)


def test_by_ipv6_and_by_name(serve, statsd):
    hears = statsd(socket.AF_INET6, ("::1", 0))
    server = serve("plain", "--statsd-host", "[::1]:{}".format(hears.address[1]))
    assert server.get("/").status == 200
    hears.until(lambda lines: "gunicorn.requests:1|c|@1.0" in lines, "a request by IPv6")
    hears = statsd()
    server = serve("plain", "--statsd-host", "localhost:{}".format(hears.address[1]))
    assert server.get("/").status == 200
    hears.until(lambda lines: "gunicorn.requests:1|c|@1.0" in lines, "a request by name")


def test_by_a_unix_socket_whose_server_comes_and_goes(serve, statsd, directory):
    path = str(directory / "statsd.sock")
    server = serve("plain", "--statsd-host", f"unix://{path}")
    assert server.get("/").status == 200
    for _ in range(2):
        hears = statsd(socket.AF_UNIX, path)
        assert server.get("/").status == 200
        hears.until(lambda lines: "gunicorn.requests:1|c|@1.0" in lines, "a request")
        os.unlink(path)


def test_nobody_waits_for_a_server_that_does_not_read(serve, directory):
    path = directory / "statsd.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(path))
        server = serve("plain", "--statsd-host", f"unix://{path}")
        for _ in range(1000):
            assert server.get("/", timeout=5).status == 200


def test_what_is_logged_is_counted(serve, statsd):
    hears = statsd()
    server = serve("plain", "--workers", 1, "--timeout", 1, "--statsd-host", "127.0.0.1:{}".format(hears.address[1]))
    server.get("/raises")
    hears.until(lambda lines: "gunicorn.log.exception:1|c|@1.0" in lines, "of the exception")
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    hears.until(lambda lines: "gunicorn.log.error:1|c|@1.0" in lines, "of the death of a worker")
    hears.until(lambda lines: lines.count("gunicorn.workers:1|g") > 1 and "gunicorn.workers:0|g" in lines, "of the replacement")


def test_a_reload_changes_whom_is_told_what(serve, statsd, directory):
    first, second = statsd(), statsd()
    file = directory / "app.toml"
    file.write_text('statsd_host = "127.0.0.1:{}"'.format(first.address[1]))
    server = serve("plain", "--config", file)
    file.write_text('statsd_prefix = "new."\nstatsd_host = "127.0.0.1:{}"'.format(second.address[1]))
    server.send(signal.SIGHUP).wait_for_log("reloaded: generation 2")
    assert server.get("/").status == 200
    second.until(lambda lines: "new.gunicorn.requests:1|c|@1.0" in lines and "new.gunicorn.workers:1|g" in lines, "of the new ones")
    assert not of_requests(first.lines)


def test_a_name_that_nobody_knows_is_a_warning(serve):
    server = serve("plain", "--statsd-host", "no-such-host.invalid:8125")
    server.wait_for_log(r'\[WARNING\] statsd_host: no address of "no-such-host.invalid" is known')
    assert server.get("/").status == 200


def test_without_it_there_is_no_socket(serve):
    server = serve("plain")
    (worker,) = server.workers()
    assert server.get("/").status == 200
    inodes = [os.readlink(f"/proc/{worker}/fd/{number}") for number in os.listdir(f"/proc/{worker}/fd")]
    datagram = {line.split()[9] for name in ("udp", "udp6") for line in open(f"/proc/{worker}/net/{name}").readlines()[1:]}
    assert not [inode for inode in inodes if inode.strip("socket:[]") in datagram]


@pytest.mark.parametrize(
    "flags, sentence",
    [
        (["--statsd-host", "a b:1"], "--statsd-host: expected HOST:PORT, [IPV6]:PORT or unix://PATH, found \"a b:1\""),
        (["--statsd-host", ""], '--statsd-host: expected an address such as "127.0.0.1:8125", found ""'),
        (["--dogstatsd-tags", "a|b"], '--dogstatsd-tags: expected text on one line without "|", found "a|b"'),
        (["--metrics-bind", ""], '--metrics-bind: expected an address such as "127.0.0.1:9150", found ""'),
        (["--metrics-bind", "127.0.0.1:http"], '--metrics-bind: "http" is no port: expected a number from 0 to 65535, in "127.0.0.1:http"'),
    ],
)
def test_mistakes_are_told(start, flags, sentence):
    server = start("plain", *flags)
    assert server.wait() in (1, 2)
    assert server.log == f"rcorn: {sentence}\n"
