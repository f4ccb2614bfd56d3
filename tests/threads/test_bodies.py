"""Bodies of requests under threads: small ones are waited for, large ones flow."""

import hashlib

import pytest
from support.client import request_bytes
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn's threads wait in the socket")

LINES = b"".join(b"%d\n" % number for number in range(60_000))


@pytest.fixture
def crew(serve):
    return serve("crew", "--threads", 2)


def chunked(body, size=7000):
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


@pytest.mark.parametrize("by", ["read", "pieces", "lines", "all-lines", "iteration"])
@pytest.mark.parametrize("coding", ["length", "chunked"])
@pytest.mark.parametrize("length", [0, 10, len(LINES)])
def test_every_way_of_reading(crew, by, coding, length):
    body = LINES[:length]
    expected = {"length": length, "digest": hashlib.sha256(body).hexdigest()}
    with crew.connect() as connection:
        for _ in range(2):
            if coding == "length":
                headers = {"Content-Length": str(length)}
                connection.send(request_bytes(f"/digest?by={by}", "POST", headers, body))
            else:
                connection.send(request_bytes(f"/digest?by={by}", "POST", {"Transfer-Encoding": "chunked"}))
                for piece in chunked(body):
                    connection.send(piece)
            response = connection.response()
            assert response.json == expected
            if response.closes:
                assert length == len(LINES), "the body was not there yet when the answer began"
                break


def test_a_body_is_read_while_it_comes(crew):
    with crew.connect() as connection:
        connection.send(request_bytes("/echo-as-it-comes", "POST", {"Transfer-Encoding": "chunked"}))
        first = b"a" * 70_000 + b"\n"
        connection.send(b"%x\r\n%s\r\n" % (len(first), first))
        assert connection.head().status == 200
        received = b""
        while len(received) < len(first):
            received += connection.chunk()
        connection.send(b"7\r\nsecond\n\r\n")
        assert connection.chunk() == b"second\n"
        connection.send(b"0\r\n\r\n")
        assert connection.chunk() == b""


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_small_bodies_that_come_slowly_occupy_nobody(crew, coding):
    slow = [crew.connect() for _ in range(6)]
    headers = {"length": {"Content-Length": "1000"}, "chunked": {"Transfer-Encoding": "chunked"}}[coding]
    for connection in slow:
        connection.send(request_bytes("/digest", "POST", headers) + (b"3e8\r\n" if coding == "chunked" else b"") + b"x" * 999)
    assert all(crew.get("/").json == "hello" for _ in range(10))
    for connection in slow:
        connection.send(b"x" + (b"\r\n0\r\n\r\n" if coding == "chunked" else b""))
        assert connection.response().json["length"] == 1000
        connection.close()


def test_memory_stays_flat_however_large_the_body(crew):
    (worker,) = crew.wait_for_workers(1)
    crew.request("/digest?by=pieces", "POST", body=b"x" * 1_000_000)
    before = resident(worker)
    with crew.connect() as connection:
        connection.send(request_bytes("/digest?by=pieces", "POST", {"Content-Length": str(100_000_000)}))
        for _ in range(100):
            connection.send(b"x" * 1_000_000)
        assert connection.response().json["length"] == 100_000_000
    assert resident(worker) - before < 8 << 20


def test_a_body_that_nobody_reads_is_held_up(serve):
    server = serve("crew", "--threads", 2, "--timeout", 0)
    (worker,) = server.wait_for_workers(1)
    before = resident(worker)
    with server.connect() as connection:
        connection.send(request_bytes("/sleeps?s=2", "POST", {"Content-Length": str(100_000_000)}))
        connection.socket.settimeout(0.3)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 100_000_000:
                sent += connection.socket.send(b"x" * 100_000)
        stays_true(lambda: resident(worker) - before < 4 << 20, "little is kept", seconds=0.5)
    assert server.get("/").json == "hello"


def resident(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def test_a_client_is_asked_to_go_on_when_the_application_reads(crew):
    with crew.connect() as connection:
        headers = {"Content-Length": "6", "Expect": "100-continue"}
        connection.send(request_bytes("/digest", "POST", headers))
        assert connection.exactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(b"abcdef")
        assert connection.response().json["length"] == 6
        connection.send(request_bytes("/forgets-the-body", "POST", headers))
        response = connection.response()
        assert response.json == "I do not care" and response.interim == [] and response.closes


def test_an_answer_before_the_body_ends_the_connection(crew):
    with crew.connect() as connection:
        connection.send(request_bytes("/forgets-the-body", "POST", {"Content-Length": str(1_000_000)}))
        connection.send(b"x" * 200_000)
        response = connection.response()
        assert response.json == "I do not care" and response.closes


BEGUN = b"%x\r\n%s\r\n" % (70_000, b"x" * 70_000)


@pytest.mark.parametrize(
    ("rest", "status", "why"),
    [(b"zz\r\n", 400, "the size of a chunk is malformed"), (b"fffff\r\n" + b"x" * 100_000, 413, "the body is larger")],
    ids=["chunk", "limit"],
)
def test_what_is_wrong_is_an_error_of_reading(serve, rest, status, why):
    server = serve("crew", "--threads", 2, "--limit-request-body", 100_000)
    for path in ("/tells-of-a-bad-body", "/fails-over-a-bad-body"):
        with server.connect() as connection:
            connection.send(request_bytes(f"{path}?mark={path[1:]}", "POST", {"Transfer-Encoding": "chunked"}) + BEGUN)
            wait_until((server.directory / path[1:]).exists, "the application reads")
            connection.send(rest)
            response = connection.response()
            assert response.closes
            if path == "/fails-over-a-bad-body":
                assert response.status == status and why in response.text
            else:
                assert response.status == 200 and why in response.json
    assert "Traceback" not in server.log, "it is no fault of the application"


def test_a_client_that_is_late_with_its_body_hears_408(serve):
    server = serve("crew", "--threads", 2, "--body-timeout", "500ms")
    with server.connect() as connection:
        headers = {"Content-Length": "1000", "Expect": "100-continue"}
        connection.send(request_bytes("/digest", "POST", headers))
        assert connection.exactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(b"x" * 10)
        assert connection.response().status == 408


def test_a_client_that_is_slow_is_not_a_stuck_thread(serve):
    """The time that a client takes is no time that the application takes."""
    server = serve("crew", "--threads", 2, "--timeout", 1)
    (worker,) = server.wait_for_workers(1)
    with server.connect() as connection:
        connection.send(request_bytes("/digest", "POST", {"Content-Length": "100000"}) + b"x" * 70_000)
        stays_true(lambda: server.workers() == [worker], "nobody is replaced", seconds=3)
        connection.send(b"x" * 30_000)
        assert connection.response().json["length"] == 100_000


def test_a_client_that_leaves_in_its_body(crew):
    with crew.connect() as connection:
        headers = {"Content-Length": "1000000"}
        connection.send(request_bytes("/fails-over-a-bad-body?mark=read", "POST", headers) + b"x" * 70_000)
        wait_until((crew.directory / "read").exists, "a thread reads")
        connection.abort()
    for _ in range(4):
        assert crew.get("/").json == "hello"
    wait_until(lambda: crew.get("/sleeps?s=0").json == "slept 0", "both threads are free")
    assert "Traceback" not in crew.log


def test_what_is_kept_of_a_body_says_that_it_is_too_late(crew):
    with crew.connect() as connection:
        connection.send(request_bytes("/keeps-the-body", "POST", {"Content-Length": "1000000"}) + b"x" * 70_000)
        assert connection.response().json == "kept"
    assert crew.get("/reads-what-was-kept").json == "OSError: the request of this body is over"
