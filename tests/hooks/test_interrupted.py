"""A worker that is told to leave at once while its hooks have it begin."""

import os
import re
import signal

import pytest
from support.waiting import wait_until

SLOW = """
import time

def post_fork(server, worker):
    begin(worker, "post_fork")

def post_worker_init(worker):
    begin(worker, "post_worker_init")
    print("begun", worker.age, worker.pid, flush=True)

def begin(worker, hook):
    if worker.age == 2 and hook == {hook!r}:
        print("slow", worker.age, worker.pid, flush=True)
        time.sleep(30)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("hook", ["post_fork", "post_worker_init"])
def test_is_no_failure_of_the_hook(hooked, hook, number):
    server = hooked("rcorn", "-w", 1, settings=SLOW.format(hook=hook)).server

    def told(what):
        return int(wait_until(lambda: re.search(rf"{what} (\d+)\n", server.output), f"a worker says {what}")[1])

    os.kill(told("begun 1"), signal.SIGTERM)
    os.kill(told("slow 2"), number)
    told("begun 3")
    assert "has failed" not in server.log and "Traceback" not in server.log, server.log
