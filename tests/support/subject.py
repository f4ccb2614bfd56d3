"""What is under test: rcorn, or Gunicorn with `RCORN_TEST_SUBJECT=gunicorn`.

Tests of behaviour that both promise run against either, so that a test is known to be right before rcorn is blamed.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from .interpreters import ROOT, supported

NAME = os.environ.get("RCORN_TEST_SUBJECT", "rcorn")
IS_RCORN = NAME == "rcorn"
# All tests with so many threads in each worker, unless they say otherwise: `RCORN_TEST_THREADS=4`.
THREADS = ("--threads", os.environ["RCORN_TEST_THREADS"]) if "RCORN_TEST_THREADS" in os.environ else ()


def binaries():
    """The directory with rcorn, rcornctl and the extension."""
    if "RCORN_BIN" in os.environ:
        return Path(os.environ["RCORN_BIN"])
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    return target / "debug"


def binary():
    return binaries() / "rcorn"


def extension():
    """The extension that a build leaves beside the binary."""
    return binaries() / "lib_rcorn.so"


@dataclass(frozen=True)
class Subject:
    """How the server under test is called."""

    command: tuple
    python: Path

    @classmethod
    def default(cls):
        python = supported()[0].environment / "bin" / "python"
        gunicorn = (str(python.parent / "gunicorn"), "--worker-class", "gthread", "--no-control-socket")
        return cls((str(binary()), *THREADS) if IS_RCORN else gunicorn, python)
