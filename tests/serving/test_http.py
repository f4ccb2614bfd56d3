"""HTTP/1.1 as a client sees it: connections that are kept, bodies in and out, HEAD, Expect."""

import hashlib

import pytest
from support.client import request_bytes


def test_a_request_is_answered(plain):
    response = plain.get("/")
    assert (response.status, response.reason, response.text) == (200, "OK", "hello")
    assert response.version == "HTTP/1.1"
    assert response.header("Content-Length") == "5"
    assert response.header("Date").endswith(" GMT")
    assert response.header("Server")


def test_a_connection_is_kept(plain):
    with plain.connect() as connection:
        for number in range(50):
            response = connection.request(f"/number?n={number}")
            assert response.text.startswith(f"{number} ") and not response.closes


def test_values_of_a_name_are_never_mixed_up(plain):
    """The value that a name came with last is kept: what looks alike in another encoding is another value."""
    values = [b"plain", b"plain", b"plaim", b"\xe9", b"\xc3\xa9", b"\xe9", b"", b"x" * 300, b"y" * 300, b"plain"]
    with plain.connect() as connection:
        for value in values:
            connection.send(b"GET /environ HTTP/1.1\r\nHost: test\r\nX-A: %s\r\nCookie: c=%s\r\n\r\n" % (value, value))
            found = connection.response().json
            text = value.decode("latin-1")
            assert (found["HTTP_X_A"], found["HTTP_COOKIE"]) == (text, f"c={text}")


def test_connection_close_is_honoured(plain):
    with plain.connect() as connection:
        response = connection.request("/", headers={"Connection": "close"})
        assert response.closes and response.text == "hello"
        assert connection.rest() == b""


@pytest.mark.rcorn("Gunicorn knows the option only alone")
def test_close_is_found_in_a_list_of_options(plain):
    with plain.connect() as connection:
        response = connection.request("/", headers={"Connection": "x-other, Close"})
        assert response.closes and connection.rest() == b""


def test_http_1_0_closes_unless_asked(plain):
    with plain.connect() as connection:
        response = connection.request("/", version="1.0")
        assert response.text == "hello" and connection.rest() == b""


def test_http_1_0_is_kept_when_asked(plain):
    with plain.connect() as connection:
        for _ in range(3):
            response = connection.request("/", headers={"Connection": "keep-alive"}, version="1.0")
            assert response.text == "hello" and response.header("Connection").lower() == "keep-alive"


def test_pipelined_requests_are_answered_in_order(plain):
    with plain.connect() as connection:
        connection.send(b"".join(request_bytes(f"/number?n={number}") for number in range(100)))
        for number in range(100):
            assert connection.response().text.split()[0] == str(number)


def test_pipelined_requests_with_bodies_are_told_apart(plain):
    bodies = [bytes([65 + number]) * (number * 700) for number in range(20)]
    with plain.connect() as connection:
        connection.send(b"".join(request_bytes("/echo", "POST", body=body) for body in bodies))
        for body in bodies:
            assert connection.response().body == body


@pytest.mark.rcorn("Gunicorn answers a pipelining client without end before it looks at others")
def test_a_pipelining_client_does_not_starve_the_others(plain):
    with plain.connect() as greedy:
        greedy.send(request_bytes("/number?n=1") * 500)
        assert plain.get("/").text == "hello"
        assert sum(greedy.response().status == 200 for _ in range(500)) == 500


def test_a_request_may_arrive_byte_by_byte(plain):
    with plain.connect() as connection:
        for byte in request_bytes("/echo", "POST", body=b"slowly"):
            connection.send(bytes([byte]))
        assert connection.response().body == b"slowly"


def test_a_body_with_a_length(plain):
    body = bytes(range(256)) * 300
    assert plain.request("/echo", "POST", body=body).body == body


def test_a_chunked_body(plain):
    with plain.connect() as connection:
        head = request_bytes("/echo", "POST", {"Transfer-Encoding": "chunked"})
        connection.send(head + b"5\r\nhello\r\n" + b"A;name=value\r\n, chunked!\r\n" + b"0\r\nX-Trailer: dropped\r\n\r\n")
        assert connection.response().body == b"hello, chunked!"
        assert connection.request("/").text == "hello", "the connection goes on behind the trailers"


def test_a_large_chunked_body(plain):
    piece = b"0123456789abcdef" * 4096
    with plain.connect() as connection:
        connection.send(request_bytes("/digest", "POST", {"Transfer-Encoding": "chunked"}))
        for _ in range(64):
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
        expected = {"length": len(piece) * 64, "sha256": hashlib.sha256(piece * 64).hexdigest()}
        assert connection.response().json == expected


def test_a_malformed_chunk_never_reaches_the_application_as_a_short_body(plain):
    with plain.connect() as connection:
        head = request_bytes("/echo", "POST", {"Transfer-Encoding": "chunked"})
        connection.send(head + b"5\r\nhelloX\r\n0\r\n\r\n")
        response = connection.response()
        assert response.status == 400 and b"hello" not in response.body


def test_unknown_length_is_chunked(plain):
    with plain.connect() as connection:
        response = connection.request("/pieces?count=3&size=1000")
        assert response.header("Transfer-Encoding") == "chunked" and response.header("Content-Length") is None
        assert response.body == b"x" * 3000
        assert connection.request("/").text == "hello"


def test_unknown_length_closes_on_http_1_0(plain):
    with plain.connect() as connection:
        response = connection.request("/pieces?count=3&size=1000", version="1.0")
        assert response.header("Transfer-Encoding") is None
        assert response.body == b"x" * 3000


def test_a_large_response(plain):
    assert plain.get("/big?size=30000000").body == b"x" * 30_000_000


@pytest.mark.rcorn("Gunicorn's only thread waits for the reader")
def test_a_large_response_to_a_slow_reader(plain):
    with plain.connect(receive_buffer=4096) as connection:
        connection.send(request_bytes("/big?size=5000000"))
        assert plain.get("/").text == "hello", "a client that does not read is in nobody's way"
        assert len(connection.response().body) == 5_000_000


def test_head_has_the_length_and_no_body(plain):
    with plain.connect() as connection:
        response = connection.request("/head", "HEAD")
        assert (response.status, response.header("Content-Length"), response.header("X-Method")) == (200, "5", "HEAD")
        assert connection.request("/").text == "hello", "no byte of the body was on the connection"


def test_head_of_a_stream_has_no_body(plain):
    with plain.connect() as connection:
        assert connection.request("/pieces?count=3&size=10", "HEAD").status == 200
        assert connection.request("/").text == "hello"


def test_expect_100_continue(plain):
    with plain.connect() as connection:
        connection.send(request_bytes("/echo", "POST", {"Expect": "100-continue", "Content-Length": "4"}))
        assert connection.head().status == 100
        connection.send(b"body")
        assert connection.response().body == b"body"


def test_expect_on_http_1_0_is_ignored(plain):
    headers = {"Expect": "100-continue", "Content-Length": "4"}
    with plain.connect() as connection:
        connection.send(request_bytes("/echo", "POST", headers, b"body", "1.0"))
        response = connection.response()
        assert response.body == b"body" and not response.interim


def test_an_unknown_expectation_fails(plain):
    assert plain.get("/", headers={"Expect": "a-miracle"}).status == 417


def test_an_exception_is_a_500_and_in_the_log(plain):
    response = plain.get("/raises")
    assert response.status == 500 and "raised this" not in response.text
    plain.wait_for_log("RuntimeError: the application raised this")
    assert plain.get("/").text == "hello"


def test_an_exception_in_the_middle_does_not_look_complete(plain):
    with plain.connect() as connection:
        connection.send(request_bytes("/raises-late"))
        assert connection.head().status == 200
        assert connection.chunk() == b"begun"
        assert b"0\r\n\r\n" not in connection.rest()
    plain.wait_for_log("raised this in the middle")


def test_a_client_that_leaves_in_the_middle_harms_nobody(plain):
    for target in ("/big?size=30000000", "/pieces?count=3000&size=10000"):
        connection = plain.connect()
        connection.send(request_bytes(target))
        assert connection.head().status == 200
        connection.abort()
    assert plain.get("/").text == "hello"


def test_a_half_close_after_a_request_is_not_leaving(plain):
    with plain.connect() as connection:
        connection.send(request_bytes("/"))
        connection.finish_sending()
        assert connection.response().text == "hello"


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 120 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
    ],
    ids=[
        "bare-LF", "space-before-colon", "folded", "length-and-coding", "signed-length", "two-lengths", "two-hosts",
        "long-line", "many-fields", "long-field",
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused(plain, request_head, status):
    with plain.connect() as connection:
        connection.send(request_head + request_bytes("/number?n=1"))
        response = connection.response()
        assert response.status == status and response.closes
        assert b"HTTP/1.1" not in connection.rest(), "nothing behind an error is interpreted"


@pytest.mark.rcorn("Gunicorn serves it")
def test_http_1_1_needs_a_host(plain):
    with plain.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.response().status == 400


def test_keep_alive_ends_when_its_time_is_over(serve):
    server = serve("plain", "--keep-alive", 1)
    with server.connect() as connection:
        assert connection.request("/").text == "hello"
        assert connection.is_closed(within := 10), f"still open after {within} s"


@pytest.mark.rcorn("0 is another thing in Gunicorn's gthread worker")
def test_keep_alive_0_keeps_nothing(serve):
    server = serve("plain", "--keep-alive", 0)
    with server.connect() as connection:
        assert connection.request("/").closes and connection.rest() == b""
