"""The websocket layer, heard by the `wsproto` package, which does as it is told: what is wrong can be sent as well."""

import socket

import pytest
from support.waiting import PATIENCE
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason

pytestmark = pytest.mark.rcorn("about rcorn's own websocket layer")

EXTENSIONS = {
    "off": lambda: [],
    "deflate": lambda: [PerMessageDeflate()],
    "no-takeover": lambda: [PerMessageDeflate(client_no_context_takeover=True, server_no_context_takeover=True)],
    "small-windows": lambda: [PerMessageDeflate(client_max_window_bits=9, server_max_window_bits=9)],
}


class Client:
    """A connection, and what came over it."""

    def __init__(self, echo, path="/", extensions=()):
        host, _, port = echo.removeprefix("ws://").partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.waiting = []
        self.send(Request(host=host, target=path, extensions=list(extensions)))
        assert isinstance(self.next(), AcceptConnection)

    def send(self, event):
        self.socket.sendall(self.protocol.send(event))

    def next(self):
        while not self.waiting:
            data = self.socket.recv(65536)
            self.protocol.receive_data(data or None)
            self.waiting = list(self.protocol.events())
        return self.waiting.pop(0)

    def message(self):
        """The next message, however many events it takes."""
        parts = [self.next()]
        while not parts[-1].message_finished:
            parts.append(self.next())
        return parts[0].data[:0].join(part.data for part in parts)


@pytest.fixture
def dial(echo):
    clients = []

    def dial(*arguments, **options):
        clients.append(Client(echo, *arguments, **options))
        return clients[-1]

    yield dial
    for client in clients:
        client.socket.close()


@pytest.mark.parametrize("extensions", EXTENSIONS)
def test_messages_of_all_sizes(dial, extensions):
    client = dial(extensions=EXTENSIONS[extensions]())
    for size in [0, 1, 125, 126, 1000, 65535, 65536, 200_000]:
        for _ in range(2):
            client.send(TextMessage("é" * size))
            assert client.message() == "é" * size
            client.send(BytesMessage(bytes(range(256)) * (size // 256)))
            assert client.message() == bytes(range(256)) * (size // 256)


@pytest.mark.parametrize("extensions", ["off", "deflate"])
def test_a_ping_between_fragments(dial, extensions):
    client = dial(extensions=EXTENSIONS[extensions]())
    client.send(TextMessage("hel" * 100, message_finished=False))
    client.send(Ping(b"now"))
    client.send(TextMessage("lo", message_finished=True))
    assert client.next() == Pong(payload=bytearray(b"now"))
    assert client.message() == "hel" * 100 + "lo"


def test_the_code_of_a_close_comes_back(dial):
    for code in (1000, 1001, 1012, 3000, 4999):
        client = dial()
        client.send(CloseConnection(code=code, reason="bye"))
        closed = client.next()
        assert (type(closed), closed.code) == (CloseConnection, code)
        assert client.socket.recv(1) == b"", "the server closes"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x85\0\0\0\0\xff\xfe\xfd\xfc\xfb", CloseReason.INVALID_FRAME_PAYLOAD_DATA),
        (b"\x01\x82\0\0\0\0\xf4\x90", CloseReason.INVALID_FRAME_PAYLOAD_DATA),
        (b"\x81\x05hello", CloseReason.PROTOCOL_ERROR),
        (b"\x83\x80\0\0\0\0", CloseReason.PROTOCOL_ERROR),
        (b"\xc1\x80\0\0\0\0", CloseReason.PROTOCOL_ERROR),
        (b"\x88\x82\0\0\0\0\x03\xed", CloseReason.PROTOCOL_ERROR),
        (b"\x82\xff\x7f" + b"\xff" * 7 + bytes(4), CloseReason.MESSAGE_TOO_BIG),
    ],
)
def test_what_is_wrong_is_told(dial, sent, code):
    client = dial()
    client.socket.sendall(sent)
    closed = client.next()
    assert (closed.code, bool(closed.reason)) == (code, True)
    assert client.socket.recv(1) == b""


def test_a_client_that_does_not_answer_pings(dial):
    client = dial("/?ping=30&silence=60")
    assert client.next() == Ping(payload=bytearray())
    closed = client.next()
    while isinstance(closed, Ping):
        closed = client.next()
    assert (closed.code, closed.reason) == (1011, "keepalive ping timeout")
