"""Writes the messages that the fuzzers begin with: seeds.py TARGET DIRECTORY.

Each has a name that says what it is for. The first character chooses the settings (its bits: see the target), the
second one how the message is cut into pieces.
"""

import sys
from pathlib import Path

HOST = "Host: a\r\n"


def request(line, *fields, body=""):
    return line + "\r\n" + "".join(field + "\r\n" for field in fields) + "\r\n" + body


def post(*fields, body=""):
    return request("POST / HTTP/1.1", "Host: a", *fields, body=body)


CHUNKED = "Transfer-Encoding: chunked"

REQUESTS = {
    "plain": request("GET /a?b=c HTTP/1.1", "Host: a", "Accept: */*"),
    "version-1.0": request("GET / HTTP/1.0"),
    "version-1.0-kept": request("GET / HTTP/1.0", "Connection: x, Keep-Alive"),
    "version-1.2": request("GET / HTTP/1.2", "Host: a"),
    "empty-line-before": "\r\n" + request("GET / HTTP/1.1", "Host: a"),
    "absolute-target": request("GET http://b:8/c?d HTTP/1.1", "Host: a"),
    "absolute-target-without-path": request("GET https://b?d HTTP/1.1", "Host: a"),
    "asterisk": request("OPTIONS * HTTP/1.1", "Host: a"),
    "length": post("Content-Length: 3", body="abc"),
    "chunks": post(CHUNKED, body="3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n"),
    "expectation": post("Expect: 100-continue", "Content-Length: 1", body="x"),
    "pipelined": post("Content-Length: 1", body="x") + post(CHUNKED, body="1\r\nx\r\n0\r\n\r\n") + request("GET / HTTP/1.0"),
    "closing": post("Connection: close, x"),
    "underscore": post("A_B: c", "D: e"),
    "host-with-port": request("GET / HTTP/1.1", "Host: [::1]:8000"),
    "both-lengths": post("Content-Length: 3", CHUNKED, body="0\r\n\r\n"),
    "not-whole": "GET / HTTP/1.1\r\nHost: a\r\nX:",
    "tight": ("1", request("GET /aaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1", "Host: a", "X: " + "y" * 35)),
    "folded": ("2", post("X: a", " b", "\t c", "Y: d")),
    "blank-before-colon": ("4", post("X \t: a")),
    "odd-method": ("8", request("a# / HTTP/1.1", "Host: a")),
    "odd-version": ("P", request("GET / HTTP/3.7", "Host: a")),
    "small-method": ("p", request("get / HTTP/1.1", "Host: a")),
    "all-permits": ("~", request("get / HTTP/9.9", "Host : a", "X: a", " b")),
}

CHUNKS = {
    "three": "3\r\nabc\r\n1\r\nd\r\n00\r\n\r\n",
    "extensions": '3;a;b=c;d="e\\"f" ; g = h\r\nabc\r\n0;x\r\n\r\n',
    "trailers": "1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\nGET",
    "sixteen-digits": "0000000000000001\r\na\r\n0\r\n\r\n",
    "large": "ffffffffffffff\r\na",
    "over-the-limit": ("1", "5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n"),
    "forbidden-trailer": "0\r\nContent-Length: 1\r\n\r\n",
}

SEEDS = {"requests": ("@", REQUESTS), "chunks": ("0", CHUNKS)}


def main(target, directory):
    usual, seeds = SEEDS[target]
    for name, seed in seeds.items():
        choice, message = seed if isinstance(seed, tuple) else (usual, seed)
        message = message if isinstance(message, bytes) else message.encode("latin-1")
        (Path(directory) / name).write_bytes(choice.encode() + b"5" + message)


main(*sys.argv[1:])
