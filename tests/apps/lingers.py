"""Has something to do at the end of the interpreter, as agents do that send what they have collected."""

import atexit
import os
import time
from pathlib import Path

from plain import application


@atexit.register
def flush(here=Path.cwd()):
    (here / "begun").write_text(str(os.getpid()))
    deadline = time.monotonic() + 20
    while not (here / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    (here / "ended").write_text(str(os.getpid()))


__all__ = ["application"]
