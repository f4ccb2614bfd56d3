"""Its import takes until it is allowed to end, so that a test can look at a server that is not ready."""

import time
from pathlib import Path

from plain import application

Path("importing").touch()
deadline = time.monotonic() + 60
while not Path("import-may-end").exists() and time.monotonic() < deadline:
    time.sleep(0.002)

__all__ = ["application"]
