"""What is no race of servers at the same load: memory, waiting, and how cost grows."""

import dataclasses
import os
import signal
import statistics
import time

from . import account, load, plot
from .servers import Running, Wanted, is_there

DJANGO = Wanted("frameworks:django", workers=4)
SLOW = Wanted("hello:various", workers=4)
QUIET = 10_000


def memory(directory, quick, plots):
    """Django in four workers, after 1,000 requests and a full collection."""
    variants = {
        "gunicorn": ("gunicorn", DJANGO),
        "gunicorn --preload": ("gunicorn", dataclasses.replace(DJANGO, flags=("--preload",))),
        "granian": ("granian", DJANGO),
        "rcorn --preload=off": ("rcorn", dataclasses.replace(DJANGO, flags=("--preload=off",))),
        "rcorn": ("rcorn", DJANGO),
        "rcorn --warm-up": ("rcorn", dataclasses.replace(DJANGO, flags=("--warm-up", "frameworks:warm_up"))),
    }
    rows = {}
    for label, (name, wanted) in variants.items():
        if is_there(name):
            rows[label] = after_requests(name, wanted, directory / label.replace(" ", "-"))
    plain, warm = rows["rcorn"][0], rows["rcorn --warm-up"][0]
    lines = ["### Memory: Django, 4 workers, after 1,000 requests and a full collection", ""]
    lines += ["| server | MB (PSS) of all processes | rcorn's part | warmed up | master, MB (RSS) |", "|---|---|---|---|---|"]
    lines += [f"| {label} | {pss:.0f} | {plain / pss:.2f} | {warm / pss:.2f} | {master:.1f} |" for label, (pss, master) in rows.items()]
    return "\n".join([*lines, "", idle(directory / "idle")]) + "\n"


def after_requests(name, wanted, directory):
    server = Running(name, wanted, directory).wait()
    try:
        for _ in range(1000):
            load.get(server.port, "/")
        everyone_collects(server, wanted.workers)
        return account.pss_kib(server.pids()) / 1024, account.rss_kib(server.process.pid) / 1024
    finally:
        server.stop()


def everyone_collects(server, workers):
    """Every worker has answered, and thrown away what it does not need any more."""
    seen, deadline = set(), time.monotonic() + 60
    while len(seen) < workers and time.monotonic() < deadline:
        seen.add(load.get(server.port, "/collect"))


def idle(directory):
    """Kept connections that say nothing."""
    server = Running("rcorn", Wanted("hello:app"), directory).wait()
    try:
        before = account.pss_kib(server.pids())
        held = load.quiet(server.port, QUIET)
        grown = account.pss_kib(server.pids()) - before
        for client in held:
            client.close()
        return f"{QUIET:,} quiet kept connections in one worker of rcorn: {grown * 1024 / QUIET:.0f} bytes each."
    finally:
        server.stop()


def birth(directory, quick, plots):
    """How long one more worker takes, from the signal to its readiness: the application is loaded already."""
    wanted = dataclasses.replace(DJANGO, workers=1, flags=("--log-level", "debug"))
    server = Running("rcorn", wanted, directory).wait()
    try:
        times = [one_more(server, number) for number in range(2, 22)]
    finally:
        server.stop()
    return f"### Birth\n\nOne more worker of a Django application, from `TTIN` to ready: {statistics.median(times):.1f} ms ({min(times):.1f} to {max(times):.1f}).\n"


def one_more(server, number):
    """In milliseconds. By the log: asked for its workers, the server would measure the memory of each at the same time."""
    begun, deadline = time.monotonic(), time.monotonic() + 10
    server.process.send_signal(signal.SIGTTIN)
    while server.log.read_bytes().count(b" is ready ") < number:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no worker {number}: {server.last_words()}")
        time.sleep(0.0002)
    return (time.monotonic() - begun) * 1000


def queue(directory, quick, plots):
    """Slow views: requests that arrive by chance, and wait for one of four workers."""
    seconds = 10 if quick else 60
    lines = ["### Waiting: 50 ms of a view, 4 sync workers, 32 kept connections, 70 % utilisation", ""]
    lines += [f"{seconds} s a server; 56 requests a second arrive by chance, the same for all.", ""]
    lines += ["| server | mean ms | p50 ms | p99 ms |", "|---|---|---|---|"]
    for name in filter(is_there, ("gunicorn", "rcorn", "granian")):
        server = Running(name, SLOW, directory / name).wait("/wait50")
        try:
            done = load.arrivals(server.port, "/wait50", 56, 32, seconds)
        finally:
            server.stop()
        lines.append(f"| {name} | {done.mean_ms:.1f} | {done.p50_ms:.1f} | {done.p99_ms:.1f} |")
    return "\n".join(lines) + "\n"


def spread(directory, quick, plots):
    """How evenly 64 connections are spread over four workers."""
    server = Running("rcorn", Wanted("hello:various", workers=4), directory / "spread").wait("/collect")
    try:
        everyone_collects(server, 4)
        held = load.quiet(server.port, 64, "/wait5")
        workers = [pid for pid in server.pids() if "worker" in title(pid)]
        counts = sorted(connections(pid) for pid in workers)
        for client in held:
            client.close()
    finally:
        server.stop()
    return f"### Spread\n\n64 connections over 4 workers of rcorn: {', '.join(map(str, counts))}.\n"


def title(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().decode(errors="replace")


def connections(pid):
    """Its established connections, less those that everyone inherits: listeners are not in this state."""
    own = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    with open(f"/proc/{pid}/net/tcp") as table:
        return sum(f"socket:[{fields[9]}]" in own for fields in map(str.split, list(table)[1:]) if fields[3] == "01")


GROWTH = {
    "connections": ("connections", (1, 4, 16, 64, 256, 1024, 4096, 10_000)),
    "workers": ("workers", (1, 2, 4, 8)),
    "headers": ("header fields", (1, 5, 10, 20, 40, 80)),
    "body": ("bytes of the request's body", (0, 1024, 16_384, 65_536, 262_144, 1_048_576)),
    "depth": ("requests at a time on a connection", (1, 2, 4, 8, 16, 32)),
}


def growth(directory, quick, plots):
    """What a request costs as something grows."""
    lines = ["### How cost grows", "", "WSGI hello on rcorn, µs of CPU a request.", ""]
    for name, (label, steps) in GROWTH.items():
        points = [(step, cost_at(name, step, directory / f"{name}-{step}", 1 if quick else 3)) for step in steps]
        lines += [f"| {label} | {' | '.join(f'{step:,}' for step, _ in points)} |", "|---" * (len(points) + 1) + "|"]
        lines += [f"| µs a request | {' | '.join(f'{cost:.2f}' for _, cost in points)} |", ""]
        if plots:
            (plots / f"growth-{name}.svg").write_text(plot.line(f"µs of CPU a request by {label}", label, points))
            lines += [f"![µs a request by {label}](performance/growth-{name}.svg)", ""]
    return "\n".join(lines)


def cost_at(name, step, directory, seconds):
    wanted = Wanted("hello:various" if name == "body" and step else "hello:app", workers=step if name == "workers" else 1)
    how = dict(connections=64, headers=(), body=0, depth=1)
    if name == "headers":
        how["headers"] = [f"X-Field-{number}: some value {number}" for number in range(step)]
    elif name != "workers":
        how[name] = step
    pinned = name != "workers" and load.cores() > 1
    path = "/upload" if how["body"] else "/"
    server = Running("rcorn", wanted, directory, 0 if pinned else None).wait(path)
    try:
        run = lambda time: load.wrk(server.port, path, how["connections"], time, core=1 if pinned else None, **{k: how[k] for k in ("headers", "body", "depth")})  # noqa: E731
        run(1)
        pids = server.pids()
        before = account.cpu_ns(pids)
        done = run(seconds)
        return (account.cpu_ns(pids) - before) / 1000 / done.requests
    finally:
        server.stop()


STUDIES = {"memory": memory, "birth": birth, "queue": queue, "spread": spread, "growth": growth}
