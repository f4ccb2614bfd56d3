"""Ten thousand quiet connections, and five thousand websockets, in one worker: what each of them costs."""

import os
import resource
import socket

import pytest
from support.subject import IS_RCORN
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(not IS_RCORN, reason="memory is judged by rcorn's promises")

IDLE, SOCKETS, WARM = 10_000, 5_000, 500
UPGRADE = (
    b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
# "hi", masked with noughts.
MESSAGE = b"\x81\x82\0\0\0\0hi"


@pytest.fixture
def descriptors():
    """As many as 10,000 connections take, in this process and in those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + WARM + 1000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{IDLE} connections need {wanted} descriptors, and the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def held(server, count, hello, heard):
    """Connections that have said hello, once each, and have heard all of the answer."""
    connections = []
    for begin in range(0, count, 100):
        batch = [socket.create_connection(server.address) for _ in range(min(100, count - begin))]
        for connection in batch:
            connection.settimeout(30)
            connection.sendall(hello)
        for connection in batch:
            said = b""
            while heard not in said:
                more = connection.recv(4096)
                assert more, said
                said += more
        connections += batch
    return connections


def memory(worker):
    with open(f"/proc/{worker}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))


def cost(server, count, hello, heard, record_property):
    """Bytes of the worker for each further connection."""
    (worker,) = server.wait_for_workers(1)
    connections = held(server, WARM, hello, heard)
    before = memory(worker)
    connections += held(server, count, hello, heard)
    each = (memory(worker) - before) / count
    assert len(os.listdir(f"/proc/{worker}/fd")) >= count
    record_property("bytes_per_connection", round(each))
    print(f"{count} connections: {each:.0f} bytes each")
    for connection in connections:
        connection.close()
    wait_until(lambda: len(os.listdir(f"/proc/{worker}/fd")) < 100, "the worker has closed them", seconds=30)
    return each


KINDS = {"sync": ("plain",), "threads": ("plain", "--threads", 4), "gevent": ("plain", "-k", "gevent"), "asgi": ("asgi_plain",)}


@pytest.mark.alone
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_quiet_connections(serve, descriptors, kind, record_property):
    server = serve(*KINDS[kind], "--worker-connections", IDLE + WARM + 10, "--keep-alive", 600)
    hello = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    assert cost(server, IDLE, hello, b"hello", record_property) < 1000


@pytest.mark.alone
@pytest.mark.parametrize("compression", ["plain", "compressed"])
def test_five_thousand_websockets(serve, descriptors, compression, record_property):
    server = serve("asgi_sockets", "--worker-connections", SOCKETS + WARM + 10)
    offer = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" if compression == "compressed" else b""
    # A task of asyncio, its frames and two futures are most of it.
    each = cost(server, SOCKETS, UPGRADE + offer + b"\r\n" + MESSAGE, b"hi", record_property)
    assert each < 20_000
