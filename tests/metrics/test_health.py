"""/live and /ready: answered by the arbiter whatever the workers do, and right about them."""

import os
import signal
import threading
import time

import pytest
from support.client import Closed
from support.holding import Held
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn has no such paths")


def test_both_answer_at_once_while_every_worker_is_stuck(metered):
    metered = metered("plain", "--workers", 2)
    with Held(metered.server, "one"), Held(metered.server, "two"):
        times = []
        for _ in range(20):
            begin = time.monotonic()
            assert metered.ask("/live").status == metered.ask("/ready").status == 200
            times.append(time.monotonic() - begin)
        assert metered.scrape()("rcorn_workers", state="busy") == 2
        assert min(times) < 0.1, "what is slower had to wait for the machine"


def test_by_head_too(metered):
    metered = metered()
    for target in ("/live", "/ready", "/metrics"):
        answer = metered.ask(target, "HEAD")
        assert (answer.status, answer.body) == (200, b"") and int(answer.header("Content-Length")) > 0


def test_not_ready_before_the_application_is_imported(metered):
    metered = metered("gated", "--workers", 2, ready=False)
    wait_until((metered.server.directory / "importing").exists, "it is being imported")
    answer = metered.ask("/ready")
    assert (answer.status, answer.text) == (503, "booting: no generation serves yet\n")
    assert metered.ask("/live").status == 200 and metered.scrape()("rcorn_ready") == 0
    (metered.server.directory / "import-may-end").touch()
    metered.server.ready()
    answer = metered.ask("/ready")
    assert (answer.status, answer.text) == (200, "ready: generation 1, 2 workers\n")
    assert metered.scrape()("rcorn_ready") == 1


def test_not_ready_from_the_first_moment_of_a_stop(metered):
    metered = metered("plain", "--workers", 2)
    with Held(metered.server) as held:
        metered.server.send(signal.SIGTERM).wait_for_log("stopping: ")
        answer = metered.ask("/ready")
        assert (answer.status, answer.text) == (503, "stopping\n")
        assert metered.ask("/live").status == 200 and metered.scrape()("rcorn_ready") == 0
        held.release()
        assert held.response().status == 200
    assert metered.server.wait() == 0


def test_not_ready_and_not_alive_when_no_worker_can_be_started(metered, directory):
    doom = directory / "doom"
    metered = metered("doomed", "--workers", 1, "--preload=off", env={"DOOM": doom})
    assert metered.ask("/ready").status == 200
    doom.touch()
    (worker,) = metered.server.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: metered.ask("/ready").status == metered.ask("/live").status == 503, "it is not well")
    assert metered.ask("/ready").text == "no worker of generation 1 is ready\n"
    doom.unlink()
    wait_until(lambda: metered.ask("/ready").status == metered.ask("/live").status == 200, "it is well again")


def test_a_reload_is_no_reason_not_to_be_ready(metered):
    """Neither the answer nor the connection may be lost, whichever moment it is asked in."""
    metered = metered("plain", "--workers", 2)
    address, over, answers, lost = metered.address, threading.Event(), [], []
    metered.fixed = address

    def ask():
        while not over.is_set():
            try:
                answers.append(metered.ask("/ready").status)
            except (OSError, Closed) as error:
                lost.append(error)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    for generation in range(2, 12):
        metered.server.send(signal.SIGHUP).wait_for_log(f"reloaded: generation {generation}")
    wait_until(lambda: len(answers) > 50 or lost, "there are enough answers")
    over.set()
    for asker in askers:
        asker.join()
    assert set(answers) == {200}
    assert not lost, f"{len(lost)} of {len(answers)}: {lost[:3]}"
