"""`rcornctl status` shows what a worker with a loop is in: requests with line, client and time, as far as there are lanes."""

import json

import pytest
from support.client import request_bytes
from support.holding import Held
from support.server import call
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn has no such status")


@pytest.fixture
def controlled(serve, directory):
    def controlled(app, *flags):
        server = serve(app, "--control-socket", directory / "control", *flags)
        server.control = lambda *words: call("--socket", directory / "control", *words, directory=directory, program="rcornctl")
        server.worker = lambda: json.loads(server.control("status", "--json").out)["workers"][0]
        return server

    return controlled


def in_flight(server):
    return server.worker()["in_flight"]


def is_in_nothing(server):
    """An answer is sent before the books say so."""
    worker = server.worker()
    shown = (worker["state"], worker["in_flight"], worker["more_in_flight"], worker["websockets"])
    return shown == ("idle", [], 0, 0)


def test_a_request_in_an_event_loop_is_shown_until_it_is_answered(controlled):
    server = controlled("asgi_plain")
    with Held(server, "first") as held:
        client = "{}:{}".format(*held.connection.socket.getsockname())
        (shown,) = in_flight(server)
        assert (shown["line"], shown["client"]) == ("GET /hold?name=first HTTP/1.1", client)
        assert 0 < shown["seconds"] < 20
        assert server.worker()["state"] == "busy"
        assert "GET /hold?name=first HTTP/1.1 for" in server.control("status").out
        held.release()
        assert held.response().text == "released"
        wait_until(lambda: is_in_nothing(server), "it is in no request")


def test_a_request_in_a_greenlet_is_shown(controlled):
    server = controlled("greens", "--worker-class", "gevent")
    with server.connect() as connection:
        connection.send(request_bytes("/waits?name=a"))
        server.made("a.waits")
        assert [shown["line"] for shown in in_flight(server)] == ["GET /waits?name=a HTTP/1.1"]
    assert server.get("/most").status == 200, "it serves on"
    wait_until(lambda: "/most" not in str(in_flight(server)), "that one is answered")


def test_the_oldest_is_first_and_those_without_a_lane_are_counted(controlled):
    server = controlled("asgi_fastapi")
    connections = [server.connect() for _ in range(100)]
    for number, connection in enumerate(connections):
        connection.send(request_bytes(f"/waits?name={number}"))
    for number in range(100):
        server.made(f"{number}.waits")
    worker = server.worker()
    seconds = [shown["seconds"] for shown in worker["in_flight"]]
    assert len(seconds) == 64 and seconds == sorted(seconds, reverse=True)
    assert len({shown["line"] for shown in worker["in_flight"]}) == 64
    assert worker["more_in_flight"] == 36
    assert ", and 99 more" in server.control("status").out
    for connection in connections:
        connection.close()
    with server.explained():
        wait_until(lambda: not in_flight(server) and not server.worker()["more_in_flight"], "all have gone away", 15)


def test_websockets_are_counted_and_take_no_lane(controlled):
    sockets = pytest.importorskip("websockets.sync.client")
    server = controlled("asgi_sockets")
    host, port = server.address
    with sockets.connect(f"ws://{host}:{port}/echo") as one, sockets.connect(f"ws://{host}:{port}/echo") as two:
        for socket in (one, two):
            socket.send("x")
            assert socket.recv() == "x"
        worker = server.worker()
        assert (worker["websockets"], worker["in_flight"], worker["more_in_flight"]) == (2, [], 0)
        assert server.control("status").out.rstrip().endswith("2 websockets")
    wait_until(lambda: server.worker()["websockets"] == 0, "they are closed")


def test_many_short_requests_leave_nothing(controlled):
    server = controlled("asgi_plain")
    with server.connect() as connection:
        for number in range(300):
            assert connection.request("/" if number % 3 else "/nowhere").status in (200, 404)
        connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
        for _ in range(10):
            assert connection.response().status == 200
        wait_until(lambda: is_in_nothing(server), "nothing is left")
