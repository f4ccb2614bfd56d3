"""gevent workers: requests that wait do not hold up others, and what a worker promises holds for greenlets as well."""

import os
import re
import signal
import socket
import threading
import time

import pytest
from support import processes
from support.client import request_bytes
from support.load import Load
from support.server import call
from support.together import at_once
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("about rcorn's own worker")


@pytest.fixture
def green(serve):
    return lambda *flags, app="greens": serve(app, "--worker-class", "gevent", *flags)


def test_a_thousand_requests_wait_in_one_worker(green):
    server = green()
    connections = [server.connect() for _ in range(1000)]
    for connection in connections:
        connection.send(request_bytes("/meet?all=1000"))
    assert all(connection.response().json == "met" for connection in connections)
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("preload", ["on", "off"])
def test_the_library_is_patched_before_the_application_is_imported(green, preload):
    server = green(f"--preload={preload}")
    assert server.get("/patched").json[:3] == ["gevent._socket3", True, True]


def test_greenlets_have_their_own_locals(green):
    server = green()
    answers = at_once(8, lambda number: server.get(f"/local?value={number}").json)
    assert answers == [[None, str(number)] for number in range(8)]


def test_slow_upstream_calls_wait_side_by_side(green):
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        def answer():
            # Nobody is answered before all have asked.
            asked = [upstream.accept()[0] for _ in range(20)]
            for connection in asked:
                with connection:
                    connection.sendall(b"at last")

        thread = threading.Thread(target=answer)
        thread.start()
        server = green()
        port = upstream.getsockname()[1]
        assert at_once(20, lambda _: server.get(f"/upstream?port={port}").json) == ["at last"] * 20
        thread.join()


def test_bodies_flow_both_ways(green):
    server = green()
    with server.connect() as connection:
        # As much as is waited for, and no end yet.
        connection.send(b"POST /first HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n12000\r\n" + b"x" * 0x12000 + b"\r\n")
        connection.head()
        assert connection.chunk() == b"x" * 100
        connection.send(b"4\r\n end\r\n0\r\n\r\n")
        assert connection.chunk().endswith(b"x end")
    with server.connect() as connection:
        connection.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\nExpect: 100-continue\r\n\r\n")
        assert connection.head().status == 100
        connection.send(b"x" * 3_000_000)
        assert connection.response().json == 3_000_000


def test_a_client_that_reads_slowly_holds_up_nobody(green):
    server = green()
    with server.connect() as slow:
        slow.send(request_bytes("/stream?pieces=400"))
        slow.exactly(1000)
        (worker,) = server.wait_for_workers(1)
        assert all(server.get("/most").status == 200 for _ in range(20))
        assert processes.resident_kib(worker) < 100_000, "what is not read is not made"
        slow.exactly(400 * 65536)
    assert server.get("/most").status == 200


@pytest.mark.parametrize("leaves", ["abort", "close"])
def test_a_client_that_leaves_ends_its_request(green, leaves):
    """Its greenlet waits for room then, which there never will be."""
    server = green("--access-logfile", "-")
    (worker,) = server.wait_for_workers(1)
    before = len(os.listdir(f"/proc/{worker}/fd"))
    for _ in range(10):
        with server.connect() as connection:
            connection.send(request_bytes("/stream?pieces=400"))
            connection.exactly(1000)
            getattr(connection, leaves)()
    wait_until(lambda: server.output.count("/stream?pieces=400") == 10, "all have ended")
    wait_until(lambda: len(os.listdir(f"/proc/{worker}/fd")) <= before, "their sockets are closed")


def test_a_worker_that_never_waits_is_replaced(green):
    server = green("--timeout", 2)
    (worker,) = server.wait_for_workers(1)
    with server.connect() as connection:
        connection.send(request_bytes("/block?s=120"))
        server.wait_for_log(r'File "[^"]*greens.py", line \d+ in do_block', seconds=30)
        with server.explained():
            wait_until(lambda: worker not in server.workers(), "it is replaced", seconds=30)
    assert server.get("/most").status == 200


def test_the_stacks_of_a_worker_have_its_greenlets(green, directory):
    socket_file = directory / "control"
    server = green("--control-socket", socket_file)
    with server.connect() as connection:
        connection.send(request_bytes("/sleep?s=60"))
        wait_until(lambda: server.get("/most").json >= 1, "it sleeps")
        shown = call("--socket", socket_file, "stacks", directory=directory, program="rcornctl").out
        assert re.search(r'Greenlet \S+ \(GET /sleep\?s=60\) \(most recent call first\):\n(  File .*\n)+  File "[^"]*greens.py", line \d+ in do_sleep', shown), shown


def test_a_slow_request_tells_where_it_waits(green):
    server = green("--slow-request", "0.2")
    assert server.get("/sleep?s=0.5").json == "slept"
    server.wait_for_log(r'slow request: 0\.200 s in "GET /sleep\?s=0.5 HTTP/1\.1" from 127\.0\.0\.1:\d+; it goes on\nGreenlet .*\n(  File .*\n)+  File "[^"]*greens.py", line \d+ in do_sleep')
    assert server.log.count("slow request") == 1


def test_a_request_that_takes_too_long_is_504(green):
    server = green("--request-timeout", "0.4")
    (worker,) = server.wait_for_workers(1)
    with server.connect() as stuck, server.connect() as streaming:
        stuck.send(request_bytes("/sleep?s=60"))
        streaming.send(request_bytes("/drips"))
        assert stuck.response().status == 504
        assert streaming.head().status == 200
        assert b"0\r\n\r\n" not in streaming.rest(), "broken off, and not whole"
    server.wait_for_log(r'REQUEST TIMEOUT: 0\.400 s in "GET /sleep\?s=60 HTTP/1\.1" from 127\.0\.0\.1:\d+; it is cancelled')
    assert server.get("/patched").json[3] == worker and "Traceback" not in server.log


def test_one_that_waits_is_not(green):
    server = green("--timeout", 1)
    assert server.get("/sleep?s=4").json == "slept"


def test_an_exit_is_an_error_of_its_request(green):
    server = green()
    (worker,) = server.wait_for_workers(1)
    assert server.get("/exit").status == 500
    server.wait_for_log("Error handling request GET /exit")
    assert server.get("/patched").json[3] == worker


def test_a_stop_finishes_what_is_in_flight(green):
    server = green()
    with server.connect() as connection:
        connection.send(request_bytes("/sleep?s=1.5"))
        wait_until(lambda: server.get("/most").json >= 1, "it sleeps")
        server.send(signal.SIGTERM)
        assert connection.response().json == "slept"
    assert server.wait() == 0


def test_who_has_nothing_to_do_leaves_at_once(green):
    # Without a limit nothing else wakes the loop.
    server = green("--workers", 2, "--timeout", 0)
    assert server.get("/most").status == 200
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 10, "and not when the time for the drain is over"


def test_an_interrupt_does_not_wait(green):
    server = green()
    with server.connect() as connection:
        connection.send(request_bytes("/sleep?s=60"))
        wait_until(lambda: server.get("/most").json >= 1, "it sleeps")
        begin = time.monotonic()
        server.send(signal.SIGINT)
        assert server.wait() == 0 and time.monotonic() - begin < 10


@pytest.mark.parametrize("keep_alive", [True, False])
def test_reloads_lose_nothing(green, keep_alive):
    server = green("--workers", 2, app="plain")
    with Load(server.address, keep_alive=keep_alive) as load:
        for generation in range(2, 7):
            server.send(signal.SIGHUP)
            server.wait_for_log(f"reloaded: generation {generation}")
    load.assert_all_answered()


def test_a_reload_changes_the_class(serve, directory):
    (directory / "app.toml").write_text('worker_class = "sync"\n')
    server = serve("plain", "--config", directory / "app.toml")
    with Load(server.address) as load:
        (directory / "app.toml").write_text('worker_class = "gevent"\n')
        server.send(signal.SIGHUP)
        server.wait_for_log("reloaded: generation 2")
    load.assert_all_answered()
    server.wait_for_workers(1)
    # Sleeping requests wait side by side now.
    begin = time.monotonic()
    at_once(10, lambda _: server.get("/sleeps?s=1"))
    assert time.monotonic() - begin < 9, "one after the other takes ten"


def test_without_gevent_a_sentence_says_so(start, directory):
    (directory / "gevent.py").write_text("raise ImportError('No module named gevent')\n")
    server = start("plain", "--worker-class", "gevent", "--pythonpath", directory)
    assert server.wait() == 1
    server.wait_for_log("worker_class is gevent, which this interpreter cannot use: No module named gevent: install gevent there")


def test_many_requests_leave_nothing_behind(green):
    server = green(app="plain")
    (worker,) = server.wait_for_workers(1)

    def size():
        return processes.resident_kib(worker), len(os.listdir(f"/proc/{worker}/fd"))

    for number, clients in enumerate([4, 4, 4]):
        with Load(server.address, clients=clients, most=3000) as load:
            wait_until(lambda load=load: load.sent >= 3000 or load.failures, "the load is done", seconds=60)
        load.assert_all_answered()
        if number == 0:
            before = size()
    wait_until(lambda: size()[1] <= before[1], "no more is open than before")
    assert size()[0] - before[0] < 3000, (before, size())
