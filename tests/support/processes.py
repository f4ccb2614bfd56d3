"""Processes as /proc shows them. Nothing here signals a process that the tests did not start."""

import contextlib
import ctypes
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Makes this process the parent of orphans below it, so that none escapes the leak check."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(frozen=True)
class Process:
    """One line of the process table."""

    pid: int
    parent: int
    state: str

    @property
    def title(self):
        """What `ps` shows."""
        try:
            raw = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()

    @property
    def is_alive(self):
        return self.state not in "ZX"


def look_up(pid):
    """The process, or None."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return Process(pid, int(parent), state)


def is_alive(pid):
    process = look_up(pid)
    return process is not None and process.is_alive


def all_processes():
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in map(look_up, pids) if process]


def descendants(pid):
    """Every live process below `pid`, parents first."""
    children = {}
    for process in all_processes():
        children.setdefault(process.parent, []).append(process)
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += [process.pid for process in below]
    return [process for process in found if process.is_alive]


def tree(pid):
    """The live processes below `pid`, as text for a person."""
    own = look_up(pid)
    depth = {pid: 0}
    lines = [f"{pid} {own.state} {own.title}" if own else f"{pid} is gone"]
    for process in descendants(pid):
        depth[process.pid] = depth.get(process.parent, 0) + 1
        lines.append("  " * depth[process.pid] + f"{process.pid} {process.state} {process.title}")
    return "\n".join(lines)


def reap_orphans(known):
    """Collects the exit status of adopted orphans; `known` are children that somebody else waits for."""
    for process in all_processes():
        if process.parent == os.getpid() and process.state == "Z" and process.pid not in known:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def send(pid, number):
    """Signals a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_all(processes):
    for process in processes:
        send(process.pid, signal.SIGKILL)


def wait_for_end(pid, seconds):
    """The wait status of a child, or None when it still runs after `seconds`."""
    pidfd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return None
        return os.waitpid(pid, 0)[1]
    finally:
        os.close(pidfd)


def status_field(pid, field):
    """A line of /proc/PID/status, without its name."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    raise KeyError(field)


def resident_kib(pid):
    """Resident memory that is not shared with a file: what a spooled upload must not grow."""
    return int(status_field(pid, "RssAnon").split()[0])
