"""A tiny systemd: makes the listening socket, hands it over as descriptor 3, and hears `READY=1`.

So no test guesses a free port, and none sleeps until the server is up: a connection waits in the backlog.
"""

import socket
import threading
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
    """Collects what the service says to its manager, as soon as it is said: the kernel queues ten messages only."""

    def __init__(self, directory: Path):
        self.path = directory / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.received = []
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self):
        while datagram := self.socket.recv(65536):
            self.received += datagram.decode().splitlines()

    def lines(self):
        """Every line said so far."""
        return list(self.received)

    def said(self, line):
        return line in self.received

    def close(self):
        # An empty message ends the thread.
        self.socket.sendto(b"", str(self.path))
        self.listener.join(5)
        self.socket.close()
