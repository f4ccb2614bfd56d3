"""WSGI frameworks beside Flask and Django, with each kind of worker that calls them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.subject import IS_RCORN
from support.together import at_once

KINDS = {"sync": [], "threads": ["--threads", 4], "gevent": ["--worker-class", "gevent"]} if IS_RCORN else {"subject": []}


@pytest.mark.parametrize("kind", KINDS)
def test_falcon(serve, kind):
    server = serve("falconry", *KINDS[kind])
    shown = server.request("/things/hat", headers={"X-Agent": "smith"}).json
    assert shown == {"name": "hat", "agent": "smith", "remote": "127.0.0.1"}
    created = server.request("/things/hat", "POST", {"Content-Type": "application/json"}, json.dumps({"size": 7}).encode())
    assert (created.status, created.json) == (201, {"name": "hat", "got": {"size": 7}})
    assert server.request("/things/hat", "PUT", body=b"x" * 300_000).text == "300000"
    assert server.request("/stream").body == b"x" * 1_000_000
    missing = server.request("/missing")
    assert missing.status == 404 and missing.json["title"] == "nothing here"


class Slow(BaseHTTPRequestHandler):
    """Nobody is answered before all have asked."""

    everybody = threading.Barrier(30)

    def do_GET(self):
        self.everybody.wait(30)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"at last")

    def log_message(self, *_):
        pass


@pytest.mark.rcorn("about rcorn's own worker")
def test_flask_in_greenlets_asks_slow_servers_side_by_side(serve):
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        server = serve("flask_upstream", "--worker-class", "gevent")
        url = f"http://127.0.0.1:{upstream.server_port}/"
        answers = at_once(30, lambda number: server.get(f"/?name={number}&upstream={url}").text)
        assert answers == [f"{number} {number} at last" for number in range(30)]
        upstream.shutdown()
