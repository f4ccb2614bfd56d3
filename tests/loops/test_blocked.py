"""A loop that is blocked: everybody who has got no byte hears 504, and the log names the requests."""

import pytest
from support.client import Closed, request_bytes
from support.interpreters import supported
from support.subject import Subject, binary
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn kills the worker without a word")

TEXT = "the application did not answer within time.\n"


def sends(server, target, sign, method="GET"):
    connection = server.connect()
    connection.send(request_bytes(target, method))
    server.made(sign)
    return connection


def eager():
    """An interpreter whose tasks begin at once."""
    for python in supported():
        if python.version >= (3, 12) and (python.environment / "bin" / "python").exists():
            return Subject((str(binary()),), python.environment / "bin" / "python")
    return None


def assert_504(connection, method="GET"):
    response = connection.response(method)
    assert (response.status, response.text, response.closes) == (504, "" if method == "HEAD" else TEXT, True)
    assert connection.rest() == b""


def assert_replaced(server, worker):
    with server.explained():
        wait_until(lambda: server.workers() not in ([], [worker]), "another worker took its place")
    assert server.log.count("WORKER TIMEOUT") == 1


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_fastapi(serve, loop):
    server = serve("asgi_fastapi", "--timeout", 1, "--loop", loop)
    (worker,) = server.wait_for_workers(1)
    waiting = sends(server, "/waits?name=a", "a.waits")
    quiet = server.connect()
    assert quiet.request("/").text == "hello"
    blocked = sends(server, "/blocks", "blocking")
    assert_504(blocked)
    assert_504(waiting)
    assert quiet.rest() == b"", "who has asked nothing hears nothing"
    server.wait_for_log(r"WORKER TIMEOUT worker 1 \(pid \d+\): the loop is blocked for [12] s[^\n]*; it is replaced")
    for name in ("blocks", r"waits\?name=a"):
        server.wait_for_log(rf'worker 1 \(pid \d+\)[^\n]*"GET /{name} HTTP/1.1" from 127.0.0.1:\d+ for \d\.\d s')
    server.wait_for_log(r'File "[^"]*asgi_fastapi.py", line \d+ in blocks')
    assert_replaced(server, worker)
    assert server.get("/").text == "hello"


def test_whose_code_blocks_is_told_where_tasks_begin_at_once(serve):
    subject = eager()
    if subject is None:
        pytest.skip("no Python 3.12 or later here")
    server = serve("asgi_fastapi", "--timeout", 1, subject=subject)
    waiting = sends(server, "/waits?name=a", "a.waits")
    with sends(server, "/blocks", "blocking"):
        server.wait_for_log(r'the loop is blocked for [12] s, by "GET /blocks HTTP/1.1" from 127.0.0.1:\d+ for [12]\.\d s; it is replaced')
        server.wait_for_log(r'was also in "GET /waits\?name=a HTTP/1.1" from')
    waiting.close()


def test_head_has_no_body_and_who_has_got_a_byte_is_cut(serve):
    server = serve("asgi_plain", "--timeout", 1)
    streaming = server.connect()
    streaming.send(request_bytes("/stream"))
    assert streaming.head().status == 200 and streaming.chunk() == b"first"
    blocked = sends(server, "/block", "blocking", method="HEAD")
    assert_504(blocked, "HEAD")
    with pytest.raises(Closed):
        streaming.chunk()


def test_websockets_are_cut(serve):
    sockets = pytest.importorskip("websockets.sync.client")
    errors = pytest.importorskip("websockets.exceptions")
    server = serve("asgi_fastapi", "--timeout", 1)
    host, port = server.address
    with sockets.connect(f"ws://{host}:{port}/chat") as socket:
        blocked = sends(server, "/blocks", "blocking")
        assert_504(blocked)
        with pytest.raises(errors.ConnectionClosedError):
            socket.recv(timeout=10)
    server.wait_for_log(r"was (also )?in 1 websocket\n")


def test_more_than_there_are_lanes(serve):
    server = serve("asgi_fastapi", "--timeout", 2)
    connections = [sends(server, f"/waits?name={number}", f"{number}.waits") for number in range(80)]
    blocked = sends(server, "/blocks", "blocking")
    for connection in [*connections, blocked]:
        assert_504(connection)
        connection.close()
    server.wait_for_log(r"was (also )?in 6\d more requests")


def test_gevent(serve):
    server = serve("greens", "--worker-class", "gevent", "--timeout", 1)
    (worker,) = server.wait_for_workers(1)
    waiting = sends(server, "/waits?name=a", "a.waits")
    streaming = server.connect()
    streaming.send(request_bytes("/drips"))
    assert streaming.head().status == 200
    blocked = sends(server, "/blocks", "blocking")
    assert_504(blocked)
    assert_504(waiting)
    assert b"0\r\n\r\n" not in streaming.rest(), "broken off, and not whole"
    for name in ("blocks", r"waits\?name=a"):
        server.wait_for_log(rf'worker 1 \(pid \d+\)[^\n]*"GET /{name} HTTP/1.1" from 127.0.0.1:\d+ for \d\.\d s')
    server.wait_for_log(r'File "[^"]*greens.py", line \d+ in do_blocks')
    assert_replaced(server, worker)
    assert server.get("/most").status == 200
