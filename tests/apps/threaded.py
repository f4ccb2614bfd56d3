"""Its import leaves a thread behind, which does not survive a fork."""

import os
import threading
import time

from plain import ROUTES, application, plain_text

beats = 0


def beat():
    global beats
    while True:
        beats += 1
        time.sleep(0.002)


def thread_lives(environ, start_response):
    before = beats
    deadline = time.monotonic() + 5
    while beats == before and time.monotonic() < deadline:
        time.sleep(0.002)
    return plain_text(start_response, f"{beats > before} {os.getpid()} {IMPORTER}")


IMPORTER = os.getpid()
ROUTES["/thread"] = thread_lives
threading.Thread(target=beat, daemon=True).start()

__all__ = ["application"]
