"""One shared listener: the load is spread over the workers, and a busy one does not keep the others idle."""

import threading
import time
from collections import Counter

import pytest
from support.client import Connection, request_bytes
from support.holding import Held
from support.load import Load
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn's kernel lottery promises nothing")


@pytest.mark.alone
def test_kept_connections_are_spread(serve):
    """64 connections over 4 workers: 16 each would be ideal."""
    server = serve("plain", "--workers", 4)
    connections, held = [], Counter()
    for _ in range(64):
        connection = server.connect()
        connections.append(connection)
        held[connection.request("/pid").text] += 1
    for connection in connections:
        connection.close()
    assert len(held) == 4 and max(held.values()) <= 24 and min(held.values()) >= 8, held


@pytest.mark.alone
def test_connections_that_come_at_once_are_spread(serve):
    server = serve("plain", "--workers", 4)
    connections = [server.connect() for _ in range(64)]
    for connection in connections:
        connection.send(request_bytes("/pid"))
    held = Counter(connection.response().text for connection in connections)
    for connection in connections:
        connection.close()
    assert len(held) == 4 and max(held.values()) <= 24 and min(held.values()) >= 8, held


@pytest.mark.alone
def test_all_workers_work_under_load(serve):
    server = serve("plain", "--workers", 4)
    with Load(server.address, clients=16, keep_alive=False) as load:
        wait_until(lambda: load.answered > 1500, "the load runs")
    load.assert_all_answered()
    assert len(load.workers) == 4 and min(load.workers.values()) > load.answered / 40, load.workers


@pytest.mark.inline("one request does not make it busy")
def test_a_busy_worker_is_not_asked(serve):
    """With one of two workers in a long request, every other new connection goes to its idle sibling."""
    server = serve("plain", "--workers", 2)
    with Held(server):
        begin = time.monotonic()
        answering = {server.get("/pid").text for _ in range(100)}
        assert len(answering) == 1 and time.monotonic() - begin < 5


@pytest.mark.inline("one worker has them all")
def test_as_many_slow_requests_as_workers_run_at_once(serve):
    server = serve("plain", "--workers", 3)
    held = []
    try:
        for number in range(3):
            held.append(Held(server, f"slow{number}"))
        pids = [one.release().response().text for one in held]
    finally:
        for one in held:
            one.__exit__()
    assert len(set(pids)) == 3


@pytest.mark.parametrize("seconds", [0.002, 0.012])
def test_who_comes_anew_is_served_although_others_keep_the_worker_busy(serve, seconds):
    """Eight clients on kept connections leave the one worker no idle moment."""
    server = serve("plain", "--workers", 1)
    answered, stopping = [], threading.Event()

    def client():
        with server.connect() as connection:
            while not stopping.is_set():
                answered.append(connection.request(f"/sleeps?s={seconds}").status)

    clients = [threading.Thread(target=client) for _ in range(8)]
    for each in clients:
        each.start()
    try:
        wait_until(lambda: len(answered) > 50, "the worker is busy")
        before = len(answered)
        with server.connect() as newcomer:
            assert newcomer.request("/").status == 200
        assert len(answered) - before < 100, "it waited for many rounds of the others"
    finally:
        stopping.set()
        for each in clients:
            each.join()


@pytest.mark.alone
def test_slow_applications_are_one_fair_queue(serve):
    """Requests of 50 ms from 8 clients who would keep their connections, on 2 workers: nobody waits much longer than
    the ideal 8 × 50 / 2 = 200 ms."""
    server = serve("plain", "--workers", 2)
    waits, stopping = [], threading.Event()

    def client():
        connection = None
        while not stopping.is_set():
            connection = connection or Connection(server.address)
            begin = time.monotonic()
            response = connection.request("/sleeps?s=0.05")
            waits.append(time.monotonic() - begin)
            if response.closes:
                connection.close()
                connection = None

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(waits) >= 120, "120 requests are answered", seconds=30)
    stopping.set()
    for thread in threads:
        thread.join()
    settled = sorted(waits[24:])
    assert settled[int(len(settled) * 0.95)] < 0.4, f"95 % within {settled[int(len(settled) * 0.95)] * 1000:.0f} ms"
