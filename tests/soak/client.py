"""A client of the soak: sends numbered requests of many kinds, and accounts for every one of them."""

import hashlib
import random
import socket
import time
from collections import Counter

from support.client import Closed, Connection, request_bytes


class Client:
    """Requests numbered from `first` on, about `count` of them."""

    def __init__(self, address, first, count, seed):
        self.address, self.next, self.end = address, first, first + count
        self.random = random.Random(seed)
        self.tally = Counter()
        self.problems = []
        self.connection = None

    def run(self):
        kinds = [
            (self.pipelined, 150),
            (self.one, 200),
            (self.fresh, 60),
            (self.upload, 60),
            (self.chunked, 40),
            (self.stream, 40),
            (self.file, 30),
            (self.raises, 20),
            (self.malformed, 20),
            (self.abort_request, 10),
            (self.abort_response, 6),
            (self.slow_reader, 2),
            (self.large_upload, 2),
        ]
        functions, weights = zip(*kinds, strict=True)
        while self.next < self.end:
            (kind,) = self.random.choices(functions, weights)
            try:
                kind()
            except (Closed, OSError, AssertionError, ValueError) as error:
                self.problems.append(f"{kind.__name__}, up to number {self.next}: {error!r}")
                self.drop()
        self.drop()
        return self.tally, self.problems

    def number(self, answered=True):
        self.next += 1
        self.tally["called"] += 1
        self.tally["answered" if answered else "aborted"] += 1
        return self.next - 1

    def kept(self):
        if self.connection is None:
            self.connection = Connection(self.address, timeout=30)
        return self.connection

    def drop(self):
        """Nothing may have come that was not asked for."""
        connection, self.connection = self.connection, None
        if connection:
            assert not connection.buffer, f"a response too many: {connection.buffer[:100]!r}"
            connection.close()

    def ask(self, connection, target, method="GET", headers=(), body=None):
        number = self.number()
        response = connection.request(f"{target}?n={number}", method, headers, body)
        assert response.status == 200, f"{response.status} for {target}"
        shown = response.header("X-Number") or response.text.split()[0]
        assert shown == str(number), f"{shown} is not {number}"
        if response.closes and connection is self.connection:
            self.drop()
        return response

    def one(self):
        self.ask(self.kept(), "/")

    def pipelined(self):
        connection = self.kept()
        numbers = [self.number() for _ in range(self.random.randint(2, 24))]
        connection.send(b"".join(request_bytes(f"/?n={number}") for number in numbers))
        for index, number in enumerate(numbers):
            response = connection.response()
            assert response.text == str(number), f"{response.text} is not {number}"
            if response.closes:
                # What follows on the connection was not looked at, and would have to be sent again.
                self.forget(len(numbers) - index - 1)
                return self.drop()
        return None

    def forget(self, count):
        self.tally["called"] -= count
        self.tally["answered"] -= count

    def fresh(self):
        with Connection(self.address, timeout=30) as connection:
            response = self.ask(connection, "/", headers={"Connection": "close"})
            assert response.closes and connection.rest() == b""

    def upload(self, size=None):
        body = self.random.randbytes(size or self.random.randint(0, 5000))
        response = self.ask(self.kept(), "/upload", "POST", body=body)
        assert response.text.split()[1:] == [str(len(body)), hashlib.md5(body).hexdigest()]

    def large_upload(self):
        self.upload(self.random.randint(1 << 20, 3 << 20))

    def chunked(self):
        pieces = [self.random.randbytes(self.random.randint(1, 300)) for _ in range(self.random.randint(0, 9))]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        response = self.ask(self.kept(), "/upload", "POST", {"Transfer-Encoding": "chunked"}, body)
        assert response.text.split()[1] == str(sum(map(len, pieces)))

    def stream(self):
        assert self.ask(self.kept(), "/stream").body.startswith(b"0;1;2;")

    def file(self):
        assert len(self.ask(self.kept(), "/file").body) == 200_000

    def raises(self):
        with Connection(self.address, timeout=30) as connection:
            response = connection.request(f"/raises?n={self.number()}")
            assert response.status == 500 and connection.rest() == b""

    def malformed(self):
        with Connection(self.address, timeout=30) as connection:
            self.tally["refused"] += 1
            connection.send(self.random.choice(MALFORMED))
            response = connection.response()
            assert response.status == 400 and connection.rest() == b""

    def abort_request(self):
        """Never a whole request, so never a call."""
        with Connection(self.address, timeout=30) as connection:
            connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n"[: self.random.randint(1, 40)])
            connection.abort()

    def abort_response(self):
        with Connection(self.address, timeout=30, receive_buffer=4096) as connection:
            connection.send(request_bytes(f"/large?n={self.number(answered=False)}"))
            connection.exactly(self.random.randint(1, 50_000))
            connection.abort()

    def slow_reader(self):
        with Connection(self.address, timeout=30, receive_buffer=4096) as connection:
            number = self.number()
            connection.send(request_bytes(f"/large?n={number}", headers={"Connection": "close"}))
            received = b""
            while data := connection.socket.recv(65536):
                received += data
                time.sleep(0.0005)
            assert f"X-Number: {number}\r\n".encode() in received and received.endswith(b"0\r\n\r\n")


MALFORMED = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET /\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
]


def run(address, first, count, seed):
    """As a process of its own."""
    socket.setdefaulttimeout(30)
    return Client(address, first, count, seed).run()
