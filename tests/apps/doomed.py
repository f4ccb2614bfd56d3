"""Dies at once after the fork, for as long as a file says so."""

import os
import signal
from pathlib import Path

from plain import application


def fall():
    if Path("doom").exists():
        with open("deaths", "a") as deaths:
            deaths.write(f"{os.getpid()}\n")
        os.kill(os.getpid(), signal.SIGSEGV)


fall()

__all__ = ["application"]
