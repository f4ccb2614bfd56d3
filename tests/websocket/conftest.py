"""An echo server on the websocket layer alone, without a worker: src/http/examples/websocket_echo.rs."""

import os
import subprocess

import pytest
from support.subject import binaries

BUILD = "cargo build -p http@0.1.0 --example websocket_echo --features fuzzing"


@pytest.fixture(scope="session")
def echo():
    """Its address."""
    program = binaries() / "examples" / "websocket_echo"
    if not program.exists():
        pytest.skip(f"{program} is not there: {BUILD} makes it")
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True, env={**os.environ, "RUST_BACKTRACE": "1"}) as server:
        yield f"ws://127.0.0.1:{int(server.stdout.readline())}"
        assert server.poll() is None, "the echo server has ended"
        server.kill()
