"""Threads as the application sees them, and how requests come to them."""

import contextlib
import time
from pathlib import Path

import pytest
from support.client import Closed, request_bytes
from support.holding import Held
from support.load import Load
from support.together import at_once
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn's threads are those of a pool")


def test_they_have_names_and_python_knows_them(serve):
    server = serve("crew", "--threads", 3)
    seen = server.get("/name").json
    assert seen["name"] in seen["all"] and seen["daemon"]
    assert seen["all"] == ["MainThread", "rcorn-1", "rcorn-2", "rcorn-3"]


def test_as_many_requests_as_threads_run_at_once(serve):
    server = serve("crew", "--threads", 4)
    answers = at_once(4, lambda _: server.get("/meet"))
    assert sorted(answer.json for answer in answers) == ["rcorn-1", "rcorn-2", "rcorn-3", "rcorn-4"]


def test_requests_of_one_connection_follow_each_other(serve):
    server = serve("crew", "--threads", 4)
    with server.connect() as connection:
        connection.send(request_bytes("/sleeps?s=0.3") + request_bytes("/") + request_bytes("/sleeps?s=0.1") + request_bytes("/"))
        assert [connection.response().json for _ in range(4)] == ["slept 0.3", "hello", "slept 0.1", "hello"]


def test_a_slow_request_holds_up_nobody(serve):
    server = serve("crew", "--threads", 2)
    with server.connect() as slow:
        slow.send(request_bytes("/sleeps?s=1"))
        begin = time.monotonic()
        assert all(server.get("/").json == "hello" for _ in range(20))
        assert time.monotonic() - begin < 0.9
        assert slow.response().json == "slept 1"


def test_threads_share_the_interpreter(serve):
    """One that computes all the time does not keep the others from their work."""
    server = serve("crew", "--threads", 2)
    with server.connect() as busy:
        busy.send(request_bytes("/spins?s=2"))
        begin = time.monotonic()
        assert all(server.get("/").json == "hello" for _ in range(20))
        assert time.monotonic() - begin < 1.8
        assert busy.response().json == "span"


def test_what_a_thread_remembers_stays(serve):
    server = serve("crew", "--threads", 2)
    counts = {}
    for _ in range(30):
        name, local, variable = server.get("/count").json
        assert local == variable == counts.get(name, 0) + 1
        counts[name] = local
    assert sum(counts.values()) == 30


def test_more_requests_than_threads_wait(serve):
    server = serve("crew", "--threads", 2)
    begin = time.monotonic()
    answers = at_once(6, lambda _: server.get("/sleeps?s=0.3"))
    assert all(answer.json == "slept 0.3" for answer in answers)
    assert 0.85 < time.monotonic() - begin < 3


def test_a_worker_whose_threads_are_busy_leaves_connections_to_others(serve):
    """Three requests on two workers with two threads each: one worker has a thread that is free."""
    server = serve("plain", "--threads", 2, "--workers", 2)
    with contextlib.ExitStack() as stack:
        for number in range(3):
            stack.enter_context(Held(server, f"held{number}"))
        begin = time.monotonic()
        pids = {server.get("/pid").text for _ in range(40)}
        assert len(pids) == 1 and time.monotonic() - begin < 5


def test_when_all_are_busy_requests_wait_for_the_first_that_is_free(serve):
    server = serve("plain", "--threads", 2, "--workers", 2)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Held(server, f"held{number}")) for number in range(4)]
        waiting = [stack.enter_context(server.connect()) for _ in range(6)]
        for connection in waiting:
            connection.send(request_bytes("/"))
        held[2].release()
        assert all(connection.response().text == "hello" for connection in waiting)


@pytest.mark.alone
def test_slow_applications_are_one_fair_queue(serve):
    """Requests of 50 ms from 16 clients who would keep their connections, on 2 workers with 2 threads each: nobody
    waits much longer than the ideal 16 × 50 / 4 = 200 ms."""
    server = serve("plain", "--workers", 2, "--threads", 2)
    waits = []

    def client(_):
        connection = None
        for _ in range(15):
            connection = connection or server.connect()
            begin = time.monotonic()
            response = connection.request("/sleeps?s=0.05")
            waits.append(time.monotonic() - begin)
            if response.closes:
                connection.close()
                connection = None
        if connection:
            connection.close()

    at_once(16, client)
    settled = sorted(waits[48:])
    late = settled[int(len(settled) * 0.95)]
    assert late < 0.45, f"95 % within {late * 1000:.0f} ms"


def test_what_one_thread_does_wrong_harms_no_other(serve):
    server = serve("crew", "--threads", 2)
    (worker,) = server.wait_for_workers(1)
    for by in ("exit", "interrupt") * 3:
        assert server.get(f"/exits?by={by}").status == 500
    server.wait_for_log("SystemExit: from a thread")
    server.wait_for_log("KeyboardInterrupt: from a thread")
    answers = at_once(2, lambda _: server.get("/sleeps?s=0.1"))
    assert all(answer.status == 200 for answer in answers), "both threads live on"
    assert server.workers() == [worker]


def test_a_client_that_leaves_is_noticed_by_the_next_write(serve):
    server = serve("crew", "--threads", 1, "--worker-class", "gthread")
    with server.connect() as connection:
        connection.send(request_bytes("/drips?count=10000&pause=0.01"))
        connection.head()
        connection.abort()
    begin = time.monotonic()
    assert server.get("/").json == "hello" and time.monotonic() - begin < 5


def test_a_file_is_sent_from_the_thread(serve, directory):
    path = directory / "file"
    path.write_bytes(bytes(range(256)) * 40_000)
    server = serve("crew", "--threads", 4)
    answers = at_once(4, lambda _: server.get(f"/file?path={path}"))
    assert all(answer.body == path.read_bytes() for answer in answers)


def test_a_slow_reader_of_a_large_answer_costs_its_thread_nothing(serve, directory):
    """The answer is whole, so the rest of it is the loop's."""
    path = directory / "file"
    path.write_bytes(b"x" * 30_000_000)
    server = serve("crew", "--threads", 1, "--worker-class", "threads")
    with server.connect() as slow:
        slow.send(request_bytes(f"/file?path={path}"))
        assert slow.head().status == 200
        assert server.get("/").json == "hello"
        assert len(slow.exactly(30_000_000)) == 30_000_000


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_load_is_answered_to_the_last_request(serve, keep_alive):
    server = serve("crew", "--threads", 4)
    with Load(server.address, clients=16, keep_alive=keep_alive) as load:
        wait_until(lambda: load.answered > 3000, "the load runs")
    load.assert_all_answered()


def test_an_idle_worker_stays_quiet(serve):
    server = serve("crew", "--threads", 4)
    (worker,) = server.wait_for_workers(1)
    server.get("/")

    def wakeups():
        statuses = Path(f"/proc/{worker}/task").glob("*/status")
        return sum(int(status.read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0]) for status in statuses)

    before = wakeups()
    stays_true(lambda: wakeups() - before < 15, "a few wake-ups", seconds=3)


def test_a_waiting_client_of_a_crashed_worker_sees_the_end(serve):
    server = serve("plain", "--threads", 4)
    with server.connect() as other:
        other.send(request_bytes("/sleeps?s=60"))
        with server.connect() as connection, pytest.raises(Closed):
            connection.request("/leaves?code=17")
        with pytest.raises(Closed):
            other.response()
    server.wait_for_log(r"exited with code 17 while it was in")
    assert server.get("/").text == "hello"
