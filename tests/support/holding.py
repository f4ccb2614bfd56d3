"""Requests that are inside the application for as long as a test wants."""

from .client import request_bytes
from .waiting import wait_until


class Held:
    """A request to `/hold` of the plain application, which was entered when this exists."""

    def __init__(self, server, name="held"):
        self.server = server
        self.name = name
        self.connection = server.connect()
        self.connection.send(request_bytes(f"/hold?name={name}"))
        entered = server.directory / f"{name}.entered"
        with server.explained():
            wait_until(entered.exists, f"the request {name!r} is inside the application")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()
        self.connection.close()

    def release(self):
        """Lets the application finish."""
        (self.server.directory / f"{self.name}.release").touch()
        return self

    def response(self):
        return self.connection.response()
