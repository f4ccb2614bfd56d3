"""The servers live as long as the process that runs the tests."""

import pytest
from support.subject import IS_RCORN

from .servers import Servers


@pytest.fixture(scope="session", params=["sync", "threads", "gevent"] if IS_RCORN else ["subject"])
def servers(request):
    """One kind of workers after the other."""
    servers = Servers(request.param)
    yield servers
    servers.stop()
