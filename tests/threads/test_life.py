"""The life of a threaded worker: stuck requests, reloads, stops, limits; what the operator sees of it."""

import contextlib
import os
import re
import signal
import subprocess
import time

import pytest
from support.client import Closed, request_bytes
from support.holding import Held
from support.load import Load
from support.subject import binaries
from support.together import at_once
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn's threads have no time limit of their own")


def test_the_client_of_a_stuck_thread_hears_504_and_the_others_their_answers(serve):
    server = serve("plain", "--threads", 3, "--timeout", 1)
    (worker,) = server.wait_for_workers(1)
    with server.connect() as stuck, server.connect() as other:
        stuck.send(request_bytes("/sleeps?s=60"))
        with Held(server) as held:
            # Each piece is progress, so this one is not stuck however long it takes.
            other.send(request_bytes("/drips?count=40&pause=0.1"))
            response = stuck.response()
            assert (response.status, response.reason, response.closes) == (504, "Gateway Timeout", True)
            assert response.text == "the application did not answer within time.\n"
            held.release()
            assert held.response().status in (200, 504), "released at the last moment, or stuck as well"
        assert other.response().status == 200
    server.wait_for_log(r"WORKER TIMEOUT worker 1 \(pid \d+\): \d\.\d s in \"GET /sleeps\?s=60 [^\n]* from 127.0.0.1:\d+; it is replaced")
    # Its own first, then those of all threads.
    server.wait_for_stack(r'Stack \(most [^\n]*\n(  File [^\n]*\n)*  File "[^"]*plain.py", line \d+ in sleeps\n(  File [^\n]*\n)*\n*(Current thread|Thread) ')
    with server.explained():
        wait_until(lambda: worker not in server.workers(), "it has left without waiting for what is stuck", seconds=10)
    assert server.get("/").text == "hello"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_all_stuck_threads_answer(serve, method):
    server = serve("plain", "--threads", 3, "--timeout", 1)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(3)]
        for connection in connections:
            connection.send(request_bytes("/sleeps?s=60", method))
        assert [connection.response(method).status for connection in connections] == [504] * 3
        assert all(connection.rest() == b"" for connection in connections)
    assert server.get("/").text == "hello"


def test_who_has_got_a_byte_hears_no_second_answer(serve):
    server = serve("crew", "--threads", 2, "--timeout", 1)
    with server.connect() as connection:
        connection.send(request_bytes("/torn"))
        assert connection.head().status == 200
        assert connection.chunk() == b"begun"
        with pytest.raises(Closed):
            connection.chunk()
    server.wait_for_log("WORKER TIMEOUT")


def test_a_stream_that_takes_too_long_has_its_access_line(serve):
    # Its thread ends in the time that the worker has for its farewell: nobody else can tell of it.
    server = serve("plain", "--threads", 2, "--request-timeout", 1, "--access-logfile", "-")
    with server.connect() as connection:
        connection.send(request_bytes("/drips?count=600&pause=0.1"))
        line = r'"GET /drips\S+ HTTP/1.1" 200 \d+ "-" "-" "the application did not answer in time"'
        wait_until(lambda: re.search(line, server.output), "there is its line")
    assert server.output.count("GET /drips") == 1


def test_another_worker_serves_while_the_stuck_one_finishes(serve):
    server = serve("plain", "--threads", 2, "--timeout", 1, "--workers", 2)
    with server.connect() as stuck:
        stuck.send(request_bytes("/sleeps?s=60"))
        with Load(server.address, clients=4) as load:
            assert stuck.response().status == 504
            before = load.answered
            wait_until(lambda: load.answered > before + 100, "the load goes on")
        load.assert_all_answered()


def test_c_code_that_holds_the_interpreter_is_found(serve, directory):
    (directory / "hog.py").write_text(
        "import re\n"
        "def app(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/hogs':\n"
        "        re.match('(a+)+$', 'a' * 64 + 'b')\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    server = serve(None, "--threads", 2, "--timeout", 1, "--pythonpath", directory, "--graceful-timeout", 2, call="hog:app")
    assert server.get("/hogs").status == 504
    server.wait_for_stack(r'File "[^"]*hog.py", line 4 in app')
    assert server.get("/").status == 200


def test_a_slow_request_is_shown_once_for_each_thread(serve):
    server = serve("plain", "--threads", 2, "--slow-request", "300ms")
    answers = at_once(2, lambda number: server.get(f"/sleeps?s={2 + number}"))
    assert [answer.status for answer in answers] == [200, 200]
    server.wait_for_log("slow request", count=2)
    assert server.log.count("slow request") == 2


def test_reloads_under_load_lose_nothing(serve):
    server = serve("plain", "--threads", 4, "--workers", 2)
    old = server.wait_for_workers(2)
    with Load(server.address, clients=8) as kept, Load(server.address, clients=4, keep_alive=False) as fresh:
        for turn in range(1, 5):
            server.send(signal.SIGHUP)
            server.wait_for_log("reloaded: generation", count=turn)
        before = kept.answered
        wait_until(lambda: kept.answered > before + 500, "the load goes on")
    kept.assert_all_answered()
    fresh.assert_all_answered()
    with server.explained():
        wait_until(lambda: not set(old) & set(server.workers()), "the old workers have left")


def test_a_reload_lets_every_thread_finish(serve):
    server = serve("plain", "--threads", 3)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Held(server, f"held{number}")) for number in range(3)]
        server.send(signal.SIGHUP)
        server.wait_for_log("reloaded")
        assert server.get("/").text == "hello"
        for one in held:
            assert one.release().response().status == 200
    server.wait_for_log(r"worker 1 \(pid \d+\) left")


def test_a_stop_lets_every_thread_and_what_waits_finish(serve):
    server = serve("plain", "--threads", 2)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Held(server, f"held{number}")) for number in range(2)]
        waiting = stack.enter_context(server.connect())
        waiting.send(request_bytes("/"))
        server.send(signal.SIGTERM)
        server.wait_for_log("stopping")
        assert all(one.release().response().status == 200 for one in held)
        assert waiting.response().text == "hello"
    assert server.wait() == 0


def test_a_stop_ends_the_interpreter_as_usual(serve):
    server = serve("crew", "--threads", 3)
    server.get("/")
    server.send(signal.SIGTERM)
    assert server.wait() == 0
    assert server.log.count("the exit handlers ran") >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_quick_stop_waits_for_nobody(serve, number):
    server = serve("crew", "--threads", 3)
    with server.connect() as one, server.connect() as other:
        one.send(request_bytes("/sleeps?s=60"))
        other.send(request_bytes("/spins?s=60"))
        assert server.get("/").json == "hello"
        begin = time.monotonic()
        server.send(number)
        server.wait()
        assert time.monotonic() - begin < 5
    server.wait_for_log("the exit handlers ran")
    assert "Fatal" not in server.log and "Traceback" not in server.log


def test_ctrl_c_at_a_terminal(serve):
    """The terminal sends the signal to every process at once."""
    server = serve("crew", "--threads", 3)
    with server.connect() as one:
        one.send(request_bytes("/sleeps?s=60"))
        assert server.get("/").json == "hello"
        os.killpg(server.pid, signal.SIGINT)
        server.wait()
    assert "Fatal" not in server.log and "Traceback" not in server.log


def test_max_requests_replaces_the_worker_and_loses_nothing(serve):
    server = serve("plain", "--threads", 4, "--max-requests", 200)
    with Load(server.address, clients=8) as load:
        wait_until(lambda: len(load.workers) > 3, "three were replaced")
    load.assert_all_answered()


def test_status_shows_every_thread(serve, directory):
    control = directory / "control.sock"
    server = serve("plain", "--threads", 3, "--control-socket", control)
    with Held(server, "one"), Held(server, "two"):
        said = rcornctl(control, "status")
        assert re.search(r"busy 2/3 ", said), said
        assert re.search(r"GET /hold\?name=one HTTP/1.1 for [^\n]* from 127.0.0.1:\d+, and 1 more\n", said), said
    wait_until(lambda: "idle 0/3" in rcornctl(control, "status"), "all are free")


def rcornctl(socket, *arguments):
    command = [binaries() / "rcornctl", "--socket", socket, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def test_stacks_show_every_thread(serve, directory):
    control = directory / "control.sock"
    server = serve("plain", "--threads", 3, "--control-socket", control)
    with Held(server):
        said = rcornctl(control, "stacks", "1")
    assert said.count("most recent call first") == 4 and "in hold" in said


def test_idle_timeout_counts_requests_in_threads(serve):
    server = serve("plain", "--threads", 2, "--idle-timeout", 1)
    with Held(server):
        stays_true(server.is_running, "a request is something to do", seconds=2)
    assert server.wait() == 0


def test_nothing_grows(serve):
    server = serve("plain", "--threads", 4)
    (worker,) = server.wait_for_workers(1)

    def some(_):
        for _ in range(250):
            with server.connect() as connection:
                for path in ("/", "/pieces?size=100&count=20", "/raises-late"):
                    with contextlib.suppress(Closed):
                        connection.request(path)
                        continue
                    break
            assert server.request("/digest", "POST", body=b"x" * 100_000).status == 200

    at_once(4, some)
    before = (descriptors(worker), resident(worker))
    at_once(4, some)
    wait_until(lambda: descriptors(worker) <= before[0] + 1, "descriptors are given back")
    assert resident(worker) - before[1] < 2 << 20


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


FLASK = """
import threading, time
from flask import Flask, g, request
app = Flask(__name__)

@app.route("/slow/<int:number>")
def slow(number):
    g.number = number
    time.sleep(0.2)
    return f"{g.number} {request.args['n']} {threading.current_thread().name}"

@app.route("/upload", methods=["POST"])
def upload():
    return str(len(request.files["file"].read()))
"""


def test_flask(serve, directory):
    (directory / "shop.py").write_text(FLASK)
    server = serve(None, "--threads", 8, "--pythonpath", directory, call="shop:app")
    begin = time.monotonic()
    answers = at_once(16, lambda number: server.get(f"/slow/{number}?n={number}").text.split())
    assert time.monotonic() - begin < 2, "eight at a time"
    assert all(answer[:2] == [str(number)] * 2 for number, answer in enumerate(answers))
    assert len({answer[2] for answer in answers}) == 8
    body = b"--x\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n" + b"y" * 3_000_000 + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert server.request("/upload", "POST", headers, body).text == "3000000"
