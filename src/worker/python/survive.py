"""Does what the import of the application left behind survive a fork?

Threads do not, unless their library ends them at a fork and starts them again (numpy's OpenBLAS does): so one fork
is tried before they are counted. Connections do not, as two processes would speak on one.
"""

import os
import socket
import warnings


def snapshot():
    """What is there before the import."""
    return set(descriptors())


def left_behind(before):
    """A clause that says what does not survive, or nothing."""
    connections, polls = new_descriptors(before)
    found = []
    if thread_count() > 1:
        try_a_fork()
        threads = thread_count() - 1
        if threads:
            found.append(f"{threads} running thread{'s' if threads > 1 else ''}")
    if connections:
        found.append(f"{connections} open connection{'s' if connections > 1 else ''}")
    if polls:
        found.append("an event loop")
    return "the import left " + " and ".join(found) + " behind" if found else None


def try_a_fork():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def thread_count():
    return len(os.listdir("/proc/self/task"))


def descriptors():
    """Each open descriptor with what it is."""
    for number in os.listdir("/proc/self/fd"):
        try:
            yield int(number), os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            pass  # the descriptor of the listing itself


def new_descriptors(before):
    connections = polls = 0
    for number, target in set(descriptors()) - before:
        if target.startswith("socket:"):
            connections += is_connected_stream(number)
        elif target == "anon_inode:[eventpoll]":
            polls += 1
    return connections, polls


def is_connected_stream(number):
    try:
        with socket.socket(fileno=os.dup(number)) as copy:
            if copy.type != socket.SOCK_STREAM:
                return False
            # A pair within this process (a self-pipe) is no connection to anybody.
            return copy.family != socket.AF_UNIX and bool(copy.getpeername())
    except OSError:
        return False
