"""Responses: their framing, what is ours to say and what the application may not (RFC 9112, section 6; RFC 9110)."""

from ..case import Case, response


def get(path, version="1.1", method="GET", fields=""):
    return f"{method} {path} HTTP/{version}\r\nHost: a\r\n{fields}\r\n".encode()


def shown(rule, path, *expect, **more):
    return Case(rule, get(path, more.pop("version", "1.1"), more.get("method", "GET")), expect, **more)


INTERNAL = response(500, Connection="close", X_Evil=None)

CASES = [
    shown("9112-6.3 the application's length is kept", "/known", response(200, "hello", Content_Length="5", Transfer_Encoding=None)),
    shown("3333-content-length a single piece gets its length", "/one-piece", response(200, "hello", Content_Length="5"),
          gunicorn=(200,), why="Gunicorn sends it in chunks"),
    shown("9112-7.1 an unknown length is chunked", "/pieces", response(200, "hello", Transfer_Encoding="chunked", Content_Length=None)),
    shown("9112-6.3 an unknown length in HTTP/1.0 ends with the connection", "/pieces",
          response(200, "hello", Transfer_Encoding=None, Content_Length=None, Connection="close"), version="1.0", closed=True),
    shown("9112-6.3 an empty result has a length", "/nothing", response(200, "", Content_Length="0"),
          gunicorn=(200,), why="Gunicorn sends an empty chunked body"),
    shown("9112-6.3 never more than was promised", "/too-long", response(200, "abc", Content_Length="3")),
    shown("9112-6.3 less than was promised closes", "/too-short", 200, closed=True),
    shown("9110-6.4.1 no body with 204", "/204", response(204, "", Content_Length=None, Transfer_Encoding=None, X_A="b")),
    shown("9110-8.6 no length with 204", "/204-length", response(204, "", Content_Length=None)),
    shown("9110-15.3.6 no content with 205", "/205", response(205, "", Content_Length="0"),
          gunicorn=(205,), why="Gunicorn sends the body"),
    shown("9110-15.4.5 304 keeps its fields and has no body", "/304", response(304, "", ETag='"x"', Content_Length="77")),
    shown("9110-9.3.2 HEAD of a known length", "/known", response(200, "", Content_Length="5"), method="HEAD"),
    shown("9110-9.3.2 HEAD of an unknown length", "/pieces", response(200, ""), method="HEAD"),
    shown("9110-15 a status with its own reason", "/odd-reason", response(299, "", )),
    shown("9112-4 a status without a reason", "/no-reason", response(200, "")),
    shown("9110-5.5 latin-1 in a value", "/latin-1", response(200, "", X_A="caf\xe9")),
    shown("9110-5.3 repeated fields stay apart", "/repeated", response(200, "", Set_Cookie="a=1, b=2")),
    shown("9110-7.6.1 nothing hop-by-hop of the application", "/hop-by-hop",
          response(200, "ok", Keep_Alive=None, Transfer_Encoding=None, Upgrade=None, Trailer=None, X_Kept="yes", Connection=None),
          gunicorn=(200,), why="Gunicorn announces keep-alive in HTTP/1.1, too"),
    shown("9112-9.6 the application may ask to close", "/close", response(200, "ok", Connection="close"), closed=True,
          gunicorn=(200,), why="Gunicorn drops the option"),
    shown("9110-5.5 CR in a value", "/cr", INTERNAL, closed=True),
    shown("9110-5.5 LF in a value", "/lf", INTERNAL, closed=True),
    shown("9110-5.5 CRLF in a value", "/crlf", INTERNAL, closed=True),
    shown("9110-5.5 NUL in a value of the application", "/nul", INTERNAL, closed=True),
    shown("9110-5.1 CRLF in a name", "/name-crlf", INTERNAL, closed=True),
    shown("9110-5.1 a space in a name", "/name-space", INTERNAL, closed=True),
    shown("9110-5.1 an empty name of the application", "/name-empty", INTERNAL, closed=True),
    shown("9112-4 CRLF in a status", "/status-crlf", INTERNAL, closed=True),
    shown("9110-15.2 an interim status is no answer", "/status-1xx", INTERNAL, closed=True,
          gunicorn=(), why="Gunicorn sends it, and the client waits for the answer"),
    shown("3333-errors an exception is a 500", "/raises", INTERNAL, closed=True),
    shown("3333-errors an exception in the middle cuts the body", "/raises-late", 200, closed=True),
    shown("9110-6.6.1 Date and 10.2.4 Server", "/known", response(200, "hello", Date=True, Server=True)),
]
