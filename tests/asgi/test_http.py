"""ASGI over HTTP: scopes, bodies in both directions, errors, what is no event."""

import json

import pytest
from support.client import Closed, request_bytes
from support.interpreters import supported
from support.subject import Subject, binary
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("the application is not told to Gunicorn as ASGI")


@pytest.fixture(params=["asyncio", "uvloop"])
def served(request, serve):
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return serve("asgi_plain", "--loop", request.param)


def test_hello(served):
    with served.connect() as connection:
        for _ in range(3):
            response = connection.request("/")
            assert (response.status, response.reason, response.text) == (200, "OK", "hello")
            assert response.header("content-type") == "text/plain" and not response.closes


@pytest.mark.parametrize("interpreter", supported(), ids=lambda interpreter: interpreter.label)
def test_on_every_interpreter(serve, interpreter):
    server = serve("asgi_plain", "--loop", "asyncio", subject=Subject((str(binary()),), interpreter.environment / "bin" / "python"))
    assert server.get("/").text == "hello"
    assert server.get("/to_thread").text == "from a thread"
    assert server.request("/digest", "POST", body=b"x" * 200_000).json["length"] == 200_000


def test_the_scope(served):
    host, port = served.address
    with served.connect() as connection:
        client = list(connection.socket.getsockname())
        scope = connection.request("/sc%25pe/%C3%A9?a=b&c=%20", headers=[("X-One", "1"), ("x-one", "2")]).json
    assert scope["type"] == "http" and scope["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert (scope["http_version"], scope["method"], scope["scheme"]) == ("1.1", "GET", "http")
    assert (scope["path"], scope["raw_path"]) == ("/sc%pe/é", "/sc%25pe/%C3%A9")
    assert (scope["query_string"], scope["root_path"]) == ("a=b&c=%20", "")
    assert scope["headers"] == [["host", "test"], ["x-one", "1"], ["x-one", "2"]]
    assert scope["client"] == client and scope["server"] == [host, port]
    assert scope["state"]["started"] == "yes"


def test_each_request_has_its_own_fields(served):
    """Whatever is kept of one for the next."""
    sent = [[("X-A", "1"), ("X-B", "\u00e9"), ("x-a", "2")], [("X-A", "2")], [("X-B", "1"), ("X-A", "")], [("X-A", "1"), ("X-B", "\u00e9"), ("x-a", "2")]]
    with served.connect() as connection:
        for fields in sent:
            got = connection.request("/scope", headers=fields).json["headers"]
            assert got == [["host", "test"], *([name.lower(), value] for name, value in fields)]


def test_what_most_requests_are_is_not_what_all_are(served):
    asked = [("POST", "/scope?a=b", "a=b"), ("GET", "/scope", ""), ("OPTIONS", "/scope", ""), ("GET", "/scope?c", "c"), ("GET", "/scope?", "")]
    with served.connect() as connection:
        for method, target, query in asked:
            scope = connection.request(target, method).json
            assert (scope["method"], scope["query_string"]) == (method, query)


def test_the_scope_of_http_1_0(served):
    with served.connect() as connection:
        assert connection.request("/scope", version="1.0").json["http_version"] == "1.0"


def test_root_path_is_what_a_proxy_took_off(serve):
    server = serve("asgi_plain", "--root-path", "/sc%pe")
    scope = server.get("/%C3%A9").json
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == ("/sc%pe", "/sc%pe/é", "/%C3%A9")


def test_every_request_has_its_own_state(served):
    assert [served.get("/state").text for _ in range(2)] == ["yes! 1", "yes! 2"]


def test_a_body_of_known_length(served):
    result = served.request("/digest", "POST", body=b"abc").json
    assert (result["length"], result["pieces"], result["after"]) == (3, 1, "waits")


def test_no_body(served):
    result = served.get("/digest").json
    assert (result["length"], result["pieces"], result["after"]) == (0, 1, "waits")


def test_a_body_in_chunks_arrives_as_it_is_sent(served):
    with served.connect() as connection:
        connection.send(request_bytes("/digest", "POST", {"Transfer-Encoding": "chunked"}))
        for piece in (b"1\r\na\r\n", b"2\r\nbc\r\n", b"0\r\n\r\n"):
            connection.send(piece)
        assert connection.response().json["length"] == 3
        assert connection.request("/").text == "hello", "the connection is used again"


def test_a_large_body_comes_in_pieces(served):
    result = served.request("/digest", "POST", body=bytes(range(256)) * 40_000).json
    assert result["length"] == 10_240_000 and result["largest"] <= 65_536


def test_a_body_waits_for_its_reader(served):
    """What nobody reads is held up at the client."""
    with served.connect() as connection:
        connection.socket.settimeout(1)
        connection.send(request_bytes("/late_reader", "POST", {"Content-Length": "50000000"}))
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 50_000_000:
                sent += connection.socket.send(b"x" * 65_536)
        (served.directory / "read").touch()
        connection.socket.settimeout(20)
        while sent < 50_000_000:
            sent += connection.socket.send(b"x" * min(65_536, 50_000_000 - sent))
        assert connection.response().json["length"] == 50_000_000


def test_a_client_is_asked_for_its_body_when_that_is_read(served):
    expecting = {"Content-Length": "3", "Expect": "100-continue"}
    with served.connect() as connection:
        connection.send(request_bytes("/digest", "POST", expecting))
        assert connection.head().status == 100
        connection.send(b"abc")
        assert connection.response().json["length"] == 3
        connection.send(request_bytes("/unread", "POST", expecting))
        response = connection.response()
        assert response.interim == [] and response.closes and response.text == "not read"


def test_a_body_that_is_wrong_never_looks_complete(served):
    with served.connect() as connection:
        connection.send(request_bytes("/digest", "POST", {"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\nzz\r\n")
        assert connection.response().status == 400


def test_a_stream_comes_as_it_is_made(served):
    with served.connect() as connection:
        connection.send(request_bytes("/stream"))
        assert connection.head().header("transfer-encoding") == "chunked"
        assert connection.chunk() == b"first"
        (served.directory / "second.release").touch()
        assert connection.chunk() == b"second" and connection.chunk() == b""
        assert connection.request("/").text == "hello"


def test_a_slow_client_holds_up_the_application(served):
    with served.connect(receive_buffer=65_536) as connection:
        connection.send(request_bytes("/flood?mib=64"))
        connection.head()
        wait_until((served.directory / "held_up").exists, "the application is held up")
        assert int((served.directory / "held_up").read_text()) < 300, "64 KiB pieces"
        total = 0
        while piece := connection.chunk():
            total += len(piece)
        assert total == 64 * 1024 * 1024
        assert connection.request("/").text == "hello"


def test_head_has_no_body(served):
    with served.connect() as connection:
        response = connection.request("/", "HEAD")
        assert response.header("content-length") == "5"
        assert connection.request("/").text == "hello"


def test_pipelined_requests_are_answered_in_order(served):
    with served.connect() as connection:
        connection.send(b"".join(request_bytes(f"/slow_number?n={n}") for n in range(20)))
        assert [connection.response().text.split()[0] for _ in range(20)] == [str(n) for n in range(20)]


@pytest.mark.parametrize("path", ["/boom", "/boom_late", "/silent"])
def test_a_failure_is_500(served, path):
    response = served.get(path)
    assert response.status == 500
    expected = "returned without a response" if path == "/silent" else rf"GET {path}\nTraceback[^!]*RuntimeError: boom"
    served.wait_for_log(expected)
    assert served.get("/").text == "hello"


def test_a_failure_behind_the_response_is_told(served):
    assert served.get("/boom_behind").text == "complete"
    served.wait_for_log(r"GET /boom_behind\nTraceback[^!]*InvalidStateError: boom behind")


@pytest.mark.parametrize("form", ["list", "tuple", "generator", "lists", "mixed", "subclass", "keys"])
def test_an_event_may_have_many_forms(served, form):
    response = served.get(f"/form?form={form}")
    assert (response.status, response.text) == (200, "formed")
    assert (response.header("x-one"), response.header("x-two")) == ("1", "2")


@pytest.mark.parametrize("path", ["/boom_within", "/half"])
def test_a_response_that_breaks_off_is_seen(served, path):
    with served.connect() as connection:
        connection.send(request_bytes(path))
        connection.head()
        connection.chunk()
        with pytest.raises(Closed):
            connection.chunk()
    served.wait_for_log("RuntimeError: boom within" if path == "/boom_within" else "before its response was complete")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("unknown", "RuntimeError"),
        ("untyped", "ValueError"),
        ("body_first", "RuntimeError"),
        ("text_body", "TypeError"),
        ("bad_name", "ValueError"),
        ("bad_value", "ValueError"),
        ("text_header", "TypeError"),
        ("bad_status", "ValueError"),
        ("long_status", "ValueError"),
        ("longest_status", "ValueError"),
        ("no_dict", "TypeError"),
    ],
)
def test_what_is_no_event_is_an_exception(served, kind, expected):
    response = served.get(f"/wrong?kind={kind}")
    assert response.status == 200 and response.text.startswith(f"{expected}: "), response.text


def test_a_complete_response_is_the_last_word(served):
    assert served.get("/twice").text == "once"
    wait_until((served.directory / "twice").exists, "the second response was refused")


def test_each_request_has_a_context_of_its_own(served):
    for mark in ("a", "b"):
        assert served.get(f"/context?mark={mark}").json == ["unset", mark, mark, True]


def test_what_receive_and_send_give_can_be_a_task(served):
    assert served.get("/tasks").text == "http.request"


def test_subprocesses(served):
    assert served.get("/subprocess").text == "42 0"


def test_the_access_log_has_a_line(serve):
    server = serve("asgi_plain", "--access-logfile", "-")
    server.get("/number?n=7")
    wait_until(lambda: '"GET /number?n=7 HTTP/1.1" 200 ' in server.output, "the line is there")


def test_a_unix_socket_has_no_client(start, directory):
    path = directory / "s"
    server = start("asgi_plain", "--bind", f"unix:{path}", handed=False).ready()
    with server.connect() as connection:
        scope = json.loads(connection.request("/scope").body)
    assert scope["client"] is None and scope["server"] == [f"{path}", None]
