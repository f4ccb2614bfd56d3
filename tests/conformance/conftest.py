"""The servers live as long as the process that runs the tests."""

import pytest

from .servers import Servers


@pytest.fixture(scope="session")
def servers():
    servers = Servers()
    yield servers
    servers.stop()
