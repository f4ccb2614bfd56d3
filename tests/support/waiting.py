"""Waiting for a condition, never for a time."""

import time

PATIENCE = 20.0


class Impatience(AssertionError):
    """A condition did not come true within its deadline."""


def wait_until(condition, what, seconds=PATIENCE, pause=0.002):
    """The first true value of `condition()`. `what` completes the sentence "waited in vain until …"."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Impatience(f"waited {seconds:g} s in vain until {what}")
        time.sleep(pause)


def stays_true(condition, what, seconds):
    """`condition()` holds now and for `seconds`: for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"no longer true: {what}"
        time.sleep(0.005)
