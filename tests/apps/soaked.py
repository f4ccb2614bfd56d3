"""The application of the soak: every answer repeats the number that was sent, and every call is counted."""

import hashlib
import os
import tempfile
from urllib.parse import parse_qs

CALLS = 0
FILE = tempfile.NamedTemporaryFile(delete=True)
FILE.write(b"0123456789" * 20_000)
FILE.flush()


def application(environ, start_response):
    global CALLS
    path, number = environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"]).get("n", [""])[0]
    if path == "/count":
        return answer(start_response, f"{os.getpid()} {CALLS}")
    CALLS += 1
    if path == "/upload":
        body = environ["wsgi.input"].read()
        return answer(start_response, f"{number} {len(body)} {hashlib.md5(body).hexdigest()}")
    if path == "/stream":
        start_response("200 OK", [("X-Number", number)])
        return (b"%d;" % piece for piece in range(50))
    if path == "/large":
        start_response("200 OK", [("X-Number", number)])
        return (b"x" * 40_000 for _ in range(20))
    if path == "/file":
        start_response("200 OK", [("X-Number", number)])
        return environ["wsgi.file_wrapper"](open(FILE.name, "rb"))
    if path == "/raises":
        raise ValueError(number)
    return answer(start_response, number)


def answer(start_response, text):
    body = text.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
