"""The websocket layer, heard by the `websockets` package."""

import contextlib
import itertools

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect

pytestmark = pytest.mark.rcorn("about rcorn's own websocket layer")

SIZES = [0, 1, 125, 126, 127, 128, 1000, 4096, 65535, 65536, 300_000]

COMPRESSION = {
    "off": None,
    "usual": ClientPerMessageDeflateFactory(client_max_window_bits=True),
    "plain": ClientPerMessageDeflateFactory(),
    "no-takeover": ClientPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True),
    "client-no-takeover": ClientPerMessageDeflateFactory(client_no_context_takeover=True),
    "smallest-windows": ClientPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=9),
    "largest-windows": ClientPerMessageDeflateFactory(server_max_window_bits=15, client_max_window_bits=15),
}


def text(size, number=0):
    return "".join(itertools.islice(itertools.cycle(f'{{"id": {number}, "naïve": "€ {number * 7919}"}}, '), size))


@pytest.fixture
def dial(echo):
    """Opens a websocket: `dial("?limit=1000")`."""
    with contextlib.ExitStack() as opened:
        yield lambda path="", **options: opened.enter_context(connect(f"{echo}/{path}", **{"max_size": None, **options}))


@pytest.mark.parametrize("compression", COMPRESSION)
def test_messages_of_all_sizes(dial, compression):
    factory = COMPRESSION[compression]
    websocket = dial(compression=None, extensions=[factory] if factory else None)
    assert len(websocket.protocol.extensions) == (factory is not None)
    for number, size in itertools.product(range(3), SIZES):
        for message in (text(size, number), text(size, number).encode()):
            websocket.send(message)
            assert websocket.recv(timeout=20) == message


@pytest.mark.parametrize("compression", ["deflate", None])
def test_fragments(dial, compression):
    websocket = dial(compression=compression)
    parts = [text(size) for size in (1, 0, 5000, 200, 70000)]
    websocket.send(parts)
    assert websocket.recv(timeout=20) == "".join(parts)
    websocket.send(part.encode() for part in parts)
    assert websocket.recv(timeout=20) == "".join(parts).encode()


def test_many_messages_in_flight(dial):
    websocket = dial()
    messages = [text(40 + number, number) for number in range(500)]
    for message in messages:
        websocket.send(message)
    assert [websocket.recv(timeout=20) for _ in messages] == messages


def test_many_connections_share_their_compressors(dial):
    websockets = [dial() for _ in range(30)]
    for number in range(10):
        for index, websocket in enumerate(websockets):
            websocket.send(text(500, number * 100 + index))
        for index, websocket in enumerate(websockets):
            assert websocket.recv(timeout=20) == text(500, number * 100 + index)


def test_a_ping_is_answered(dial):
    websocket = dial()
    assert websocket.ping(b"are you there").wait(20)
    assert websocket.latency > 0


def test_the_client_closes(dial):
    websocket = dial()
    websocket.close(4001, "bye")
    assert (websocket.close_code, websocket.protocol.close_sent.reason) == (4001, "bye")
    assert websocket.protocol.close_rcvd.code == 4001


def test_a_message_over_the_limit(dial):
    websocket = dial("?limit=1000", compression=None)
    websocket.send("a" * 1000)
    assert len(websocket.recv(timeout=20)) == 1000
    websocket.send("a" * 1001)
    with pytest.raises(ConnectionClosedError) as closed:
        websocket.recv(timeout=20)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1009, "a message is larger than the limit")


def test_a_bomb(dial):
    websocket = dial("?limit=1000")
    websocket.send("a" * 10_000_000)
    with pytest.raises(ConnectionClosedError) as closed:
        websocket.recv(timeout=20)
    assert closed.value.rcvd.code == 1009


def test_the_server_leaves(dial):
    websocket = dial()
    websocket.send("please drain")
    with pytest.raises(ConnectionClosed) as closed:
        websocket.recv(timeout=20)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "service restart")


def test_pings_of_the_server_are_answered(dial):
    """Ten of them pass, each of which would have been the end."""
    websocket = dial("?ping=20&silence=2000")
    websocket.send("a")
    assert websocket.recv(timeout=20) == "a"
    with pytest.raises(TimeoutError):
        websocket.recv(timeout=0.2)
    websocket.send("b")
    assert websocket.recv(timeout=20) == "b"


def test_the_first_subprotocol_is_chosen(dial):
    assert dial(subprotocols=["chat", "superchat"]).subprotocol == "chat"
    assert dial().subprotocol is None


def test_what_is_no_opening_is_refused(echo):
    with pytest.raises(InvalidStatus) as refused, connect(echo, additional_headers={"Sec-WebSocket-Version": "13"}):
        pass
    assert refused.value.response.status_code == 400
    assert refused.value.response.body == b"there is not exactly one Sec-WebSocket-Version"
