"""Limits in numbers and time: exactly at each, and one beyond."""

from ..case import Case, refused, taken


def request(line="GET / HTTP/1.1", fields="", body=""):
    return f"{line}\r\nHost: a\r\n{fields}\r\n{body}".encode()


def line(length):
    return "GET /" + "x" * (length - len("GET / HTTP/1.1")) + " HTTP/1.1"


def field(length):
    """A field line of so many bytes with its end."""
    return "X-A: " + "y" * (length - len("X-A: \r\n")) + "\r\n"


CASES = [
    Case("limit_request_line the default is 4094", request(line(4094)), (200,)),
    refused("limit_request_line 4095 are too many", request(line(4095)), 414),
    refused("limit_request_line a line without an end", b"GET /" + b"x" * 5000, 414),
    Case("limit_request_line as set", request(line(64)), (200,), group="small"),
    refused("limit_request_line one beyond what is set", request(line(65)), 414, group="small"),
    Case("limit_request_field_size the default is 8190", request(fields=field(8190)), (200,)),
    refused("limit_request_field_size 8191 are too many", request(fields=field(8191)), 431),
    Case("limit_request_field_size as set", request(fields=field(100)), (200,), group="small"),
    refused("limit_request_field_size one beyond what is set", request(fields=field(101)), 431, group="small"),
    refused("limit_request_field_size a field without an end", b"GET / HTTP/1.1\r\nX-A: " + b"y" * 9000, 431),
    Case("limit_request_fields the default is 100", request(fields="X-A: b\r\n" * 99), (200,)),
    refused("limit_request_fields 101 are too many", request(fields="X-A: b\r\n" * 100), 431),
    Case("limit_request_fields as set", request(fields="X-A: b\r\n" * 7), (200,), group="small"),
    refused("limit_request_fields one beyond what is set", request(fields="X-A: b\r\n" * 8), 431, group="small"),
    refused("limit_request_fields those that are dropped count", request(fields="X_A: b\r\n" * 8), 431, group="small",
            gunicorn=(200,), why="Gunicorn counts those that it keeps"),
    Case("limit_request_body as set", request("POST / HTTP/1.1", "Content-Length: 50\r\n", "x" * 50),
         (taken(body="x" * 50),), group="small"),
    refused("limit_request_body one beyond what is set", request("POST / HTTP/1.1", "Content-Length: 51\r\n", "x" * 51),
            413, group="small", gunicorn=(200,), why="Gunicorn has no such limit"),
    refused("limit_request_body before any of it arrives", request("POST / HTTP/1.1", "Content-Length: 51\r\n"),
            413, group="small", finishes=True, gunicorn=(200,), why="Gunicorn has no such limit"),
    Case("limit_request_body chunks as set", request("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", "32\r\n" + "x" * 50 + "\r\n0\r\n\r\n"),
         (taken(body="x" * 50),), group="small"),
    refused("limit_request_body chunks beyond what is set",
            request("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", "33\r\n" + "x" * 51 + "\r\n0\r\n\r\n"),
            413, group="small", gunicorn=(200,), why="Gunicorn has no such limit"),
    refused("limits long chunk extensions",
            request("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", "1;a=" + "x" * 9000 + "\r\n"), 400),
    refused("limits many small chunk extensions",
            request("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", ("1;abcdefgh=ijklmnop\r\nx\r\n" * 500) + "0\r\n\r\n"), 400,
            gunicorn=(200,), why="Gunicorn bounds each line only"),
    refused("limits long trailers",
            request("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", "0\r\n" + "X-A: b\r\n" * 3000 + "\r\n"), 431),
    refused("limits a trailer without an end",
            request("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", "0\r\nX-A: " + "b" * 20_000), 431),
    refused("header_timeout half a head", b"GET / HTTP/1.1\r\nHost:", 408, group="impatient",
            gunicorn=(), why="Gunicorn's threads wait for ever, others close"),
    refused("body_timeout half a body", request("POST / HTTP/1.1", "Content-Length: 9\r\n", "abc"), 408, group="impatient",
            gunicorn=(), why="Gunicorn's threads wait for ever"),
    refused("body_timeout half a chunk", request("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", "9\r\nabc"), 408,
            group="impatient", gunicorn=(), why="Gunicorn's threads wait for ever"),
    Case("keep_alive a quiet connection is closed without a word", request(), (200,), closed=True, group="impatient"),
    Case("header_timeout nothing at all is closed without a word", b"", (), closed=True, group="impatient",
         gunicorn=(), why="Gunicorn has fixed times for that"),
]
