"""Websockets with the client of the library `websockets`, and with bare bytes where that is too well behaved."""

import json
import os
import signal
import struct

import pytest
from support.client import request_bytes
from support.waiting import wait_until

websockets = pytest.importorskip("websockets.sync.client")
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402

pytestmark = pytest.mark.rcorn("Gunicorn's own websockets are another subject")

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def open_socket(server, path, **options):
    host, port = server.address
    return websockets.connect(f"ws://{host}:{port}{path}", max_size=None, **options)


def frame(payload, opcode=1, last=True, mask=b"\1\2\3\4"):
    length = len(payload)
    size = bytes([length | 128]) if length < 126 else b"\xfe" + struct.pack("!H", length)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes([opcode | (128 if last else 0)]) + size + mask + masked


@pytest.fixture
def served(serve):
    return serve("asgi_sockets")


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_messages_come_back(serve, loop, compression):
    server = serve("asgi_sockets", "--loop", loop)
    with open_socket(server, "/echo", compression=compression) as socket:
        assert bool(socket.protocol.extensions) == bool(compression)
        messages = ["", "hello", "grüße " * 30_000, b"", b"\0\1\2", os.urandom(300_000), "x" * 126, b"y" * 65_536]
        for message in messages:
            socket.send(message)
            assert socket.recv() == message
        for message in messages:
            socket.send(message)
        assert [socket.recv() for _ in messages] == messages
        socket.close(4000, "enough")
    assert json.loads(server.made("ended")) == [4000, "enough"]
    assert server.made("late") == "ClientDisconnected"
    assert "Traceback" not in server.log


def test_scope_subprotocol_headers_and_close(served):
    with open_socket(served, "/scope?a=b", subprotocols=["one", "two"]) as socket:
        scope = json.loads(socket.recv())
        assert (scope["type"], scope["scheme"], scope["http_version"]) == ("websocket", "ws", "1.1")
        assert scope["subprotocols"] == ["one", "two"] and not scope["method"]
        assert scope["extensions"] == {"websocket.http.response": {}}
        assert socket.subprotocol == "two" and socket.response.headers["x-mine"] == "yes"
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3001, "that was it")
    assert served.made("ended") == "3001"


@pytest.mark.parametrize(("path", "status"), [("/refuse", 403), ("/deny", 401), ("/fail", 500), ("/ignore", 500)])
def test_who_is_not_accepted_gets_a_response(served, path, status):
    with pytest.raises(InvalidStatus) as refused:
        open_socket(served, path)
    response = refused.value.response
    assert response.status_code == status
    if path == "/deny":
        assert response.body == b"who are you?" and response.headers["www-authenticate"] == "Basic"
    if path == "/refuse":
        assert served.made("ended") == "1006"
    with served.connect() as connection:
        assert connection.request("/").text == "hello"


@pytest.mark.parametrize(("path", "code"), [("/leave", 1000), ("/fail_later", 1011)])
def test_an_application_that_ends_closes(served, path, code):
    with open_socket(served, path) as socket, pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv()
    assert closed.value.rcvd.code == code


def test_a_client_that_vanishes_is_1006(served):
    connection = served.connect()
    connection.send(request_bytes("/echo", headers=HANDSHAKE))
    assert connection.head().status == 101
    connection.send(frame(b"one"))
    assert connection.exactly(5) == b"\x81\x03one"
    connection.close()
    assert json.loads(served.made("ended")) == [1006, ""]


def test_what_comes_with_the_handshake_is_heard(served):
    with served.connect() as connection:
        connection.send(request_bytes("/echo", headers=HANDSHAKE) + frame(b"early"))
        assert connection.head().status == 101
        assert connection.exactly(7) == b"\x81\x05early"


def test_a_message_in_pieces_with_a_ping_between(served):
    with served.connect() as connection:
        connection.send(request_bytes("/echo", headers=HANDSHAKE))
        assert connection.head().status == 101
        connection.send(frame(b"one ", last=False) + frame(b"?", opcode=9) + frame(b"two", opcode=0))
        assert connection.exactly(3) == b"\x8a\x01?" and connection.exactly(9) == b"\x81\x07one two"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01a", 1002),
        (frame(b"\xff"), 1007),
        (frame(b"a", opcode=3), 1002),
        (frame(b"", opcode=0), 1002),
    ],
)
def test_a_fault_of_the_client_is_told_to_both(served, data, code):
    with served.connect() as connection:
        connection.send(request_bytes("/echo", headers=HANDSHAKE))
        connection.head()
        connection.send(data)
        header = connection.exactly(4)
        assert header[0] == 0x88 and struct.unpack("!H", header[2:])[0] == code
    assert json.loads(served.made("ended"))[0] == code


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_message_that_is_too_large(serve, compression):
    server = serve("asgi_sockets", "--websocket-max-message-size", "1000")
    with open_socket(server, "/echo", compression=compression) as socket:
        socket.send("x" * 1000)
        assert socket.recv() == "x" * 1000
        socket.send("x" * 1001)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (HANDSHAKE | {"Sec-WebSocket-Version": "12"}, 426),
        (HANDSHAKE | {"Sec-WebSocket-Key": "short"}, 400),
        (HANDSHAKE | {"Connection": "keep-alive"}, 400),
    ],
)
def test_a_handshake_that_is_wrong_never_reaches_the_application(served, headers, status):
    response = served.get("/fail", headers=headers)
    assert response.status == status
    assert status != 426 or response.header("sec-websocket-version") == "13"
    assert "boom" not in served.log


def test_a_client_is_pinged_and_one_that_is_silent_is_closed(serve):
    server = serve("asgi_sockets", "--websocket-ping-interval", "0.3", "--websocket-ping-timeout", "2")
    with open_socket(server, "/echo") as socket, server.connect() as silent:
        silent.send(request_bytes("/echo", headers=HANDSHAKE))
        assert silent.head().status == 101
        assert silent.exactly(2) == b"\x89\x00"
        rest = silent.rest()
        assert struct.pack("!H", 1011) in rest
        socket.send("still here")
        assert socket.recv() == "still here"


def test_a_client_that_talks_too_much_is_held_up(served):
    with served.connect() as connection:
        connection.send(request_bytes("/listen_late", headers=HANDSHAKE))
        connection.head()
        connection.socket.settimeout(1)
        message = frame(b"x" * 60_000, opcode=2)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 3000:
                connection.socket.sendall(message)
                sent += 1
        assert sent < 3000, "the kernel's buffers are not that large"


def test_nothing_is_lost_while_a_client_is_held_up(served):
    with open_socket(served, "/listen_late") as socket:
        for _ in range(500):
            socket.send("x" * 100)
        socket.send("last")
        (served.directory / "listen").touch()
        assert socket.recv() == "501"


def test_a_client_that_does_not_read_holds_up_the_application(served):
    with served.connect(receive_buffer=65_536) as connection:
        connection.send(request_bytes("/push", headers=HANDSHAKE))
        connection.head()
        assert int(served.made("held_up")) < 300
        for _ in range(1000):
            assert connection.exactly(10)[:2] == b"\x82\x7f"
            connection.exactly(65_536)
        assert connection.exactly(4) == b"\x88\x02" + struct.pack("!H", 1000)


def test_what_is_no_event_is_an_exception(served):
    with open_socket(served, "/wrong") as socket:
        assert json.loads(socket.recv()) == [
            "RuntimeError",
            "ValueError",
            "ValueError",
            "RuntimeError",
            "fine",
            "RuntimeError",
            "TypeError",
            "ValueError",
        ]


def test_a_drain_closes_with_1012(served):
    with open_socket(served, "/echo") as socket:
        socket.send("one")
        assert socket.recv() == "one"
        served.send(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
        assert closed.value.rcvd.code == 1012
    assert served.wait() == 0
    assert json.loads(served.made("ended"))[0] == 1012


def test_a_reload_closes_with_1012_and_the_new_generation_answers(served):
    with open_socket(served, "/echo") as socket:
        served.send(signal.SIGHUP)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
        assert closed.value.rcvd.code == 1012
    with open_socket(served, "/echo") as socket:
        socket.send("again")
        assert socket.recv() == "again"


def test_the_access_log_has_a_line_with_101(serve):
    server = serve("asgi_sockets", "--access-logfile", "-")
    with open_socket(server, "/leave") as socket, pytest.raises(ConnectionClosed):
        while True:
            socket.recv()
    wait_until(lambda: '"GET /leave HTTP/1.1" 101 ' in server.output, "the line is there")


def test_an_application_that_never_waits_is_not_forgotten(served):
    """Its task ends as it begins; the closing handshake is still to come."""
    with served.connect() as connection:
        connection.send(request_bytes("/leave", headers=HANDSHAKE))
        assert connection.head().status == 101
        assert connection.exactly(5) == b"\x81\x03bye" and connection.exactly(4) == b"\x88\x02\x03\xe8"
        assert not connection.is_closed(0.5), "the client may take its time"
        connection.send(frame(b"\x03\xe8", opcode=8))
        assert connection.is_closed(5)
