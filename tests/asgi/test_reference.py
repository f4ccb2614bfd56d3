"""The same application on rcorn and on uvicorn: what it is told and what clients see is the same, but for what
docs/compatibility.md explains."""

import json
import signal

import pytest
from support.client import Closed, request_bytes
from support.server import Server, copy_app
from support.subject import Subject
from support.systemd import tcp_listener

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.rcorn("it is uvicorn that is compared with")


@pytest.fixture
def both(serve, directory, no_leaks):
    place = directory / "uvicorn"
    place.mkdir()
    copy_app("asgi_plain", place)
    python = Subject.default().python
    subject = Subject((str(python), "-m", "uvicorn", "--no-access-log", "--fd", "3"), python)
    reference = Server(place, ["asgi_plain:application"], listener=tcp_listener(), subject=subject)
    yield serve("asgi_plain"), reference
    reference.stop(signal.SIGTERM)
    reference.clean_up()


def seen(server, *requests):
    """What a client sees of its requests, on one connection as long as that lasts."""
    responses, connection = [], server.connect()
    for data, method in requests:
        connection.send(data)
        try:
            response = connection.response(method)
        except Closed:
            responses.append("closed")
            break
        responses.append(shown(response))
    connection.close()
    return responses


def shown(response):
    ours = {"date", "server", "connection"}
    headers = sorted((name.lower(), value) for name, value in response.headers if name.lower() not in ours)
    return response.status, headers, response.body


def get(target, method="GET", **options):
    return request_bytes(target, method, **options), method


SAME = {
    "hello": [get("/"), get("/")],
    "head": [get("/", "HEAD"), get("/")],
    "not found": [get("/nowhere")],
    "query and escapes": [get("/number?n=%20a")],
    "a body": [get("/digest", "POST", body=b"x" * 100)],
    "no body": [get("/digest")],
    "chunks": [get("/digest", "POST", headers={"Transfer-Encoding": "chunked"})],
    "a body that is not read": [get("/unread", "POST", body=b"abc"), get("/")],
    "context": [get("/context?mark=a"), get("/context?mark=b")],
    "threads": [get("/to_thread")],
    "subprocesses": [get("/subprocess")],
    "state": [get("/state"), get("/state")],
}


@pytest.mark.parametrize("name", SAME)
def test_clients_see_the_same(both, name):
    requests = list(SAME[name])
    if name == "chunks":
        requests = [(requests[0][0] + b"3\r\nabc\r\n0\r\n\r\n", "POST")]
    ours, theirs = (seen(server, *requests) for server in both)
    if name == "query and escapes":
        ours, theirs = ([(*rest, body.split()[0]) for *rest, body in found] for found in (ours, theirs))
        assert [(status, body) for status, _, body in ours] == [(status, body) for status, _, body in theirs]
        return
    assert ours == theirs


def test_the_scope_is_the_same(both):
    headers = [("X-Two", "1"), ("Cookie", "a=b"), ("X-Two", "2")]
    ours, theirs = (
        json.loads(server.request("/sc%25pe/%C3%A9?x=%20&y", "GET", headers).body) for server in both
    )
    for scope, server in ((ours, both[0]), (theirs, both[1])):
        assert tuple(scope.pop("server")) == server.address
        assert scope.pop("client")[0] == "127.0.0.1"
    assert ours.pop("asgi")["version"] == theirs.pop("asgi")["version"] == "3.0"
    assert set(ours.pop("extensions")) >= {"http.response.pathsend"}
    theirs.pop("extensions", None)
    assert ours == theirs


@pytest.mark.parametrize("path", ["/boom", "/boom_late", "/silent"])
def test_failures_are_500(both, path):
    assert [server.get(path).status for server in both] == [500, 500]


@pytest.mark.parametrize("path", ["/boom_within", "/half"])
def test_a_broken_response_looks_broken(both, path):
    for server in both:
        with server.connect() as connection:
            connection.send(request_bytes(path))
            connection.head()
            connection.chunk()
            with pytest.raises(Closed):
                connection.chunk()


def test_a_client_is_asked_for_its_body(both):
    for server in both:
        with server.connect() as connection:
            connection.send(request_bytes("/digest", "POST", {"Content-Length": "3", "Expect": "100-continue"}))
            assert connection.head().status == 100
            connection.send(b"abc")
            assert connection.response().json["length"] == 3


def test_a_body_that_is_known_has_a_length(both):
    """docs/compatibility.md: uvicorn sends it in chunks."""
    ours, theirs = (server.get("/tasks") for server in both)
    assert ours.body == theirs.body == b"http.request"
    assert ours.header("content-length") == "12" and theirs.header("transfer-encoding") == "chunked"


def test_a_head_waits_for_the_first_piece(both):
    """docs/compatibility.md: uvicorn sends it at once, although the specification says that a server must not."""
    ours, theirs = both
    with ours.connect() as one, theirs.connect() as other:
        for connection in (one, other):
            connection.send(request_bytes("/late_body"))
        assert other.head().status == 200
        assert not one.is_closed(0.3) and not one.buffer, "nothing has come"
        for server in both:
            (server.directory / "body").touch()
        assert one.head().status == 200 and one.chunk() == other.chunk() == b"late"


def test_the_version_of_the_specification(both):
    """docs/compatibility.md: 2.5 has early hints, and errors of send behind a disconnect."""
    ours, theirs = (server.get("/scope").json["asgi"]["spec_version"] for server in both)
    assert ours == "2.5" and theirs < ours
