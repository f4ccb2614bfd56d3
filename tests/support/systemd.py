"""A tiny systemd: makes the listening socket, hands it over as descriptor 3, and hears `READY=1`.

So no test guesses a free port, and none sleeps until the server is up: a connection waits in the backlog.
"""

import socket
from pathlib import Path


def tcp_listener(backlog=2048):
    listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    listener.setblocking(False)
    return listener


def unix_listener(path, backlog=2048):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(backlog)
    return listener


class NotifySocket:
    """Collects what the service says to its manager."""

    def __init__(self, directory: Path):
        self.path = directory / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.received = []

    def lines(self):
        """Every line said so far."""
        while True:
            try:
                datagram = self.socket.recv(65536)
            except BlockingIOError:
                return self.received
            self.received += datagram.decode().splitlines()

    def said(self, line):
        return line in self.lines()

    def close(self):
        self.socket.close()
