"""Stuck and slow requests: the client hears 504, the log shows where it was, and nobody else notices."""

import os
import signal
import time

import pytest
from support.client import Closed, request_bytes
from support.holding import Held
from support.load import Load
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn tells the client nothing")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_client_of_a_stuck_request_hears_504(serve, method):
    server = serve("plain", "--timeout", 1)
    with server.connect() as connection:
        connection.send(request_bytes("/sleeps?s=60", method))
        response = connection.response(method)
        assert (response.status, response.reason, response.closes) == (504, "Gateway Timeout", True)
        assert response.text == ("" if method == "HEAD" else "the application did not answer within time.\n")
        assert connection.rest() == b""
    line = server.wait_for_log(r"WORKER TIMEOUT worker 1 \(pid \d+\): \d\.\d s in \"(\w+ \S+) [^\n]* from 127.0.0.1:\d+")
    assert line[1] == f"{method} /sleeps?s=60"
    server.wait_for_stack(r'File "[^"]*plain.py", line \d+ in sleeps')
    assert server.get("/").text == "hello"


def becomes(server, source):
    """Another application takes over."""
    (server.directory / "plain.py").write_text(source)
    server.send(signal.SIGHUP)
    server.wait_for_log("reloaded")


def test_it_works_while_c_code_holds_the_interpreter(serve):
    """`re` backtracks for ever in C, without letting go of the lock."""
    server = serve("plain", "--timeout", 1)
    becomes(
        server,
        "import re\n"
        "def application(environ, start_response):\n"
        "    re.match('(a+)+$', 'a' * 64 + 'b')\n",
    )
    assert server.get("/").status == 504
    server.wait_for_stack(r'File "[^"]*plain.py", line 3 in application')


def test_a_thread_that_never_lets_go_of_the_interpreter(serve):
    """No request is inside the application, and none can be served."""
    server = serve("plain", "--timeout", 1)
    becomes(
        server,
        "import re, threading\n"
        "def application(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/hogs':\n"
        "        threading.Timer(0.2, lambda: re.match('(a+)+$', 'a' * 64 + 'b')).start()\n"
        "    start_response('200 OK', [])\n"
        "    return [b'hello']\n",
    )
    assert server.get("/hogs").text == "hello"
    server.wait_for_log(r"WORKER TIMEOUT worker 1 [^\n]*: no sign of life for [12] s, outside of any request; it is replaced")
    server.wait_for_stack(r'File "[^"]*plain.py", line 4 in <lambda>')
    with server.explained():
        wait_until(lambda: is_served(server), "the new worker serves")


def is_served(server):
    try:
        return server.get("/", timeout=1).text == "hello"
    except (Closed, OSError, AssertionError):
        return False


def test_a_worker_that_was_stopped_is_replaced(serve):
    server = serve("plain", "--timeout", 1, "--workers", 2)
    stopped, other = server.wait_for_workers(2)
    os.kill(stopped, signal.SIGSTOP)
    server.wait_for_log(rf"WORKER TIMEOUT worker \d \(pid {stopped}\): no sign of life")
    with server.explained():
        wait_until(lambda: len(server.workers()) == 2 and stopped not in server.workers(), "another took its place")
    assert other in server.workers()


def test_quiet_workers_are_not_taken_for_stuck(serve):
    server = serve("plain", "--timeout", 1, "--workers", 2)
    workers = server.wait_for_workers(2)
    stays_true(lambda: server.workers() == workers, "nobody is replaced", seconds=4)


def test_a_server_that_was_frozen_as_a_whole_wakes_up_as_it_was(serve):
    server = serve("plain", "--timeout", 1, "--workers", 2)
    workers = server.wait_for_workers(2)
    everyone = [server.pid, *(process.pid for process in server.below())]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in everyone:
            os.kill(pid, number)
        time.sleep(4 if number == signal.SIGSTOP else 0)  # longer than any limit
    assert server.get("/").text == "hello"
    stays_true(lambda: server.workers() == workers, "nobody is replaced", seconds=3)


def test_who_has_got_a_byte_hears_no_second_answer(serve):
    server = serve("plain", "--timeout", 1)
    with server.connect() as connection:
        connection.send(request_bytes("/stream"))
        assert connection.head().status == 200
        assert connection.chunk() == b"first"
        with pytest.raises(Closed):
            connection.chunk()
    server.wait_for_log("WORKER TIMEOUT")


def test_the_other_worker_serves_all_the_time(serve):
    server = serve("plain", "--timeout", 2, "--workers", 2)
    # Inside before the load begins: what a worker has accepted before it got stuck goes down with it.
    with Held(server) as held:
        with Load(server.address, clients=2, keep_alive=False) as load:
            assert held.response().status == 504
            before = load.answered
            wait_until(lambda: load.answered > before + 100, "the load goes on")
        load.assert_all_answered()
    assert load.slowest < 5


def test_request_timeout_counts_progress_for_nothing(serve):
    server = serve("plain", "--timeout", 30, "--request-timeout", 1)
    with server.connect() as connection:
        connection.send(request_bytes("/drips?count=100&pause=0.1"))
        with pytest.raises(Closed):
            connection.response()
    server.wait_for_log(r"WORKER TIMEOUT worker 1 [^\n]*/drips")
    assert server.get("/sleeps?s=60").status == 504


def test_a_slow_request_is_shown_and_goes_on(serve):
    server = serve("plain", "--slow-request", "300ms")
    (worker,) = server.wait_for_workers(1)
    assert server.get("/sleeps?s=2").text == str(worker)
    server.wait_for_log(r"\[WARNING\] slow request worker 1 [^\n]*GET /sleeps\?s=2[^\n]*; it goes on")
    server.wait_for_stack(r'File "[^"]*plain.py", line \d+ in sleeps')
    assert server.log.count("slow request") == 1
    assert server.workers() == [worker]


def test_a_quick_request_is_not_shown(serve):
    server = serve("plain", "--slow-request", "2")
    assert server.get("/sleeps?s=0.1").status == 200
    stays_true(lambda: "slow request" not in server.log, "nothing is slow", seconds=1)


def test_the_last_request_of_a_worker_that_died_is_told(serve):
    server = serve("plain")
    with server.connect() as connection, pytest.raises(Closed):
        connection.request("/leaves?code=17")
    server.wait_for_log(r'worker 1 \(pid \d+\) exited with code 17 while it was in "GET /leaves\?code=17 HTTP/1.1" from')
    begin = time.monotonic()
    assert server.get("/").text == "hello" and time.monotonic() - begin < 10
