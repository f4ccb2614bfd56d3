"""`log_format = "json"`: every line on both streams is one record, whoever wrote it."""

import json
import os
import re
import signal

import pytest
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn has no such setting")


def records(text):
    return [json.loads(line) for line in text.splitlines()]


def wait_for_record(source, **expected):
    """The first record that has these values; a text may be a part of what it stands for."""

    def found():
        matches = lambda record: all(fits(record.get(name), value) for name, value in expected.items())
        return next((record for record in records(source()) if matches(record)), None)

    return wait_until(found, f"there is a record with {expected}")


def fits(found, expected):
    return expected in found if isinstance(expected, str) and isinstance(found, str) else found == expected


@pytest.fixture
def server(serve):
    return serve("plain", "--log-format", "json", "--access-logfile", "-", "--name", "shop")


def test_what_the_server_says(server):
    (worker,) = server.wait_for_workers(1)
    server.stop()
    said = records(server.log)
    assert all(record["app"] == "shop" and record["log"] == "server" for record in said)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"]) for record in said)
    assert {record["pid"] for record in said} == {server.pid} and {record["level"] for record in said} == {"INFO"}
    assert any(record["message"] == f"Booting worker 1 (pid {worker})" for record in said)


def test_a_traceback_is_one_record(server):
    server.get("/raises")
    record = wait_for_record(lambda: server.log, level="ERROR")
    (worker,) = server.workers()
    assert (record["pid"], record["worker"], record["generation"], record["log"]) == (worker, 1, 1, "server")
    assert "Traceback (most recent call last):\n" in record["message"] and "RuntimeError: the application" in record["message"]


def test_what_the_application_prints(server):
    server.get("/says")
    for text in ("said by stderr", "said by wsgi.errors"):
        record = wait_for_record(lambda: server.log, log="stderr", message=text)
        assert (record["worker"], record["level"], record["generation"]) == (1, "WARNING", 1)
    wait_for_record(lambda: server.output, log="stdout", message="said by print", level="INFO")


def test_requests(server):
    server.get("/number?n=3&x=\"'", headers={"User-Agent": 'a "b" \\', "Referer": "http://example.org/"})
    record = wait_for_record(lambda: server.output, log="access", target="/number")
    assert record | {"time": "", "pid": 0, "duration_us": 0, "queue_us": 0} == {
        "time": "",
        "level": "INFO",
        "log": "access",
        "app": "shop",
        "pid": 0,
        "generation": 1,
        "worker": 1,
        "client": "127.0.0.1",
        "method": "GET",
        "target": "/number?n=3&x=\"'",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes": record["bytes"],
        "duration_us": 0,
        "queue_us": 0,
        "referer": "http://example.org/",
        "user_agent": 'a "b" \\',
    }
    assert 0 < record["duration_us"] < 20_000_000 and 0 <= record["queue_us"] < 20_000_000


def test_nothing_that_a_client_sends_breaks_a_record(server):
    with server.connect() as connection:
        connection.send(b'GET /\x01"\\\xff HTTP/1.1\r\nHost : x\r\n\r\n')
        assert connection.response().status == 400
    record = wait_for_record(lambda: server.output, status=400)
    assert record["refused"] and record["method"] == "GET"


def test_stacks_of_a_stuck_request(serve):
    server = serve("plain", "--log-format=json", "--timeout", "500ms")
    assert server.get("/sleeps?s=60").status == 504
    wait_for_record(lambda: server.log, log="stderr", message="most recent call first")
    assert records(server.log)


def test_an_application_that_cannot_be_imported(start):
    server = start("broken", "--log-format=json")
    assert server.wait() == 3
    said = records(server.log)
    assert any("Traceback" in record["message"] for record in said) and said[-1]["level"] == "CRITICAL"


def test_in_files_that_are_reopened(serve, directory):
    error, access = directory / "error", directory / "access"
    server = serve("plain", "--log-format=json", "--error-logfile", error, "--access-logfile", access)
    server.get("/says")
    wait_for_record(error.read_text, log="stderr", message="said by stderr")
    for log in (error, access):
        os.rename(log, f"{log}.1")
    server.send(signal.SIGUSR1)
    wait_until(lambda: error.exists() and "reopened" in error.read_text(), "the file is there again")
    server.get("/says")
    wait_for_record(error.read_text, log="stderr", message="said by stderr")
    wait_for_record(access.read_text, target="/says")


def test_after_a_reload(server):
    server.send(signal.SIGHUP)
    wait_for_record(lambda: server.log, message="reloaded: generation 2")
    server.get("/says")
    assert wait_for_record(lambda: server.log, log="stderr", message="said by stderr")["generation"] == 2


HALVES = '''"""Prints in two requests what belongs together."""
import os


def application(environ, start_response):
    os.write(2, b"the first half" if environ["PATH_INFO"] == "/first" else b" and the second\\n")
    start_response("204 No Content", [])
    return []
'''


def test_a_reload_loses_nothing_that_was_read_in_part(serve):
    server = serve(
        None, "--log-format=json", call="halves", prepare=lambda place: (place / "halves.py").write_text(HALVES)
    )
    server.get("/first")
    server.send(signal.SIGHUP)
    wait_for_record(lambda: server.log, message="reloaded: generation 2")
    record = wait_for_record(lambda: server.log, log="stderr", message="the first half")
    assert (record["generation"], record["worker"]) == (1, 1)
    server.get("/second")
    wait_for_record(lambda: server.log, log="stderr", message="and the second", generation=2)
