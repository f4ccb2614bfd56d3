"""Stopping: what is in flight is finished, what is queued is answered, and what takes too long is cut."""

import os
import signal
import time

import pytest
from support import processes
from support.client import Closed, request_bytes
from support.holding import Held
from support.load import Load
from support.subject import IS_RCORN
from support.waiting import stays_true, wait_until


def is_draining(server):
    """The stop has begun: its listeners are closed or it says so."""
    server.wait_for_log(r"(?i)\[INFO\] (handling signal|.*sigterm|.*stopping|.*shutting down|.*draining)")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_an_idle_server_stops_at_once(serve, number):
    server = serve("plain", "--workers", 3)
    assert server.get("/").text == "hello"
    begin = time.monotonic()
    assert server.stop(number) == 0
    assert time.monotonic() - begin < 3
    assert "Traceback" not in server.log


def test_term_finishes_what_is_in_flight(serve):
    server = serve("plain", "--workers", 2)
    with Held(server) as held:
        server.send(signal.SIGTERM)
        is_draining(server)
        response = held.release().response()
        assert response.status == 200 and response.text.startswith("held")
    assert server.wait() == 0


def test_handlers_of_the_interpreters_end_have_the_time_of_the_drain(serve):
    server = serve("lingers", "--preload=off") if IS_RCORN else serve("lingers")
    assert server.get("/").text == "hello"
    server.send(signal.SIGTERM)
    wait_until((server.directory / "begun").exists, "the handler has begun")
    stays_true(server.is_running, "it takes longer than an end of its own", 1.5)
    (server.directory / "go").touch()
    assert server.wait() == 0
    assert (server.directory / "ended").exists() and "killed" not in server.log


@pytest.mark.rcorn("Gunicorn resets them")
@pytest.mark.parametrize("handed", [True, False], ids=["socket-handed-over", "own-socket"])
def test_term_answers_what_is_in_the_backlog(serve, handed):
    flags = [] if handed else ["--bind", "127.0.0.1:0"]
    server = serve("plain", *flags, handed=handed)
    with Held(server) as held:
        waiting = [server.connect().send(request_bytes(f"/number?n={number}")) for number in range(200)]
        server.send(signal.SIGTERM)
        is_draining(server)
        held.release()
        for number, connection in enumerate(waiting):
            response = connection.response()
            assert response.status == 200 and response.text.split()[0] == str(number)
    assert server.wait() == 0
    for connection in waiting:
        assert connection.rest() == b""
        connection.close()


def test_a_kept_connection_that_is_quiet_delays_no_stop(serve):
    server = serve("plain", "--workers", 2)
    connections = [server.connect() for _ in range(10)]
    for connection in connections:
        connection.request("/")
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 5
    for connection in connections:
        assert connection.is_closed(5)
        connection.close()


@pytest.mark.rcorn("Gunicorn breaks off answers")
def test_load_during_a_stop_is_answered_whole_or_not_at_all(serve):
    """A socket of our own ends with us, so each client may lose the one connection that it makes in the moment of the
    close, or the one kept connection that closes as it sends (RFC 9112, 9.5). None gets half an answer."""
    server = serve("plain", "--workers", 2, "--bind", "127.0.0.1:0", handed=False)
    with Load(server.address, clients=8) as load:
        wait_until(lambda: load.answered > 500, "the load runs")
        server.send(signal.SIGTERM)
        assert server.wait() == 0
    lost = [failure for failure in load.failures if "refused" not in failure[2]]
    assert len(lost) <= 8, lost
    assert all("had b''" in failure[2] or "Reset" in failure[2] or "BrokenPipe" in failure[2] for failure in lost), lost


@pytest.mark.rcorn("Gunicorn resets what it has accepted")
def test_a_restart_on_a_socket_of_systemd_loses_nothing(serve):
    """The socket outlives the server: whoever connects between the two waits in the backlog."""
    first = serve("plain", "--workers", 2)
    with Load(first.address, clients=8, keep_alive=False) as load:
        for _ in range(3):
            load.goes_on(200)
            assert first.stop() == 0
            first = serve("plain", "--workers", 2, listener=first.listener)
    load.assert_all_answered()


def test_after_graceful_timeout_it_is_cut(serve):
    server = serve("plain", "--graceful-timeout", 1)
    with Held(server) as held:
        begin = time.monotonic()
        assert server.stop() == 0
        assert 0.9 < time.monotonic() - begin < 6
        with pytest.raises(Closed):
            held.response()


@pytest.mark.rcorn("Gunicorn's gthread worker waits")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_quick_stop_does_not_wait(serve, number):
    server = serve("plain", "--workers", 2)
    with Held(server):
        begin = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - begin < 5


@pytest.mark.rcorn("Gunicorn's second TERM changes nothing")
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_second_signal_hurries(serve, second):
    server = serve("plain", "--graceful-timeout", 60)
    with Held(server):
        server.send(signal.SIGTERM)
        is_draining(server)
        begin = time.monotonic()
        assert server.stop(second) == 0
        assert time.monotonic() - begin < 5


@pytest.mark.rcorn("Gunicorn's workers print tracebacks")
@pytest.mark.parametrize("state", ["idle", "busy", "importing", "importing in each worker"])
def test_ctrl_c_reaches_every_process_and_is_one_clean_stop(start, state):
    importing = state.startswith("importing")
    preload = "off" if state.endswith("worker") else "auto"
    server = start("gated" if importing else "plain", "--workers", 3, f"--preload={preload}")
    held = None
    if importing:
        wait_until((server.directory / "importing").exists, "the import has begun")
    else:
        server.ready()
    if state == "busy":
        held = Held(server)
    begin = time.monotonic()
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait() == 0
    assert time.monotonic() - begin < 5
    assert "Traceback" not in server.log and "KeyboardInterrupt" not in server.log, server.log
    assert "ERROR" not in server.log and "SIGINT" not in server.log.replace("Handling signal", ""), server.log
    if held:
        held.connection.close()


@pytest.mark.rcorn("Gunicorn's workers are children of the master")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_stop_that_reaches_every_process_is_clean_too(serve, number):
    """`systemctl kill` and many container runtimes signal all processes."""
    server = serve("plain", "--workers", 3)
    for pid in [process.pid for process in server.below()] + [server.pid]:
        processes.send(pid, number)
    assert server.wait() == 0
    assert "Traceback" not in server.log


@pytest.mark.rcorn("Gunicorn has no zygote")
class TestWithoutArbiter:
    """The arbiter is killed: every worker finishes its request and leaves; nothing stays."""

    def kill_arbiter(self, server):
        below = server.below()
        server.send(signal.SIGKILL).wait()
        return below

    def gone(self, below, seconds):
        wait_until(lambda: not any(processes.is_alive(process.pid) for process in below), "all are gone", seconds)

    def test_idle_processes_leave_at_once(self, serve):
        below = self.kill_arbiter(serve("plain", "--workers", 3))
        self.gone(below, seconds=5)

    def test_a_request_in_flight_is_finished(self, serve):
        server = serve("plain", "--workers", 2)
        with Held(server) as held:
            below = self.kill_arbiter(server)
            response = held.release().response()
            assert response.status == 200
        self.gone(below, seconds=5)

    def test_who_is_stuck_is_gone_after_graceful_timeout(self, serve):
        server = serve("plain", "--graceful-timeout", 1)
        with Held(server):
            begin = time.monotonic()
            self.gone(self.kill_arbiter(server), seconds=8)
            assert time.monotonic() - begin > 0.5, "it was given its time"

    @pytest.mark.inline("it looks at the main thread")
    def test_who_never_lets_python_breathe_is_gone_too(self, serve):
        server = serve("plain", "--graceful-timeout", 1)
        with server.connect() as connection:
            connection.send(request_bytes("/busy?s=30"))
            (worker,) = server.workers()
            wait_until(lambda: processes.look_up(worker).state == "R", "the worker is busy")
            self.gone(self.kill_arbiter(server), seconds=8)

    def test_the_next_server_can_listen(self, start, directory):
        path = f"{directory}/app.sock"
        first = start("plain", "--bind", f"unix:{path}", "--workers", 2, handed=False).ready()
        self.gone(self.kill_arbiter(first), seconds=5)
        second = start("plain", "--bind", f"unix:{path}", handed=False).ready()
        assert second.get("/").text == "hello"
