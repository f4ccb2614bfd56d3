"""Syslog: what arrives at a socket is what Python's SysLogHandler would have sent for Gunicorn."""

import contextlib
import re
import socket
import threading

import pytest
from support.server import call
from support.subject import IS_RCORN
from support.waiting import wait_until

ACCESS = re.compile(r"<134>gunicorn\.shop\.access: \[(\d+)\] 127\.0\.0\.1 - - \[.*\] \"GET /noted HTTP/1\.1\" 200 5 \"-\" \"-\"")
ERROR = re.compile(r"<13[0-7]>gunicorn\.shop\.error: \[(\d+)\] ")
FLAGS = ["--log-syslog", "--log-syslog-facility", "local0", "--log-syslog-prefix", "shop"]


class Listener:
    """A syslog that reads everything."""

    def __init__(self, kind, directory, end):
        self.messages, self.end = [], end
        unix = kind.startswith("unix")
        family = socket.AF_UNIX if unix else socket.AF_INET
        self.is_stream = kind in ("tcp", "unix-stream")
        self.socket = socket.socket(family, socket.SOCK_STREAM if self.is_stream else socket.SOCK_DGRAM)
        self.socket.bind(str(directory / "log.sock") if unix else ("127.0.0.1", 0))
        if self.is_stream:
            self.socket.listen()
        name = self.socket.getsockname()
        self.address = f"unix://{name}#{kind.removeprefix('unix-')}" if unix else f"{kind}://127.0.0.1:{name[1]}"
        threading.Thread(target=self.accept if self.is_stream else self.receive, daemon=True).start()

    def receive(self):
        with contextlib.suppress(OSError):
            while message := self.socket.recv(65536):
                assert message.endswith(b"\0")
                self.messages.append(message[:-1].decode())

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self.socket.accept()[0]
                threading.Thread(target=self.read, args=[connection], daemon=True).start()

    def read(self, connection):
        with connection, contextlib.suppress(OSError):
            kept = b""
            while piece := connection.recv(65536):
                *whole, kept = (kept + piece).split(self.end)
                self.messages += [message.decode() for message in whole]


@pytest.fixture
def listen(directory):
    listeners = []

    def listen(kind):
        listeners.append(Listener(kind, directory, b"\n" if IS_RCORN else b"\0"))
        return listeners[-1]

    yield listen
    for listener in listeners:
        # Wakes whoever waits for it.
        with contextlib.suppress(OSError):
            listener.socket.shutdown(socket.SHUT_RDWR)
        listener.socket.close()


@pytest.mark.parametrize("kind", ["unix-dgram", "unix-stream", "udp", "tcp"])
def test_both_logs_arrive(serve, listen, kind):
    listener = listen(kind)
    server = serve("logged", *FLAGS, "--log-syslog-to", listener.address)
    (worker,) = server.wait_for_workers(1)
    server.get("/noted")
    server.get("/raises")
    found = wait_until(lambda: [m for m in listener.messages if ACCESS.fullmatch(m)], "the access line arrives")
    assert ACCESS.fullmatch(found[0])[1] == str(worker) and len(found) == 1
    error = wait_until(lambda: [m for m in listener.messages if "RuntimeError" in m], "the traceback arrives")
    assert ERROR.match(error[0]) and error[0].startswith("<131>")
    assert ("#012" in error[0]) == (listener.is_stream and IS_RCORN) and "Traceback" in error[0]
    wait_until(lambda: any("Listening at" in m and m.startswith("<134>") for m in listener.messages), "the arbiter's, too")
    assert "Listening at" in server.log, "and where it goes anyway"


def test_the_access_log_may_stay_where_it_is(serve, listen, directory):
    listener = listen("unix-dgram")
    flags = [*FLAGS, "--log-syslog-to", listener.address, "--disable-redirect-access-to-syslog"]
    server = serve("logged", *flags, "--access-logfile", directory / "access")
    server.get("/noted")
    server.get("/raises")
    wait_until(lambda: any("RuntimeError" in m for m in listener.messages), "the traceback arrives")
    assert not any(".access:" in message for message in listener.messages)
    wait_until(lambda: "GET /noted" in (directory / "access").read_text(), "the line is in the file")


@pytest.mark.rcorn("Gunicorn's are Python's")
class TestWhatCannotBeReached:
    def test_a_syslog_that_comes_later(self, serve, listen, directory):
        server = serve("logged", *FLAGS, "--log-syslog-to", f"unix://{directory}/log.sock")
        server.wait_for_log(r"WARNING\] syslog_addr: syslog cannot be reached \(No such file .*\): lines for it are lost")
        for _ in range(2):  # the line of the first is there to be lost when the second is answered
            assert server.get("/noted").status == 200
        listener = listen("unix-dgram")
        wait_until(lambda: server.get("/noted").status == 200 and [m for m in listener.messages if ACCESS.match(m)], "it is used")
        assert any("lines were dropped: syslog did not keep up" in message for message in listener.messages)

    def test_one_that_does_not_read_holds_up_nobody(self, serve, directory):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
            deaf.bind(str(directory / "deaf"))
            server = serve("logged", *FLAGS, "--log-syslog-to", f"unix://{directory}/deaf")
            with server.connect() as connection:
                for number in range(1000):
                    assert connection.request(f"/number?n={number}").status == 200

    def test_what_arrives_of_a_request_whose_worker_died(self, serve, listen):
        listener = listen("udp")
        server = serve("logged", *FLAGS, "--log-syslog-to", listener.address)
        with server.connect() as connection:
            connection.send(b"GET /crashes?signal=9 HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.is_closed(20)
        wait_until(lambda: any("the worker was killed by SIGKILL\"" in m for m in listener.messages), "there is a line")

    @pytest.mark.parametrize(
        ("flags", "why"),
        [
            (["--log-syslog-to", "localhost"], "--log-syslog-to: expected unix://PATH, udp://HOST:PORT or tcp"),
            (["--log-syslog-to", "udp://127.0.0.1:x"], '--log-syslog-to: "x" is no port'),
            (["--log-syslog-facility", "local9"], '--log-syslog-facility: there is no facility "local9"'),
        ],
    )
    def test_mistakes(self, directory, flags, why):
        refused = call("--log-syslog", *flags, "x", directory=directory)
        assert refused.code == 2 and why in refused.sentence
