"""How a generation leaves at a reload: nothing in flight is cut, nobody waits for it, and quiet connections have time."""

import signal
import time

import pytest
from support.client import Closed
from support.holding import Held
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn has no generations")


def reload(server, generation):
    server.send(signal.SIGHUP)
    server.wait_for_log(rf"\] reloaded: generation {generation}\b")


def test_a_quiet_connection_may_send_its_next_request(serve):
    server = serve("plain", "--keep-alive", 60)
    (old,) = server.wait_for_workers(1)
    with server.connect() as connection:
        assert connection.request("/pid").text == str(old)
        reload(server, 2)
        assert not connection.is_closed(1)
        response = connection.request("/pid")
        assert response.text == str(old) and response.closes
        assert connection.is_closed(5)
    with server.explained():
        wait_until(lambda: old not in server.workers(), "the old worker is gone")


@pytest.mark.parametrize(
    ("flags", "limit"),
    [(["--keep-alive", 1], 4), (["--keep-alive", 600, "--graceful-timeout", 2], 2)],
    ids=["keep-alive", "graceful-timeout"],
)
def test_a_connection_that_stays_quiet_is_closed_in_time(serve, flags, limit):
    server = serve("plain", *flags)
    (old,) = server.wait_for_workers(1)
    with server.connect() as connection:
        connection.request("/")
        reload(server, 2)
        begin = time.monotonic()
        assert connection.is_closed(limit + 2)
        assert 0.2 < time.monotonic() - begin < limit
    with server.explained():
        wait_until(lambda: old not in server.workers(), "the old worker is gone")
    assert "killed" not in server.log, "it left by itself"


def test_a_stream_goes_on_through_two_programs(serve):
    server = serve("plain")
    (old,) = server.wait_for_workers(1)
    with server.connect() as connection:
        connection.send(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        with server.explained():
            wait_until((server.directory / "second.entered").exists, "the stream has begun")
        reload(server, 2)
        (server.directory / "second.release").touch()
        with server.explained():
            wait_until((server.directory / "third.entered").exists, "the second piece is out")
        reload(server, 3)
        assert old in server.workers()
        (server.directory / "third.release").touch()
        assert connection.response().text == "firstsecondthird"
    with server.explained():
        wait_until(lambda: old not in server.workers(), "the old worker is gone")


def test_an_upload_goes_on(serve):
    server = serve("plain")
    with server.connect() as connection:
        connection.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
        reload(server, 2)
        assert not connection.is_closed(0.7)
        connection.send(b"world")
        response = connection.response()
        assert response.text == "helloworld" and response.closes


def test_a_long_request_holds_up_no_reload(serve):
    server = serve("plain")
    (first,) = server.wait_for_workers(1)
    with Held(server) as held:
        reload(server, 2)
        reload(server, 3)
        with server.explained():
            wait_until(lambda: len(server.workers()) == 2, "the second generation has left")
        assert first in server.workers()
        assert held.release().response().text == f"held {first}"
    server.wait_for_workers(1)


@pytest.mark.parametrize("in_time", [True, False], ids=["in-time", "too-late"])
def test_the_oldest_of_too_many_generations_has_little_time(serve, in_time):
    server = serve("plain", "--max-generations", 2)
    (first,) = server.wait_for_workers(1)
    with Held(server) as held:
        reload(server, 2)
        reload(server, 3)
        server.wait_for_log(r"generation 1 has to end within 5 s: max_generations is 2")
        if in_time:
            assert held.release().response().text == f"held {first}"
        else:
            with pytest.raises((Closed, OSError)):
                held.response()
            server.wait_for_log(rf"pid {first}\) did not finish within 5 s; it is killed")
    server.wait_for_workers(1)
    assert server.get("/").text == "hello"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_stop_while_an_old_generation_drains(serve, number):
    server = serve("plain")
    (first,) = server.wait_for_workers(1)
    with Held(server) as held, server.connect() as quiet:
        reload(server, 2)
        quiet.request("/")
        server.send(number)
        if number == signal.SIGTERM:
            server.wait_for_log("stopping")
            assert held.release().response().text == f"held {first}"
        else:
            with pytest.raises((Closed, OSError)):
                held.response()
        assert server.wait(5) == 0
