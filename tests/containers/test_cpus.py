"""`workers = "auto"` in a control group with a quota, of whichever version this machine has."""

import contextlib
import os
import signal
from pathlib import Path

import pytest
from support.subject import Subject
from support.waiting import wait_until

pytestmark = [
    pytest.mark.rcorn("Gunicorn has no auto"),
    pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs"),
]

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000


class Group:
    """A control group in which CPU time is limited."""

    def __init__(self, place, limit):
        self.place = place
        self.limit = place / limit
        place.mkdir()

    def allow(self, cpus):
        quota = int(cpus * PERIOD)
        self.limit.write_text(f"{quota} {PERIOD}" if self.limit.name == "cpu.max" else str(quota))

    def subject(self):
        enter = f'echo $$ > {self.place}/cgroup.procs && exec "$@"'
        default = Subject.default()
        return Subject(("/bin/sh", "-c", enter, "sh", *default.command), default.python)


@pytest.fixture
def group():
    for parent, limit in [(ROOT, "cpu.max"), (ROOT / "cpu", "cpu.cfs_quota_us"), (ROOT / "cpu,cpuacct", "cpu.cfs_quota_us")]:
        place = parent / f"rcorn-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            group = Group(place, limit)
            if group.limit.exists():
                group.allow(2)
                yield group
                wait_until(lambda: not (place / "cgroup.procs").read_text(), "nobody is left in the group")
                place.rmdir()
                return
            place.rmdir()
    pytest.skip("no control group with a quota can be made here")


def test_the_quota_counts_and_is_read_again(group, start):
    server = start("plain", "--workers", "auto", subject=group.subject()).ready()
    server.wait_for_workers(2)
    group.allow(1.9)
    server.send(signal.SIGHUP).wait_for_log("reloaded: generation 2, 1 worker is ready")
    server.wait_for_workers(1)
    group.allow(0.2)
    server.send(signal.SIGHUP).wait_for_log("reloaded: generation 3, 1 worker is ready")
    assert server.stop() == 0


def test_without_a_quota_the_affinity_counts(start):
    default = Subject.default()
    one = str(min(os.sched_getaffinity(0)))
    subject = Subject(("taskset", "-c", one, *default.command), default.python)
    server = start("plain", "-w", "auto", subject=subject).ready()
    server.wait_for_workers(1)
    assert "1 worker is ready" in server.log
