"""Clients that send a byte a second cost nobody anything, and are cut off in the end."""

import threading
import time

import pytest
from support.client import Connection, request_bytes

pytestmark = pytest.mark.rcorn("Gunicorn relies on a buffering proxy for this")

HEAD = request_bytes("/", headers={"X-Padding": "x" * 100})
BODY = request_bytes("/echo", "POST", {"Content-Length": "1000"})


class Dripping:
    """Many connections, each of which sends one byte a turn of a request that never gets complete."""

    def __init__(self, address, count):
        self.stopping = threading.Event()
        self.connections = [Connection(address) for _ in range(count)]
        for connection in self.connections[::2]:
            connection.send(BODY)
        self.thread = threading.Thread(target=self._drip)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        for connection in self.connections:
            connection.close()

    def _drip(self):
        position = 0
        while True:
            for number, connection in enumerate(self.connections):
                byte = b"x" if number % 2 == 0 else HEAD[position : position + 1]
                try:
                    connection.send(byte)
                except OSError:
                    pass  # cut off: that is tried elsewhere
            position += 1
            if self.stopping.wait(1) or position >= len(HEAD) - 1:
                return


@pytest.mark.alone
def test_200_slow_clients_do_not_delay_a_normal_one(plain):
    with Dripping(plain.address, 200), plain.connect() as connection:
        times = []
        for _ in range(100):
            begin = time.monotonic()
            assert connection.request("/").text == "hello"
            times.append(time.monotonic() - begin)
        begin = time.monotonic()
        assert plain.get("/").text == "hello"
        fresh = time.monotonic() - begin
    assert sorted(times)[50] < 0.005, f"median {sorted(times)[50] * 1000:.1f} ms"
    assert max(*times, fresh) < 0.1, f"slowest {max(times) * 1000:.1f} ms, on a new connection {fresh * 1000:.1f} ms"


@pytest.mark.parametrize("begun", [b"G", HEAD[:40], BODY + b"x"], ids=["one-byte", "half-a-head", "body"])
def test_who_is_too_slow_gets_a_408(serve, directory, begun):
    (directory / "rcorn.toml").write_text("header_timeout = 1\nbody_timeout = 1\n")
    server = serve("plain", "--config", directory / "rcorn.toml")
    with server.connect() as connection:
        connection.send(begun)
        response = connection.response()
        assert (response.status, response.reason) == (408, "Request Timeout") and response.closes
        assert connection.rest() == b""
    assert server.get("/").text == "hello"


def test_a_trickle_does_not_extend_the_time_of_a_head(serve, directory):
    (directory / "rcorn.toml").write_text("header_timeout = 1\n")
    server = serve("plain", "--config", directory / "rcorn.toml")
    begin = time.monotonic()
    with server.connect() as connection:
        connection.socket.settimeout(0.1)
        for byte in HEAD[:100]:
            connection.send(bytes([byte]))
            try:
                response = connection.response()
                break
            except AssertionError as error:
                assert "no answer within" in str(error)
        assert response.status == 408
    assert time.monotonic() - begin < 5


def test_who_never_says_anything_is_closed(serve, directory):
    (directory / "rcorn.toml").write_text("header_timeout = 1\n")
    server = serve("plain", "--config", directory / "rcorn.toml")
    with server.connect() as connection:
        reply = connection.rest()
    assert not reply or reply.startswith(b"HTTP/1.1 408 ")


def test_a_slow_body_that_keeps_coming_is_not_cut(serve, directory):
    (directory / "rcorn.toml").write_text("body_timeout = 1\n")
    server = serve("plain", "--config", directory / "rcorn.toml")
    with server.connect() as connection:
        connection.send(request_bytes("/echo", "POST", {"Content-Length": "8192"}))
        pace = threading.Event()
        for _ in range(8):
            connection.send(b"x" * 1024)
            pace.wait(0.3)  # the client's pace, longer in all than body_timeout
        assert len(connection.response().body) == 8192
