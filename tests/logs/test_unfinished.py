"""Always one line for each request, whatever becomes of the worker that it is in."""

import json
import os
import re
import signal

import pytest
from support.lines import wait_for_lines, whole_lines
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn has no line for these")


def lines_about(path, what):
    return wait_until(lambda: [line for line in whole_lines(path) if what in line], f"there is a line about {what}")


@pytest.mark.parametrize("flags", [[], ["--threads", 3]], ids=["sync", "threads"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_stuck_request_that_the_signal_handler_has_answered(serve, access, flags, method):
    server = serve("logged", *flags, "--access-logfile", access, "--timeout", "400ms", "--graceful-timeout", 1)
    assert server.request("/sleeps?s=60", method).status == 504
    (line,) = lines_about(access, "/sleeps")
    length = 0 if method == "HEAD" else 44
    end = f'"{method} /sleeps?s=60 HTTP/1.1" 504 {length} "-" "-" "the application did not answer in time"'
    assert line.startswith("127.0.0.1 - - [") and line.endswith(end), line
    server.get("/number?n=1")
    assert len(lines_about(access, "/sleeps")) == 1


def test_in_json(serve, access):
    server = serve("logged", "--access-logfile", access, "--access-logformat", "json", "--timeout", "400ms")
    (worker,) = server.wait_for_workers(1)
    server.get("/sleeps?s=60")
    record = json.loads(lines_about(access, "/sleeps")[0])
    assert (record["status"], record["aborted"], record["pid"], record["worker"], record["generation"]) == (
        504,
        "the application did not answer in time",
        worker,
        1,
        1,
    )
    assert 400_000 <= record["duration_us"] < 20_000_000


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_request_whose_worker_dies(serve, access, number):
    server = serve("logged", "--access-logfile", access)
    with server.connect() as connection:
        connection.send(f"GET /crashes?signal={number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        connection.is_closed(20)
    (line,) = lines_about(access, "/crashes")
    assert line.endswith(f' 000 0 "-" "-" "the worker was killed by {number.name}"'), line


def test_the_request_before_is_not_forgotten(serve, access):
    """Two requests of one turn: the line of the first has not been written when the second one kills the process."""
    server = serve("logged", "--access-logfile", access)
    with server.connect() as connection:
        requests = ["/number?n=1", "/number?n=2", f"/crashes?signal={signal.SIGKILL}"]
        connection.send("".join(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" for target in requests).encode())
        assert [connection.response().status for _ in range(2)] == [200, 200]
    lines_about(access, "/crashes")
    assert [re.search(r'"GET (\S+) ', line)[1] for line in whole_lines(access)] == requests


def test_a_request_that_a_stop_does_not_wait_for(serve, access):
    server = serve("logged", "--access-logfile", access, "--graceful-timeout", "300ms")
    with server.connect() as connection:
        connection.send(b"GET /hold?name=it HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until((server.directory / "it.entered").exists, "the request is in the application")
        server.stop()
    assert [line.split('"')[1] for line in whole_lines(access)] == ["GET /hold?name=it HTTP/1.1"]


def test_a_client_that_goes_away(logging_server, access):
    server = logging_server("sync", "--access-logformat", "%(m)s %(s)s %(reason)s")
    with server.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        wait_until(lambda: server.get("/number?n=1").status == 200, "the server has read so far")
        connection.abort()
    (line,) = lines_about(access, "POST")
    assert line in ("POST 000 the client went away before the body was complete", "POST 400 the body ended early")


def test_each_of_many_has_one_line_while_workers_are_killed(serve, access):
    server = serve("logged", "--access-logfile", access, "--workers", 2, "--threads", 4)
    answered = []
    for number in range(300):
        if number % 50 == 49:
            # What is killed within the 50 ms that a letter may wait has lines to lose.
            wait_for_lines(access, len(answered))
            os.kill(server.wait_for_workers(2)[0], signal.SIGKILL)
        try:
            if server.get(f"/number?n={number}").status == 200:
                answered.append(number)
        except (AssertionError, OSError):
            pass
    server.stop()
    numbers = [int(found[1]) for line in whole_lines(access) if (found := re.search(r"n=(\d+) ", line))]
    assert len(numbers) == len(set(numbers)) and set(answered) <= set(numbers)
