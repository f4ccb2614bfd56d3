"""What a server used: CPU time, memory and system calls of all its processes."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path


def family(pid):
    """A process and all that descend from it."""
    children = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(children.get(found[-1], []))
    return found


def cpu_ns(pids):
    """Nanoseconds that their threads ran."""
    total = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(thread.read_text().split()[0])
            except OSError:
                pass
    return total


def pss_kib(pids):
    """Proportional set size of them all."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total


def rss_kib(pid):
    return int(re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1])


class Syscalls:
    """Counts the system calls of a server while it is in the block, or nothing where strace is missing."""

    def __init__(self, pids):
        self.pids, self.total = pids, None

    def __enter__(self):
        if not shutil.which("strace"):
            return self
        self.file = tempfile.NamedTemporaryFile()
        attach = [word for pid in self.pids for word in ("-p", str(pid))]
        self.strace = subprocess.Popen(["strace", "-f", "-c", "-o", self.file.name, *attach], stderr=subprocess.PIPE)
        heard = b""
        while heard.count(b"attached") < len(self.pids) and self.strace.poll() is None:
            heard += os.read(self.strace.stderr.fileno(), 4096)
        time.sleep(0.1)
        return self

    def __exit__(self, *_):
        if shutil.which("strace"):
            self.strace.send_signal(signal.SIGINT)
            self.strace.wait(10)
            total = re.search(r"^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)(?:\s+\d+)?\s+total", Path(self.file.name).read_text(), re.M)
            self.total = int(total[1]) if total else None
