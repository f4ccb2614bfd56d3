"""What a newborn worker does before it serves."""

import faulthandler
import os
import signal
import sys


def reseed():
    """Python's own `random` is reseeded by the fork; numpy's is not."""
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()


def print_by_lines():
    """Standard output is no terminal, and would be written when a buffer is full."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)


OUTPUTS = {}


def show_stacks_on(signal, descriptor, all_threads=True):
    """`signal` prints the stacks of all threads to `descriptor`, or of the one that gets it, whatever code runs; then its
    handler before runs."""
    faulthandler.register(signal, file=descriptor, all_threads=all_threads, chain=True)
    OUTPUTS[signal] = descriptor


def show_more(signal, text):
    """What Python itself has to say where the stacks were printed."""
    data = text.encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(OUTPUTS[signal], data) :]


class Interrupted(SystemExit):
    """Raised inside the application when the worker is to leave at once."""


def before_leaving():
    """The place of a hook. True where it is under way already."""
    return False


def leave(number, frame):
    if not before_leaving():
        raise Interrupted(0)


def raise_on(number):
    """From now on an interrupt raises `Interrupted`, unless the application takes the signal over."""
    signal.signal(number, leave)
    return Interrupted
