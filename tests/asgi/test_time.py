"""What takes long: it is told what it waits for, and it is ended where it may not take so long."""

import re

import pytest
from support.client import request_bytes
from support.holding import Held
from support.server import call

pytestmark = pytest.mark.rcorn("Gunicorn shows none of it")

CHAIN = (
    r'Task Task-\d+ \(GET /hold\) \(most recent call first\):\n'
    r"(  in [\w.]+\n)?"
    r'(  File "[^"]+", line \d+ in sleep\n)?'
    r'  File "[^"]*asgi_plain\.py", line \d+ in wait_for_file\n'
    r'  File "[^"]*asgi_plain\.py", line \d+ in hold\n'
    r'  File "[^"]*asgi_plain\.py", line \d+ in application\n'
)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_slow_request_tells_what_it_waits_for(serve, loop):
    server = serve("asgi_plain", "--loop", loop, "--slow-request", "0.2")
    with Held(server) as held:
        server.wait_for_log(r'slow request: 0\.200 s in "GET /hold\S* HTTP/1\.1" from 127\.0\.0\.1:\d+; it goes on\n' + CHAIN)
        held.release()
        assert held.response().text == "released"
    assert server.log.count("slow request") == 1


def test_a_request_that_takes_too_long_is_504(serve):
    server = serve("asgi_plain", "--request-timeout", "0.3")
    (worker,) = server.wait_for_workers(1)
    with Held(server) as held, server.connect() as other:
        response = held.response()
        assert response.status == 504 and response.closes
        assert other.request("/").text == "hello"
    server.wait_for_log(r'REQUEST TIMEOUT: 0\.300 s in "GET /hold\S* HTTP/1\.1" from 127\.0\.0\.1:\d+; it is cancelled\n' + CHAIN)
    assert server.workers() == [worker] and "Traceback" not in server.log


def test_a_stream_that_takes_too_long_is_broken_off(serve):
    server = serve("asgi_plain", "--request-timeout", "0.3")
    with server.connect() as connection:
        connection.send(request_bytes("/stream"))
        connection.head()
        assert connection.chunk() == b"first"
        assert connection.rest() == b""


def test_the_stacks_of_a_worker_have_its_tasks(serve, directory):
    socket = directory / "control"
    server = serve("asgi_plain", "--control-socket", socket)
    with Held(server):
        shown = call("--socket", socket, "stacks", directory=directory, program="rcornctl").out
        assert re.search(CHAIN, shown), shown
        assert "Task lifespan (most recent call first):" in shown and "Task rcorn" in shown
        assert "most recent call first" in shown.split("Task")[0], "the threads come first"


def test_a_websocket_may_take_as_long_as_it_likes(serve):
    sockets = pytest.importorskip("websockets.sync.client")
    server = serve("asgi_sockets", "--request-timeout", "0.3", "--slow-request", "0.2")
    host, port = server.address
    with sockets.connect(f"ws://{host}:{port}/echo") as socket, server.connect() as other:
        for _ in range(5):
            socket.send("x")
            assert socket.recv() == "x"
            other.request("/")
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.6)
        socket.send("y")
        assert socket.recv() == "y"
    # The others are as slow as the machine.
    assert "/echo" not in server.log
