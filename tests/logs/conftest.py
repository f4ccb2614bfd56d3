"""Servers of every kind, with an access log."""

import pytest
from support.subject import IS_RCORN

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
