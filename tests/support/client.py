"""A client on a bare socket: sends exactly the bytes it is told to, and reads exactly one response."""

import contextlib
import json
import socket
from dataclasses import dataclass, field

from .waiting import PATIENCE


@dataclass
class Response:
    """One response, taken apart."""

    version: str
    status: int
    reason: str
    headers: list
    body: bytes = b""
    interim: list = field(default_factory=list)
    complete: bool = True

    def header(self, name, default=None):
        """The value of a field; repeated ones are joined."""
        values = self.all(name)
        return ", ".join(values) if values else default

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def closes(self):
        """Does the server say that this is the last response on the connection?"""
        return "close" in (self.header("Connection") or "").lower()


class Closed(AssertionError):
    """The server closed the connection where a response was due."""


class Connection:
    """One connection to a server at `address`: (host, port) or a path."""

    def __init__(self, address, timeout=PATIENCE, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def abort(self):
        """Closes with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)
        return self

    def request(self, target, method="GET", headers=(), body=None, version="1.1"):
        """Sends a request and gives its response."""
        self.send(request_bytes(target, method, headers, body, version))
        return self.response(method)

    def response(self, method="GET"):
        """The next final response; 1xx ones before it are kept beside it."""
        interim = []
        while True:
            response = self.head()
            if response.status >= 200 or response.status == 101:
                break
            interim.append(response)
        response.interim = interim
        self._read_body(response, method)
        return response

    def head(self):
        """The next head, without its body."""
        raw = self._until(b"\r\n\r\n")
        status_line, *fields = raw.decode("latin-1").split("\r\n")
        version, status, reason = (status_line + " ").split(" ", 2)
        pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in fields]
        return Response(version, int(status), reason.strip(), pairs)

    def chunk(self):
        """The next chunk of a chunked body; empty at its end."""
        size = int(self._until(b"\r\n").split(b";")[0], 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n", "a chunk does not end where its size says"
        return data

    def exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def rest(self):
        """Everything up to the end of the stream; a reset ends it as well."""
        with contextlib.suppress(ConnectionResetError):
            while data := self.socket.recv(65536):
                self.buffer += data
        data, self.buffer = self.buffer, b""
        return data

    def is_closed(self, seconds):
        """Did the server close the connection, within `seconds`, without another byte?"""
        if self.buffer:
            return False
        patience = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self.buffer = self.socket.recv(1)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(patience)
        return not self.buffer

    def _read_body(self, response, method):
        if method == "HEAD" or response.status in (204, 304):
            return
        if "chunked" in (response.header("Transfer-Encoding") or ""):
            pieces = []
            while piece := self.chunk():
                pieces.append(piece)
            response.body = b"".join(pieces)
        elif (length := response.header("Content-Length")) is not None:
            response.body = self.exactly(int(length))
        else:
            response.body = self.rest()

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        data, _, self.buffer = self.buffer.partition(mark)
        return data

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            raise Closed(f"reset by the server; had {self.buffer!r}") from None
        except TimeoutError:
            raise AssertionError(f"no answer within {self.socket.gettimeout()} s; had {self.buffer[:300]!r}") from None
        if not data:
            raise Closed(f"closed by the server; had {self.buffer[:300]!r}")
        self.buffer += data


def request_bytes(target, method="GET", headers=(), body=None, version="1.1"):
    """A request as bytes; Host and Content-Length are added where they are missing."""
    fields = list(headers.items() if isinstance(headers, dict) else headers)
    names = {name.lower() for name, _ in fields}
    if "host" not in names and version == "1.1":
        fields.insert(0, ("Host", "test"))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        fields.append(("Content-Length", str(len(body))))
    head = f"{method} {target} HTTP/{version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields)
    return head.encode("latin-1") + b"\r\n" + (body or b"")
