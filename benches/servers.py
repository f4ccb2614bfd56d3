"""The servers: how each is started for a scenario, and what it cannot do."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import account
from .environment import APPS, PYTHON, RCORN, VENV, has


@dataclass(frozen=True)
class Wanted:
    """What a server is to serve, and how."""

    spec: str
    workers: int = 1
    threads: int = 1
    gevent: bool = False
    asgi: bool = False
    access: str = ""
    flags: tuple = ()


def access_log(wanted, directory):
    """The flags of rcorn and Gunicorn."""
    return ["--access-logfile", "-" if wanted.access == "journal" else directory / "access"] if wanted.access else []


def to_journal(wanted):
    """Standard output of what follows is the journal, if that is wanted."""
    return ["systemd-cat"] if wanted.access == "journal" else []


def rcorn(wanted, port, directory):
    kind = ["-k", "gevent"] if wanted.gevent else []
    log = access_log(wanted, directory)
    bind = f"unix:{port}" if isinstance(port, Path) else f"127.0.0.1:{port}"
    many = ["--workers", wanted.workers, "--threads", wanted.threads, "--worker-connections", 20_000]
    return [*to_journal(wanted), RCORN, "--python", VENV, "--chdir", APPS, "--bind", bind, *many, *kind, *log, *wanted.flags, wanted.spec]


def gunicorn(wanted, port, directory):
    kind = "gevent" if wanted.gevent else "asgi" if wanted.asgi else "gthread" if wanted.threads > 1 else "sync"
    log = access_log(wanted, directory)
    bind = f"unix:{port}" if isinstance(port, Path) else f"127.0.0.1:{port}"
    many = ["--workers", wanted.workers, "--threads", wanted.threads, "--worker-class", kind, "--no-control-socket"]
    return [*to_journal(wanted), PYTHON, "-m", "gunicorn", "--chdir", APPS, "--bind", bind, "--log-level", "error", *many, *log, *wanted.flags, wanted.spec]


def gthread(wanted, port, directory):
    command = gunicorn(wanted, port, directory)
    command[command.index("--worker-class") + 1] = "gthread"
    return command


def granian(wanted, port, directory):
    kind = ["--interface", "asgi", "--loop", "uvloop"] if wanted.asgi else ["--interface", "wsgi", "--blocking-threads", wanted.threads]
    log = ["--access-log"] if wanted.access else ["--no-log"]
    where = ["--uds", port, "--uds-permissions", "0o777"] if isinstance(port, Path) else ["--host", "127.0.0.1", "--port", port]
    return [PYTHON, "-m", "granian", *kind, *where, "--workers", wanted.workers, "--backpressure", 20_000, *log, wanted.spec]


def uvicorn(wanted, port, directory):
    where = ["--uds", port] if isinstance(port, Path) else ["--port", port]
    log = [] if wanted.access else ["--no-access-log", "--log-level", "error"]
    return [PYTHON, "-m", "uvicorn", "--http", "httptools", "--loop", "uvloop", *where, "--workers", wanted.workers, *log, wanted.spec]


def launched(name):
    def command(wanted, port, directory):
        return [PYTHON, "-W", "ignore", "launch.py", name, wanted.spec, port]

    return command


NGINX = """
worker_processes {workers};
daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 30000; }}
http {{
    access_log {access};
    sendfile on; keepalive_requests 1000000000;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    upstream behind {{ server unix:{directory}/behind; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} backlog=2048; default_type text/plain;
        location = / {{ return 200 "Hello, world!"; }}
        location = /file {{ alias {file}; }}
        location /behind {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_pass http://behind/; }}
    }}
}}
"""


def nginx(wanted, port, directory):
    text = NGINX.format(
        workers=wanted.workers,
        directory=directory,
        port=port,
        access=f"{directory}/access combined" if wanted.access else "off",
        file=os.environ["BENCH_FILE"],
    )
    (directory / "nginx.conf").write_text(text)
    return ["nginx", "-p", directory, "-e", directory / "error.log", "-c", directory / "nginx.conf"]


@dataclass(frozen=True)
class Peer:
    """A server by its name in the tables."""

    command: object
    module: str = ""
    # It burns a core while it has nothing to do, so it runs only while it is measured.
    spins: bool = False


PEERS = {
    "rcorn": Peer(rcorn),
    "fastwsgi": Peer(launched("fastwsgi"), "fastwsgi"),
    "fastpysgi": Peer(launched("fastpysgi"), "fastpysgi", spins=True),
    "bjoern": Peer(launched("bjoern"), "bjoern"),
    "granian": Peer(granian, "granian"),
    "uvicorn": Peer(uvicorn, "uvicorn"),
    "gunicorn": Peer(gunicorn, "gunicorn"),
    "gunicorn gthread": Peer(gthread, "gunicorn"),
    "nginx": Peer(nginx),
}


def is_there(name):
    """Can this server be run here?"""
    peer = PEERS[name]
    return has(peer.module) if peer.module else shutil.which("nginx" if name == "nginx" else str(RCORN)) is not None


class Running:
    """A started server."""

    def __init__(self, name, wanted, directory, core=None, port=None):
        self.name, self.spins = name, PEERS[name].spins
        self.port = port or free_port()
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / "output"
        command = PEERS[name].command(wanted, self.port, directory)
        pinned = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
        self.command = [str(word) for word in [*pinned, *command]]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            cwd=APPS,
            stdin=subprocess.DEVNULL,
            stdout=open(self.log, "wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait(self, path="/", seconds=60):
        """Until it answers."""
        self.path = path
        deadline = time.monotonic() + seconds
        while not answers(self.port, path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not serve {path}: {self.last_words() or 'it says nothing'}")
            time.sleep(0.05)
        return self

    def last_words(self):
        return " ".join(self.log.read_text(errors="replace").splitlines()[-3:])

    def pids(self):
        return account.family(self.process.pid)

    def rest(self):
        if self.spins:
            self.stop()

    def wake(self):
        if self.spins:
            self.start()
            self.wait(self.path)

    def stop(self):
        pids = self.pids()
        self.process.send_signal(signal.SIGTERM if self.name != "nginx" else signal.SIGQUIT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(3)
        for pid in [*pids, self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port, path):
    """Does it answer 200?"""
    family, address = (socket.AF_UNIX, str(port)) if isinstance(port, Path) else (socket.AF_INET, ("127.0.0.1", port))
    try:
        with socket.socket(family) as client:
            client.settimeout(5)
            client.connect(address)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            return b" 200 " in client.recv(64)
    except OSError:
        return False
