"""Its import crashes the process while the file that `$DOOM` names is there."""

import os
import signal
from pathlib import Path

from plain import application

DOOM = Path(os.environ["DOOM"])
if DOOM.exists():
    with DOOM.open("a") as deaths:
        deaths.write(f"{os.getpid()}\n")
    os.kill(os.getpid(), signal.SIGSEGV)

__all__ = ["application"]
