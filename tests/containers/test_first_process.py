"""As process 1: it reaps, it passes on, it leaves with the right code, and no signal finds it unprepared."""

import os
import signal

import pytest
from support.holding import Held
from support.waiting import stays_true, wait_until


@pytest.fixture
def container(contain):
    container = contain("plain", "--workers", 2)
    container.server.ready()
    return container


def test_it_is(container):
    assert "[1] [INFO] Listening at" in container.server.log


def test_orphans_are_reaped(container):
    for _ in range(20):
        assert container.server.get("/leaves-a-child").status == 200
    wait_until(lambda: not container.zombies(), "nobody waits to be reaped")
    assert container.server.get("/").text == "hello"


def test_term_drains(container):
    with Held(container.server) as held:
        container.send(signal.SIGTERM).wait_for_log("stopping")
        stays_true(container.server.is_running, "it waits for the request", seconds=0.2)
        assert held.release().response().status == 200
    assert container.server.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_others_are_quick(container, number):
    with Held(container.server):
        assert container.send(number).wait(5) == 0


def test_hup_reloads(container):
    old = container.server.wait_for_workers(2)
    container.send(signal.SIGHUP).wait_for_log("reloaded: generation 2")
    wait_until(lambda: not set(container.server.workers()) & set(old), "the old workers have left")
    assert container.server.get("/").text == "hello"
    assert container.send(signal.SIGTERM).wait() == 0


def test_a_worker_that_is_killed_is_replaced(container):
    old = container.server.wait_for_workers(2)
    os.kill(old[0], signal.SIGKILL)
    container.server.wait_for_log("was killed by SIGKILL; restarting")
    wait_until(lambda: len(set(container.server.workers()) - set(old)) == 1, "there is another")
    wait_until(lambda: not container.zombies(), "it was reaped")


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGPIPE, signal.SIGVTALRM, signal.SIGIO, signal.SIGABRT])
def test_what_the_kernel_keeps_from_process_1_does_no_harm(container, number):
    container.send(number)
    assert container.server.get("/").text == "hello"
    assert container.send(signal.SIGTERM).wait() == 0


@pytest.mark.parametrize(
    "words, code",
    [(["broken"], 3), (["broken:nothing"], 3), (["plain:nothing"], 4), (["--wrokers=1", "plain"], 2), (["--user=nobody-there", "plain"], 1)],
)
def test_the_exit_code_is_rcorns(contain, words, code):
    assert contain("broken", *words, call="").server.wait() == code
