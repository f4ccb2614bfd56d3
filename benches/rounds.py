"""One scenario: all its servers at once, in alternating rounds."""

import shutil
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from . import account, load
from .servers import Running, Wanted, is_there


@dataclass
class Result:
    """What one server did in all rounds."""

    name: str
    cpu_us: list = field(default_factory=list)
    load_us: list = field(default_factory=list)
    rate: list = field(default_factory=list)
    p50: list = field(default_factory=list)
    p99: list = field(default_factory=list)
    errors: int = 0
    syscalls: float = None

    @property
    def cost(self):
        return statistics.median(self.cpu_us)

    def add(self, done, spent_ns):
        self.cpu_us.append(spent_ns / 1000 / max(done.requests, 1))
        self.load_us.append(done.cpu_us / max(done.requests, 1))
        self.rate.append(done.requests / done.seconds)
        self.p50.append(done.p50_ms)
        self.p99.append(done.p99_ms)
        self.errors += done.errors


@dataclass(frozen=True)
class Effort:
    """How much of a run."""

    rounds: int
    seconds: int
    counts_syscalls: bool


def measure(scenario, directory, effort):
    """The results of all servers that are there, and what each left out is missing."""
    if scenario.needs and not Path(scenario.needs[0]).exists():
        return [], [f"everybody, as {scenario.needs[1]} is not here"]
    names = [name for name in scenario.servers if is_there(name)]
    running, missing = [], [f"{name} is not installed" for name in scenario.servers if name not in names]
    try:
        for name in names:
            try:
                running.append(start(scenario, name, directory / name.replace(" ", "-")))
            except RuntimeError as why:
                missing.append(str(why))
        return alternate(scenario, running, effort, missing), missing
    finally:
        for server in running:
            server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def start(scenario, name, directory):
    core = 0 if scenario.pinned and load.cores() > 1 else None
    if scenario.kind == "behind":
        return Behind(scenario, name, directory, core)
    server = Running(name, scenario.wanted, directory, core)
    return ready(server, scenario)


def ready(server, scenario):
    try:
        server.wait(scenario.path if not scenario.body and server.name != "nginx" else "/upload" if scenario.body else "/")
    except RuntimeError:
        server.stop()
        raise
    server.rest()
    return server


class Behind:
    """A server on a unix socket, and nginx in front of it; what nginx costs does not count."""

    spins = False

    def __init__(self, scenario, name, directory, core):
        self.name = name
        directory.mkdir(parents=True)
        self.front = Running("nginx", Wanted(""), directory, core)
        self.server = Running(name, scenario.wanted, directory / "server", core, port=directory / "behind")
        self.port = self.front.port
        try:
            self.server.wait()
            self.front.wait(scenario.path)
        except RuntimeError:
            self.stop()
            raise

    def pids(self):
        return self.server.pids()

    def rest(self):
        pass

    wake = rest

    def last_words(self):
        return self.server.last_words()

    def stop(self):
        self.front.stop()
        self.server.stop()


def alternate(scenario, running, effort, missing):
    """A first round warms up and counts system calls; who breaks down is left out from there on."""
    results = {server.name: Result(server.name) for server in running}
    for turn in range(effort.rounds + 1):
        for server in [server for server in running if server.name in results]:
            try:
                server.wake()
                if turn:
                    play(scenario, server, effort.seconds, results[server.name])
                else:
                    warm_up(scenario, server, effort, results[server.name])
                server.rest()
            except (RuntimeError, OSError, AssertionError) as why:
                missing.append(f"{server.name} broke down: {why} {server.last_words()}")
                del results[server.name]
    return list(results.values())


def play(scenario, server, seconds, result):
    pids = server.pids()
    before = account.cpu_ns(pids)
    done = drive(scenario, server.port, seconds)
    if not done.requests:
        raise RuntimeError("it answered nothing")
    result.add(done, account.cpu_ns(pids) - before)


def warm_up(scenario, server, effort, result):
    drive(scenario, server.port, 1)
    if effort.counts_syscalls:
        result.syscalls = syscalls(scenario, server)


def drive(scenario, port, seconds):
    if scenario.kind == "websocket":
        return load.websockets(port, scenario.connections, seconds)
    core = 1 if scenario.pinned and load.cores() > 1 else None
    how = dict(core=core, headers=scenario.headers, body=scenario.body, depth=scenario.depth)
    return load.wrk(port, scenario.path, scenario.connections, seconds, **how)


def syscalls(scenario, server):
    # One that spins takes the interruption by strace for the end.
    if scenario.kind != "wrk" or server.spins:
        return None
    with account.Syscalls(server.pids()) as counted:
        done = drive(scenario, server.port, 1)
    return counted.total / done.requests if counted.total and done.requests else None

