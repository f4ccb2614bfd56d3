"""Tells what it saw, and how often it was called: for the conformance cases."""

import json

CALLS = 0


def application(environ, start_response):
    global CALLS
    if environ["PATH_INFO"] == "/calls":
        return answer(start_response, str(CALLS))
    CALLS += 1
    body = environ["wsgi.input"].read()
    special = SPECIAL.get(environ["PATH_INFO"])
    if special:
        return special(environ, start_response)
    seen = {name: value for name, value in environ.items() if isinstance(value, str)}
    seen["body"] = body.decode("latin-1")
    return answer(start_response, json.dumps(seen))


def answer(start_response, text):
    body = text.encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def responds(status, headers, *pieces, close=False):
    """An application that always gives this."""

    def respond(environ, start_response):
        start_response(status, list(headers))
        return list(pieces) if not close else (piece for piece in pieces)

    return respond


def raises_late(environ, start_response):
    start_response("200 OK", [("Content-Length", "10")])
    yield b"12345"
    raise RuntimeError("the application raised this in the middle")


def hop_by_hop(environ, start_response):
    fields = [
        ("Connection", "keep-alive, X-Mine"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "websocket"),
        ("Trailer", "X-A"),
        ("Server", "mine"),
        ("Date", "never"),
        ("X-Kept", "yes"),
        ("Content-Length", "2"),
    ]
    start_response("200 OK", fields)
    return [b"ok"]


SPECIAL = {
    "/204": responds("204 No Content", [("X-A", "b")], b"must not be sent"),
    "/204-length": responds("204 No Content", [("Content-Length", "3")], b"abc"),
    "/205": responds("205 Reset Content", [], b"must not be sent"),
    "/304": responds("304 Not Modified", [("ETag", '"x"'), ("Content-Length", "77")], b"must not be sent"),
    "/known": responds("200 OK", [("Content-Length", "5")], b"hello"),
    "/one-piece": responds("200 OK", [], b"hello"),
    "/pieces": responds("200 OK", [], b"he", b"", b"llo", close=True),
    "/nothing": responds("200 OK", []),
    "/too-long": responds("200 OK", [("Content-Length", "3")], b"abc", b"def"),
    "/too-short": responds("200 OK", [("Content-Length", "9")], b"abc"),
    "/no-reason": responds("200 ", [("Content-Length", "0")]),
    "/odd-reason": responds("299 Quite Unusual Indeed", [("Content-Length", "0")]),
    "/cr": responds("200 OK", [("X-A", "b\rX-Evil: 1")], b"x"),
    "/lf": responds("200 OK", [("X-A", "b\nX-Evil: 1")], b"x"),
    "/crlf": responds("200 OK", [("X-A", "b\r\nX-Evil: 1")], b"x"),
    "/nul": responds("200 OK", [("X-A", "b\0c")], b"x"),
    "/name-crlf": responds("200 OK", [("X-A\r\nX-Evil", "1")], b"x"),
    "/name-space": responds("200 OK", [("X A", "1")], b"x"),
    "/name-empty": responds("200 OK", [("", "1")], b"x"),
    "/status-crlf": responds("200 OK\r\nX-Evil: 1", [], b"x"),
    "/status-1xx": responds("102 Processing", [], b"x"),
    "/latin-1": responds("200 OK", [("X-A", "caf\xe9"), ("Content-Length", "0")]),
    "/repeated": responds("200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Length", "0")]),
    "/hop-by-hop": hop_by_hop,
    "/raises": lambda environ, start_response: 1 / 0,
    "/raises-late": raises_late,
    "/close": responds("200 OK", [("Connection", "close"), ("Content-Length", "2")], b"ok"),
}
