"""A running server: the real binary, started as systemd starts it, with its log, its processes and its end."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import processes, systemd
from .client import Connection
from .interpreters import ROOT
from .subject import IS_RCORN, Subject, binaries
from .waiting import PATIENCE, wait_until

APPS = ROOT / "tests" / "apps"
# The shell becomes the server, so its own process id is the one that LISTEN_PID must name.
SHIM = 'cd "$1" && shift && if [ -n "$LISTEN_FDS" ] && [ -z "$LISTEN_PID" ]; then LISTEN_PID=$$; export LISTEN_PID; fi; exec "$@"'


class Server:
    """One server process and what is below it."""

    def __init__(self, directory: Path, arguments, *, env=None, listener=None, subject=None, user=None, stdin=None):
        self.directory = directory
        self.subject = subject or Subject.default()
        self.arguments = [*self.subject.command, *map(str, arguments)]
        self.listener = listener
        self.notify = systemd.NotifySocket(directory)
        self.log_path = directory / "log"
        self.output_path = directory / "output"
        self.status = None
        self.started = time.monotonic()
        self.pid = self._spawn(self._environment(env or {}), user, stdin)

    def _environment(self, extra):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.directory),
            "VIRTUAL_ENV": str(self.subject.python.parents[1]),
            "NOTIFY_SOCKET": str(self.notify.path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if self.listener:
            environment["LISTEN_FDS"] = "1"
        environment.update(extra)
        return {name: str(value) for name, value in environment.items() if value is not None}

    def _spawn(self, environment, user, stdin):
        new_file = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, str(stdin or "/dev/null"), os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.output_path), new_file, 0o644),
            (os.POSIX_SPAWN_OPEN, 2, str(self.log_path), new_file, 0o644),
        ]
        if self.listener:
            actions.append((os.POSIX_SPAWN_DUP2, self.listener.fileno(), 3))
        become = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
        command = [*become, "/bin/sh", "-c", SHIM, "sh", str(self.directory), *self.arguments]
        defaults = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT]
        return os.posix_spawnp(
            command[0], command, environment, file_actions=actions, setsid=True, setsigdef=defaults, setsigmask=[]
        )

    # Talking to it

    @property
    def address(self):
        """Where it listens: what the harness handed over, or what it says."""
        return self.addresses[0]

    @property
    def addresses(self):
        if self.listener:
            return [self.listener.getsockname()]
        pattern = r"Listening at: ([^\n]*?)(?: \(\d+\))?\n"
        self.wait_for_log(pattern)
        return [address_of(text) for said in re.findall(pattern, self.log) for text in re.split(r",\s*", said)]

    def connect(self, **options):
        return Connection(self.address, **options)

    def request(self, target="/", method="GET", headers=(), body=None, **options):
        """One request on a connection of its own."""
        with self.connect(**options) as connection:
            return connection.request(target, method, headers, body)

    get = request

    # What it says and does

    @property
    def log(self):
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    @property
    def output(self):
        return self.output_path.read_text("utf-8", "replace") if self.output_path.exists() else ""

    def wait_for_log(self, pattern, seconds=PATIENCE, count=1):
        """Waits until the log matches `pattern` `count` times; the last match."""

        def found():
            matches = list(re.finditer(pattern, self.log))
            if len(matches) >= count:
                return matches[-1]
            assert self.is_running() or list(re.finditer(pattern, self.log)), f"ended without saying {pattern!r}"
            return None

        with self.explained():
            return wait_until(found, f"the log says {pattern!r} ({count}x)", seconds)

    def made(self, name):
        """Waits for a file that the application makes in its directory; its text."""
        path = self.directory / name
        with self.explained():
            wait_until(path.exists, f"the application has made {name}")
        return path.read_text()

    def ready(self, seconds=PATIENCE):
        """Waits until it told its manager that it is ready."""

        def is_ready():
            assert self.is_running(), "ended before it was ready"
            return self.notify.said("READY=1")

        with self.explained():
            wait_until(is_ready, "the server said READY=1", seconds)
        return self

    @contextlib.contextmanager
    def explained(self):
        """Adds log and processes to a failure."""
        try:
            yield
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.report()}") from None

    def report(self):
        return (
            f"--- command: {' '.join(self.arguments)}\n--- status: {self.status}\n--- processes:\n"
            f"{processes.tree(self.pid)}\n--- stderr:\n{self.log[-6000:]}\n--- stdout:\n{self.output[-2000:]}"
        )

    def is_running(self):
        return self.status is None and processes.is_alive(self.pid)

    def below(self):
        """Live processes below the arbiter."""
        return processes.descendants(self.pid)

    def titled(self, word):
        """The processes below whose title starts with `rcorn: WORD`."""
        return [process for process in self.below() if process.title.startswith(f"rcorn: {word}")]

    def workers(self):
        """The pids of the workers."""
        if IS_RCORN:
            return sorted(process.pid for process in self.titled("worker"))
        return sorted(process.pid for process in self.below())

    def wait_for_stack(self, pattern):
        """Like `wait_for_log`, in a stack: it is written piece by piece, and lines of others may come in between."""
        with self.explained():
            return wait_until(lambda: re.search(pattern, re.sub(r"\[\d{4}-\d\d-[^\n]*\n", "", self.log)), f"a stack has {pattern!r}")

    def wait_for_workers(self, count, seconds=PATIENCE):
        with self.explained():
            return wait_until(
                lambda: len(now := self.workers()) == count and now, f"there are {count} workers", seconds
            )

    # Its end

    def send(self, number):
        processes.send(self.pid, number)
        return self

    def wait(self, seconds=PATIENCE):
        """Its exit code; a negative number is the signal that killed it."""
        if self.status is None:
            status = processes.wait_for_end(self.pid, seconds)
            if status is None:
                raise AssertionError(f"still runs after {seconds} s\n{self.report()}")
            self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def stop(self, number=signal.SIGTERM, seconds=PATIENCE):
        """Signals it and gives its exit code."""
        return self.send(number).wait(seconds)

    def clean_up(self):
        """Ends it whatever state it is in. Gives what was wrong with that."""
        complaint = None
        if self.status is None:
            self.send(signal.SIGCONT).send(signal.SIGQUIT)
            try:
                self.wait(10)
            except AssertionError as error:
                complaint = f"SIGQUIT did not end it: {error}" if IS_RCORN else None
                processes.kill_all(self.below())
                self.send(signal.SIGKILL).wait()
        self.notify.close()
        if self.listener:
            self.listener.close()
        return complaint


@dataclass(frozen=True)
class Outcome:
    """How a call ended that was not meant to serve."""

    code: int
    out: str
    err: str

    @property
    def sentence(self):
        """The one line on stderr, which every refusal is."""
        assert self.err.startswith("rcorn: ") and self.err.count("\n") == 1, f"not one sentence: {self.err!r}"
        return self.err.removeprefix("rcorn: ").strip()


def call(*arguments, directory, env=None, program="rcorn", seconds=60):
    """Calls one of our programs and waits for its end."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8"}
    environment["VIRTUAL_ENV"] = str(Subject.default().python.parents[1])
    environment.update(env or {})
    done = subprocess.run(
        [binaries() / program, *map(str, arguments)],
        cwd=directory,
        env={name: str(value) for name, value in environment.items() if value is not None},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def address_of(text):
    """`http://127.0.0.1:8000` or `unix:/path` as what `connect` takes."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        return "\0" + path[1:] if path.startswith("@") else path
    host, _, port = text.removeprefix("http://").rpartition(":")
    return host.strip("[]"), int(port)


def copy_app(name, directory):
    """Puts an application of tests/apps into the server's directory."""
    source = APPS / name
    if source.is_dir():
        shutil.copytree(source, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        for file in {source.with_suffix(".py"), APPS / "plain.py", APPS / "asgi_plain.py"}:
            shutil.copy(file, directory)
