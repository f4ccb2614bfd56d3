"""The threads of a threaded worker: Python's own, so that `threading` knows them."""

import atexit
import os
import sys
import threading
import time


def start(count, serve):
    """Threads that serve until they are told to end. None of them keeps the interpreter alive."""
    threads = [
        threading.Thread(target=serve, args=(lane,), name=f"rcorn-{lane + 1}", daemon=True)
        for lane in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


def end(threads, patience):
    """Waits for those that are idle. Is there one that is not?"""
    deadline = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return any(thread.is_alive() for thread in threads)


def leave(code):
    """Ends the process here, as the interpreter would end it."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)
