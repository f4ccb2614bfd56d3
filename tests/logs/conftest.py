"""Servers of every kind, with an access log."""

import pytest
from support.subject import IS_RCORN
from support.waiting import wait_until

KINDS = {
    "sync": ("logged", [] if IS_RCORN else ["--worker-class", "sync"]),
    "threads": ("logged", ["--threads", 3]),
    "gevent": ("logged", ["--worker-class", "gevent"]),
    "asgi": ("asgi_logged", [] if IS_RCORN else ["--worker-class", "asgi"]),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def access(directory):
    return directory / "access"


@pytest.fixture
def logging_server(serve, access):
    """`logging_server(kind, *flags)`: with an access log at `access`."""

    def start(kind, *flags, **options):
        app, further = KINDS[kind]
        return serve(app, *further, "--access-logfile", access, *flags, **options)

    return start


def whole_lines(path):
    """The lines of a file that are complete."""
    whole, _, _ = path.read_text().rpartition("\n") if path.exists() else ("", "", "")
    return whole.splitlines()


def wait_for_lines(path, count):
    return wait_until(lambda: len(found := whole_lines(path)) >= count and found, f"{path} has {count} lines")
