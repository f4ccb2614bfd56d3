"""Development: prints every line of Python that runs, with what it is about."""

import linecache
import sys
import threading

# What is traced while it traces would print for ever.
OURS = ("<_rcorn.", "<frozen ")


def begin():
    """From now on, in this thread and in all that begin."""
    threading.settrace(trace)
    sys.settrace(trace)


def trace(frame, event, argument):
    file = frame.f_code.co_filename
    if file.startswith(OURS):
        return None
    if event == "line":
        name = frame.f_globals.get("__name__", "[unknown]")
        line = linecache.getline(file, frame.f_lineno).rstrip()
        sys.stderr.write(f"{name}:{frame.f_lineno}: {line}\n")
    return trace
