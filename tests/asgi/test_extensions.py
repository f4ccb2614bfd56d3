"""What ASGI has as extensions: early hints, trailers, files."""

import hashlib

import pytest
from support.client import request_bytes

pytestmark = pytest.mark.rcorn("Gunicorn has none of these on HTTP/1.1")


@pytest.fixture
def served(serve):
    server = serve("asgi_extended")
    (server.directory / "large").write_bytes(CONTENT)
    return server


CONTENT = bytes(range(256)) * 20_000


def test_they_are_offered(served):
    always = ["http.response.early_hint", "http.response.pathsend", "http.response.zerocopysend"]
    assert served.get("/offered").json == always
    assert served.get("/offered", headers={"TE": "gzip, trailers"}).json == [*always, "http.response.trailers"]


def test_early_hints(served):
    response = served.get("/hint")
    assert [(hint.status, hint.headers) for hint in response.interim] == [
        (103, [("link", "</a.css>; rel=preload"), ("link", "</b.js>; rel=preload")])
    ]
    assert response.text == "hinted"
    with served.connect() as connection:
        assert connection.request("/hint", version="1.0").interim == []


def test_trailers(served):
    with served.connect() as connection:
        connection.send(request_bytes("/trailers", headers={"TE": "trailers"}))
        connection.head()
        assert connection.chunk() == b"body"
        trailers = b"0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n"
        assert connection.exactly(len(trailers)) == trailers


def test_who_does_not_ask_for_trailers_gets_none(served):
    with served.connect() as connection:
        assert connection.request("/trailers").text == "body"
        assert connection.request("/trailers").text == "body", "nothing was left over"


@pytest.mark.parametrize("path", ["/path", "/zerocopy", "/pieces", "/length", "/stream_and_file"])
def test_files(served, path):
    with served.connect() as connection:
        for _ in range(2):
            response = connection.request(path)
            assert len(response.body) == len(CONTENT)
            assert hashlib.sha256(response.body).digest() == hashlib.sha256(CONTENT).digest()
            assert (response.header("content-length") is not None) == (path in ("/path", "/zerocopy", "/length"))


def test_a_part_of_a_file(served):
    assert served.get("/part").body == CONTENT[1000:3000]
    assert served.get("/pipe").text == "from a pipe"


def test_a_file_for_head(served):
    with served.connect() as connection:
        assert connection.request("/path", "HEAD").header("content-length") == str(len(CONTENT))
        assert connection.request("/offered").status == 200


def test_a_file_that_is_not_there(served):
    assert served.get("/missing").text == "FileNotFoundError"
