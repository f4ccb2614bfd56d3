"""A million mixed requests through two workers: `make soak`, or `python -m soak.soak COUNT [FLAG…]` in tests/.

Judged: every request is answered once and with its own number, every call of the application is one that was sent, each
request has one line in the access log, and neither memory nor descriptors grow once the first fifth is through.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from soak.client import run
from support import systemd
from support.server import Server, copy_app
from support.waiting import wait_until

CLIENTS = 4
# What a process may have more at the end than after the first fifth: allocators settle slowly, and a worker that had
# little to do in a short first fifth settles later.
GROWTH_KIB, GROWTH_SHORT_KIB, GROWTH_SHARE = 3000, 6000, 0.06
LONG = 200_000
# Where requests run at the same time, each client may have 3 MiB of its upload in the memory of one worker, twice.
AT_ONCE, GROWTH_AT_ONCE_KIB = {"--threads", "gevent"}, 24_000


def growth(count, flags):
    """How many KiB more a process may have at the end."""
    if AT_ONCE & set(flags):
        return GROWTH_AT_ONCE_KIB
    return GROWTH_KIB if count >= LONG else GROWTH_SHORT_KIB


def soak(count, report=print, more=()):
    directory = Path(tempfile.mkdtemp(prefix="rcorn-"))
    copy_app("soaked", directory)
    access = directory / "access"
    flags = ["--workers", 2, "--access-logfile", access, "--timeout", 60, *more, "soaked"]
    server = Server(directory, flags, listener=systemd.tcp_listener()).ready()
    try:
        return measure(server, access, count, report, growth(count, more))
    finally:
        complaint = server.clean_up()
        shutil.rmtree(directory, ignore_errors=True)
        assert complaint is None, complaint


def measure(server, access, count, report, allowed):
    begin, warm = time.monotonic(), count // 5
    tally, problems = load(server, 0, warm)
    before = sizes(server)
    more, later = load(server, warm, count - warm)
    tally, problems = tally + more, problems + later
    after, took = sizes(server), time.monotonic() - begin
    problems += judge_counts(server, access, tally) + judge_sizes(before, after, allowed)
    rate = int(sum(tally[kind] for kind in ("called", "refused")) / took)
    report(f"soak: {dict(tally)} in {took:.0f} s ({rate} a second), {len(problems)} problems")
    for name in after:
        report(f"  {name:<28} {before.get(name, (0, 0))} -> {after[name]} (KiB resident, descriptors)")
    for problem in problems[:20]:
        report(f"  PROBLEM {problem}")
    return problems


def load(server, first, count):
    share = count // CLIENTS
    with ProcessPoolExecutor(CLIENTS) as pool:
        runs = [pool.submit(run, server.address, (n + 1) * 10**9 + first, share, first + n) for n in range(CLIENTS)]
        results = [result.result() for result in runs]
    return sum((tally for tally, _ in results), Counter()), [problem for _, more in results for problem in more]


def sizes(server):
    """Resident memory and descriptors of every process, once all connections are gone."""

    def quiet():
        return all(len(os.listdir(f"/proc/{pid}/fd")) < 100 for pid in server.workers())

    wait_until(quiet, "the connections are closed", seconds=40)
    found = {}
    for process in [*server.below()]:
        resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4
        found[f"{process.title} {process.pid}"] = (resident, len(os.listdir(f"/proc/{process.pid}/fd")))
    resident = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * 4
    found[f"arbiter {server.pid}"] = (resident, len(os.listdir(f"/proc/{server.pid}/fd")))
    return found


def judge_sizes(before, after, growth):
    problems = [f"{name} is not the same process" for name in set(before) ^ set(after)]
    for name in set(before) & set(after):
        (kib, descriptors), (kib_after, descriptors_after) = before[name], after[name]
        if kib_after - kib > max(growth, kib * GROWTH_SHARE):
            problems.append(f"{name} has grown from {kib} to {kib_after} KiB")
        if descriptors_after > descriptors + 2:
            problems.append(f"{name} has {descriptors_after} descriptors, and had {descriptors}")
    return problems


def judge_counts(server, access, tally):
    counted = {}

    def everyone_was_asked():
        pid, calls = map(int, server.get("/count").text.split())
        counted[pid] = calls
        return len(counted) == 2

    wait_until(everyone_was_asked, "both workers have told their counts", seconds=30)
    problems = []
    # A client that is gone before its request was looked at need not be served.
    calls, sent, aborted = sum(counted.values()), tally["called"], tally["aborted"]
    if not sent - aborted <= calls <= sent:
        problems.append(f"{calls} calls of the application, {sent} requests sent ({aborted} of them aborted)")
    numbers, refused = Counter(), 0
    with access.open() as lines:
        for line in lines:
            if found := re.search(r"[?]n=(\d+) ", line):
                numbers[found[1]] += 1
            elif not re.search(r'/count HTTP/1.1" 200', line):
                refused += 1
    if (several := [number for number, times in numbers.items() if times > 1]) or len(numbers) != calls:
        problems.append(f"{len(numbers)} numbers in the access log for {calls} calls, {len(several)} more than once")
    if refused < tally["refused"]:
        problems.append(f"{refused} lines for {tally['refused']} refused requests")
    return problems


if __name__ == "__main__":
    sys.exit(bool(soak(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, more=sys.argv[2:])))
