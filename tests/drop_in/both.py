"""One deployment on both servers: the same directory, the same words but the first, and what can be seen of it from outside."""

import os
import re
import shutil
import signal
import stat
from dataclasses import dataclass, field
from pathlib import Path

from support import processes
from support.client import Connection
from support.server import Server
from support.subject import Subject, binary
from support.waiting import wait_until

CASES = Path(__file__).parent / "cases"
SERVERS = ("gunicorn", "rcorn")
# What every server leaves behind, and what says nothing.
UNIMPORTANT = {"__pycache__", "log", "output", "notify", ".gunicorn"}


@dataclass(frozen=True)
class Case:
    """A directory of `cases`, how it is called, and what is asked."""

    name: str
    words: tuple = ()
    env: dict = field(default_factory=dict)
    requests: tuple = (("/", ()),)
    socket: str = ""
    pid_file: str = ""
    files: tuple = ()
    workers: int | None = None


class Deployment:
    """A copy of a case, run by one of the servers."""

    def __init__(self, server, case, place):
        self.is_rcorn, self.case, self.place = server == "rcorn", case, place
        shutil.copytree(CASES / case.name, place, ignore=shutil.ignore_patterns("__pycache__"))
        default = Subject.default().python
        program = binary() if self.is_rcorn else default.parent / "gunicorn"
        subject = Subject((str(program),), default)
        self.server = Server(place, case.words, env={"HOME": place, **case.env}, subject=subject)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        complaint = self.server.clean_up()
        processes.kill_all(self.workers_there())
        # Gunicorn loses a signal now and then that comes while a worker starts.
        assert not (complaint and self.is_rcorn), complaint

    def workers_there(self):
        return self.server.titled("worker") if self.is_rcorn else self.server.below()

    def ready(self):
        """Gunicorn says so before there is a worker."""
        self.server.ready()
        if self.case.workers:
            wait_until(lambda: len(self.workers_there()) == self.case.workers, f"{self.case.workers} workers", 20)
        return self

    @property
    def address(self):
        if self.case.socket:
            return str(self.place / self.case.socket)
        found = self.server.wait_for_log(r"Listening at: (?:[^\n]*,)?http://127\.0\.0\.1:(\d+)")
        return "127.0.0.1", int(found[1])

    def answers(self):
        """Status, type and body of each request; a dictionary where it is JSON."""
        return [self.answer(target, headers) for target, headers in self.case.requests]

    def answer(self, target, headers):
        with Connection(self.address) as connection:
            response = connection.request(target, headers=headers)
        body = response.text.replace(str(self.place), "<place>")
        return response.status, response.header("Content-Type"), body

    def state(self):
        """What it has made of the directory and of the processes."""
        pid_file, socket = self.place / self.case.pid_file, self.place / self.case.socket
        return {
            "workers": len(self.workers_there()),
            "pid file": self.case.pid_file and int(pid_file.read_text()) == self.server.pid,
            "socket's mode": self.case.socket and oct(stat.S_IMODE(socket.stat().st_mode)),
            "files": [name for name in self.case.files if (self.place / name).exists()],
        }

    def end(self):
        """How it ends, and what it leaves."""
        code = self.server.stop(signal.SIGTERM)
        left = {path.name for path in self.place.iterdir()} - {path.name for path in (CASES / self.case.name).iterdir()}
        return {"code": code, "left": sorted(left - UNIMPORTANT - {Path(self.server.notify.path).name})}


def lines_of_access(path):
    """Requests and statuses of an access log, in the order of their targets."""
    found = re.findall(r'"([A-Z]+ \S+) HTTP/1\.1" (\d{3}) (\d+|-)', path.read_text())
    return sorted(found)


def seen(server, case, place):
    """Everything that is compared."""
    with Deployment(server, case, place) as deployment:
        deployment.ready()
        told = {"answers": deployment.answers(), **deployment.state()}
        told["end"] = deployment.end()
        logs = [name for name in case.files if name.startswith("access")]
        told["access"] = [lines_of_access(place / name) for name in logs]
        return told


def fails(server, case, place):
    """The exit code of a deployment that cannot start, and its last words."""
    with Deployment(server, case, place) as deployment:
        code = deployment.server.wait()
        return code, deployment.server.log


def cpus():
    return len(os.sched_getaffinity(0))
