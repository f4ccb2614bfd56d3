"""What is written where: the error log, the access log, and reopening them."""

import os
import re
import signal

import pytest
from support.client import request_bytes
from support.lines import wait_for_lines, whole_lines
from support.waiting import wait_until

COMBINED = re.compile(
    r'(?P<host>\S+) - - \[(?P<time>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "(?P<line>[^"]*)" (?P<status>\d{3}) '
    r'(?P<size>\d+|-) "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"'
)


def test_the_combined_format(serve, directory):
    access = directory / "access"
    server = serve("plain", "--access-logfile", access)
    server.get("/number?n=7", headers={"Referer": "http://example.org/", "User-Agent": "tests/1"})
    server.request("/echo", "POST", body=b"12345")
    server.get("/nowhere")
    first, second, third = [COMBINED.fullmatch(line) for line in wait_for_lines(access, 3)]
    assert first["host"] == "127.0.0.1" and first["line"] == "GET /number?n=7 HTTP/1.1" and first["status"] == "200"
    assert first["referer"] == "http://example.org/" and first["agent"] == "tests/1"
    assert (second["line"], second["size"], second["referer"]) == ("POST /echo HTTP/1.1", "5", "-")
    assert third["status"] == "404"


def test_each_answer_has_one_line(serve, directory):
    access = directory / "access"
    server = serve("plain", "--access-logfile", access, "--workers", 2)
    with server.connect() as connection:
        connection.send(b"".join(request_bytes(f"/number?n={number}") for number in range(200)))
        for _ in range(200):
            connection.response()
    server.get("/raises")
    found = wait_for_lines(access, 201)
    numbers = [int(re.search(r"n=(\d+)", line)[1]) for line in found if "n=" in line]
    assert numbers == list(range(200)) and len(found) == 201
    assert COMBINED.fullmatch(found[-1])["status"] == "500"


@pytest.mark.rcorn("Gunicorn has no line for it")
def test_a_refused_request_has_a_line_too_with_the_reason(serve, directory):
    access = directory / "access"
    server = serve("plain", "--access-logfile", access)
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
        assert connection.response().status == 400
    line, _, reason = wait_for_lines(access, 1)[0].rpartition(' "')
    assert COMBINED.fullmatch(line)["status"] == "400" and reason == 'a header name is malformed"'


def test_what_a_client_sends_cannot_forge_a_line(serve, directory):
    access = directory / "access"
    server = serve("plain", "--access-logfile", access)
    server.get("/", headers={"User-Agent": 'evil" 200 0 "\\x', "Referer": "\tspace"})
    (line,) = wait_for_lines(access, 1)
    assert COMBINED.fullmatch(line), line


def test_a_dash_is_stdout(serve):
    server = serve("plain", "--access-logfile", "-")
    server.get("/number?n=3")
    wait_until(lambda: "GET /number?n=3 HTTP/1.1" in server.output, "stdout has the line")
    assert "GET /number" not in server.log


def test_there_is_none_unless_asked(serve):
    server = serve("plain")
    for number in range(20):
        server.get(f"/number?n={number}")
    server.stop()
    assert "GET /number" not in server.output + server.log


@pytest.mark.parametrize("flag", ["--error-logfile", "--log-file"])
def test_the_error_log_goes_to_a_file(serve, directory, flag):
    error = directory / "error"
    server = serve("plain", flag, error)
    server.get("/raises")
    wait_until(lambda: "RuntimeError: the application raised this" in error.read_text(), "the log has the traceback")
    assert "Listening at" in error.read_text() and "RuntimeError" not in server.log


def test_the_level_decides_what_is_written(serve):
    server = serve("plain", "--log-level", "error")
    server.get("/raises")
    server.wait_for_log("RuntimeError")
    assert "[INFO]" not in server.log
    assert "[ERROR]" in server.log


def test_every_line_has_time_pid_and_level(serve):
    server = serve("plain")
    server.stop()
    for line in server.log.splitlines():
        assert re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] \S", line), line


def test_what_the_application_says_arrives(serve):
    server = serve("plain")
    server.get("/says")
    server.wait_for_log("said by stderr")
    server.wait_for_log("said by wsgi.errors")
    wait_until(lambda: "said by print" in server.output, "stdout has what was printed")


class TestReopening:
    """USR1, after logrotate has renamed the files."""

    @pytest.fixture
    def server(self, serve, directory):
        flags = ["--access-logfile", directory / "access", "--error-logfile", directory / "error", "--workers", 2]
        return serve("plain", *flags)

    def rotate(self, directory):
        for name in ("access", "error"):
            os.rename(directory / name, directory / f"{name}.1")

    def written_to_the_new_files(self, server, directory):
        """Every worker writes to the new files: requests are made until each process has."""

        def new_access():
            server.get("/raises")
            text = (directory / "error").read_text() if (directory / "error").exists() else ""
            return set(map(str, server.workers())) <= set(re.findall(r"\[(\d+)\] \[ERROR\]", text))

        with server.explained():
            wait_until(new_access, "all workers write to the new error log")
            # An answer is sent before its line is written.
            wait_until(lambda: whole_lines(directory / "access"), "and to the new access log")

    def test_usr1_to_the_arbiter(self, server, directory):
        server.get("/raises")
        self.rotate(directory)
        server.send(signal.SIGUSR1)
        wait_until(lambda: (directory / "access").exists() and (directory / "error").exists(), "there are new files")
        self.written_to_the_new_files(server, directory)
        before = len(whole_lines(directory / "access.1"))
        for number in range(50):
            server.get(f"/number?n={number}")
        assert len(whole_lines(directory / "access.1")) == before, "nothing is written to the old file any more"

    @pytest.mark.rcorn("Gunicorn's worker reopens only its own")
    def test_usr1_to_a_worker(self, server, directory):
        self.rotate(directory)
        for worker in server.workers():
            os.kill(worker, signal.SIGUSR1)
        self.written_to_the_new_files(server, directory)

    def test_later_workers_write_to_the_new_files(self, server, directory):
        self.rotate(directory)
        server.send(signal.SIGUSR1)
        wait_until(lambda: (directory / "error").exists(), "there are new files")
        old = server.wait_for_workers(2)
        for worker in old:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(server.workers()) == 2 and not set(server.workers()) & set(old), "there are new workers")
        self.written_to_the_new_files(server, directory)

    @pytest.mark.rcorn("Gunicorn dies of it")
    def test_a_file_that_cannot_be_opened_harms_nobody(self, serve, directory):
        place = directory / "logs"
        place.mkdir()
        server = serve("plain", "--access-logfile", place / "access", "--workers", 2)
        server.get("/")
        place.rename(directory / "elsewhere")
        server.send(signal.SIGUSR1)
        server.wait_for_log(r"\[(WARNING|ERROR)\][^\n]*access")
        assert server.get("/").text == "hello"
        assert len(wait_for_lines(directory / "elsewhere" / "access", 2)) == 2, "the old file is written on"
