"""Frameworks as people use them, unmodified, with real clients."""

import json
import signal

import pytest
from support.load import Load

httpx = pytest.importorskip("httpx")
sockets = pytest.importorskip("websockets.sync.client")

pytestmark = pytest.mark.rcorn("the applications are not told to Gunicorn as ASGI")

PIECES = "".join(f"piece {index}\n" for index in range(5))


def client(server):
    host, port = server.address
    return httpx.Client(base_url=f"http://{host}:{port}", timeout=20)


def chat(server, path="/chat"):
    host, port = server.address
    return sockets.connect(f"ws://{host}:{port}{path}")


@pytest.fixture(params=["asyncio", "uvloop"])
def fastapi(request, serve):
    return serve("asgi_fastapi", "--loop", request.param)


def test_fastapi_requests(fastapi):
    with client(fastapi) as http:
        assert http.get("/").text == "hello"
        shown = http.get("/sync/x", headers={"Host": "example.org"}).json()
        assert shown == {"name": "x", "client": "127.0.0.1", "url": "http://example.org/sync/x", "state": "connected"}
        assert http.get("/number", params={"n": "no"}).status_code == 422
        assert http.post("/json", json={"a": [1] * 50_000}).json() == {"a": [1] * 50_000}
        assert http.get("/nowhere").status_code == 404


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_fastapi_uploads(fastapi, size):
    content = bytes(index % 251 for index in range(1000)) * (size // 1000) + b"x" * (size % 1000)
    with client(fastapi) as http:
        result = http.post("/upload", files={"file": ("a.bin", content)}).json()
    assert result == {"name": "a.bin", "size": size, "sum": sum(content) % 65536, "rolled": size > 1_000_000}


def test_fastapi_streams_files_and_background_tasks(fastapi):
    with client(fastapi) as http:
        assert http.get("/stream").text == PIECES
        static = http.get("/static/page.txt")
        assert static.text == "static " * 1000 and http.get("/file").text == static.text
        again = http.get("/static/page.txt", headers={"If-None-Match": static.headers["etag"]})
        assert again.status_code == 304
        part = http.get("/file", headers={"Range": "bytes=7-12"})
        assert (part.status_code, part.text) == (206, "static")
        assert http.get("/background").json() == "later"
    assert fastapi.made("background") == "done"


def test_fastapi_server_sent_events_end_with_their_client(fastapi):
    with client(fastapi) as http, http.stream("GET", "/events") as response:
        lines = response.iter_lines()
        assert [line for line, _ in zip(lines, range(5))] == ["data: 0", "", "data: 1", "", "data: 2"]
        fastapi.made("events.begun")
    fastapi.made("events.ended")
    assert "Traceback" not in fastapi.log


def test_fastapi_websockets_and_failures(fastapi):
    with chat(fastapi) as socket:
        socket.send("one")
        assert socket.recv() == '{"heard":"one","state":"connected"}'
    assert fastapi.made("chat.ended") in ("1000", "1005")
    with client(fastapi) as http:
        assert http.get("/fail").status_code == 500
    fastapi.wait_for_log("RuntimeError: boom in FastAPI")
    assert fastapi.stop() == 0
    fastapi.made("shutdown")


def test_fastapi_reloads_under_load(serve):
    server = serve("asgi_fastapi", "--workers", 2)
    with Load(server.address, clients=4) as load:
        for generation in (2, 3):
            load.goes_on(100)
            server.send(signal.SIGHUP)
            server.wait_for_log(rf"\] reloaded: generation {generation}\b")
        load.stop()
        load.assert_all_answered()


def test_quart(serve):
    server = serve("asgi_quart")
    with client(server) as http:
        assert http.get("/").text == "begun"
        assert http.post("/echo", content=b"x" * 300_000).content == b"x" * 300_000
        assert http.get("/stream").text == PIECES
    with chat(server) as socket:
        socket.send("one")
        assert socket.recv() == "one"
    assert server.stop() == 0
    server.made("shutdown")


def test_django(serve):
    server = serve("asgi_django", "--asgi-disconnect-grace-period", "0.3")
    with client(server) as http:
        assert http.get("/", headers={"Host": "example.org"}).text == "hello from 127.0.0.1 http example.org"
        assert http.get("/sync?name=x").text == "sync x"
        assert http.get("/stream").text == PIECES
        assert "Django over ASGI" in http.get("/file").text
        uploaded = http.post("/upload", files={"file": ("a.txt", b"x" * 5000)}).json()
        assert uploaded == {"name": "a.txt", "size": 5000, "kind": "TemporaryUploadedFile"}
        with pytest.raises(httpx.ReadTimeout):
            http.get("/wait", timeout=0.3)
    server.made("cancelled")
    assert server.stop() == 0


def test_a_consumer_of_channels(serve):
    server = serve("asgi_channels")
    assert server.get("/").text == "hello from Django"
    with chat(server, "/rooms/kitchen") as one, chat(server, "/rooms/kitchen") as other:
        one.send('{"text": "tea?"}')
        assert json.loads(one.recv(timeout=10)) == json.loads(other.recv(timeout=10)) == {"text": "tea?"}
        one.close(3001)
        assert json.loads(other.recv(timeout=10)) == {"text": "left with 3001"}
