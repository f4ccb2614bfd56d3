"""An application that a test edits while it is served."""

import contextlib
import signal

import pytest
from support.client import Closed
from support.waiting import wait_until

WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [({answer}).encode()]
"""


class Edited:
    """A directory with sources, and the server of what is there."""

    def __init__(self, place, start):
        self.place = place
        self.start = start
        self.server = None

    def write(self, name, text):
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def answers(self, answer, name="app.py"):
        """The application gives this expression from now on."""
        return self.write(name, WSGI.format(answer=answer))

    @contextlib.contextmanager
    def at_once(self):
        """What is changed within is seen at one moment, however long the machine takes for it."""
        self.server.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.send(signal.SIGCONT)

    def serve(self, *flags, reload=True, **options):
        options.setdefault("call", "app")
        flags = (*(["--reload"] if reload else []), "--chdir", self.place, *flags)
        self.server = self.start(None, *flags, **options).ready()
        return self.server

    def get(self, target="/", accept=None):
        headers = [("Accept", accept)] if accept else []
        return self.server.get(target, headers=headers)

    def says(self, text):
        """Waits for the answer."""

        def is_said():
            try:
                return text in self.get().text
            except (Closed, OSError):
                return False

        with self.server.explained():
            wait_until(is_said, f"the application says {text!r}")
            # For a moment both generations accept.
            wait_until(self.is_settled, "no reload is under way")

    def is_settled(self):
        log = self.server.log
        return log.count("reloaded: generation") + log.count("reload failed") >= log.count("reloading: generation")

    def reloads(self):
        return self.server.log.count("reloading: generation")


@pytest.fixture
def edited(start, directory):
    place = directory / "source"
    place.mkdir()
    return Edited(place, start)
