"""The life of a worker: signals, crashes, replacements, time limits."""

import os
import signal
import time

import pytest
from support import processes
from support.client import Closed, request_bytes
from support.holding import Held
from support.load import Load
from support.waiting import stays_true, wait_until


def names(numbers):
    return [number.name for number in numbers]


def replaced(server, old, count=1):
    """Waits until `old` is gone and `count` workers are there again."""
    with server.explained():
        wait_until(
            lambda: old not in server.workers() and len(server.workers()) == count, f"worker {old} was replaced"
        )


LEAVING = [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT, signal.SIGABRT]
HARMLESS = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU]


@pytest.mark.parametrize("number", LEAVING, ids=names(LEAVING))
def test_signals_that_end_a_worker(serve, number):
    server = serve("plain")
    worker = int(server.get("/pid").text)
    os.kill(worker, number)
    replaced(server, worker)
    assert server.get("/").text == "hello"


def test_term_lets_a_worker_finish(serve):
    server = serve("plain")
    (worker,) = server.wait_for_workers(1)
    with Held(server) as held:
        os.kill(worker, signal.SIGTERM)
        assert held.release().response().text == f"held {worker}"
    replaced(server, worker)


@pytest.mark.rcorn("Gunicorn's gthread worker waits for its threads")
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT, signal.SIGABRT], ids=lambda number: number.name)
def test_quick_signals_cut_the_request(serve, number):
    server = serve("plain")
    (worker,) = server.wait_for_workers(1)
    with Held(server) as held:
        os.kill(worker, number)
        replaced(server, worker)
        try:
            assert held.response().status == 500
        except Closed:
            pass  # what Gunicorn's other workers do


@pytest.mark.rcorn("HUP and USR2 kill Gunicorn's workers")
@pytest.mark.parametrize("number", HARMLESS, ids=names(HARMLESS))
def test_signals_that_harm_no_worker(serve, number):
    server = serve("plain", "--workers", 2)
    workers = server.wait_for_workers(2)
    with Held(server) as held:
        for worker in workers:
            os.kill(worker, number)
        assert held.release().response().status == 200
    assert {server.get("/").status for _ in range(10)} == {200}
    assert server.workers() == workers
    assert "Traceback" not in server.log


@pytest.mark.rcorn("HUP and USR2 kill Gunicorn's workers")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR2], ids=lambda number: number.name)
def test_systemctl_kill_of_all_processes_harms_none(serve, number):
    """`systemctl kill -s HUP`: the arbiter reloads, nobody dies of it."""
    server = serve("plain", "--workers", 2)
    old = server.wait_for_workers(2)
    with Load(server.address, clients=4) as load:
        wait_until(lambda: load.answered > 100, "the load runs")
        for pid in [*(process.pid for process in server.below()), server.pid]:
            os.kill(pid, number)
        with server.explained():
            wait_until(lambda: len(server.workers()) == 2 and not set(server.workers()) & set(old), "it has reloaded")
        before = load.answered
        wait_until(lambda: load.answered > before + 100, "the load goes on")
    load.assert_all_answered()
    assert "killed by" not in server.log


@pytest.mark.alone
@pytest.mark.rcorn("Gunicorn looks once a second")
def test_a_worker_killed_under_load_is_replaced_within_100_ms(serve):
    server = serve("plain", "--workers", 3, "--preload=on")
    times = []
    with Load(server.address, clients=6) as load:
        for turn in range(5):
            wait_until(lambda: load.answered > 300 * (turn + 1), "the load runs")
            victim = server.wait_for_workers(3)[turn % 3]
            os.kill(victim, signal.SIGKILL)
            begin = time.monotonic()
            wait_until(
                lambda: victim not in (now := server.workers()) and len(now) == 3, "there is a new worker", pause=0.001
            )
            times.append(time.monotonic() - begin)
    # The usual time: somebody else on the machine may have had its turn once.
    assert sorted(times)[len(times) // 2] < 0.1, [f"{seconds * 1000:.0f} ms" for seconds in times]
    # Each kill takes down at most what was in flight on that worker: no more requests than there are clients.
    assert len(load.failures) <= 5 * 6, load.failures
    server.wait_for_log("SIGKILL", count=5)
    assert server.get("/").text == "hello"


@pytest.mark.rcorn("codes 3 and 4 end Gunicorn")
@pytest.mark.parametrize("code", [0, 1, 3, 4, 17])
def test_a_worker_that_exits_is_replaced(serve, code):
    """Codes 3 and 4 mean a failed import at the first start only: later they end no server."""
    server = serve("plain", "--workers", 2)
    with server.connect() as connection, pytest.raises(Closed):
        connection.request(f"/leaves?code={code}")
    server.wait_for_workers(2)
    assert server.get("/").text == "hello"


@pytest.mark.rcorn("Gunicorn says it in other words")
def test_how_a_worker_died_is_told(serve):
    server = serve("plain")
    for target, words in [("/crashes?signal=11", "SIGSEGV"), ("/leaves?code=17", "17")]:
        (worker,) = server.wait_for_workers(1)
        with server.connect() as connection, pytest.raises(Closed):
            connection.request(target)
        said = server.wait_for_log(rf"\[\w+\] [^\n]*\b{worker}\b[^\n]*{words}[^\n]*")
        assert "worker" in said[0].lower()
        replaced(server, worker)


@pytest.mark.rcorn("Gunicorn ends when a worker cannot import")
class TestCrashLoop:
    """Workers that die at once come back slower and slower, and the healthy ones never notice."""

    @pytest.fixture
    def server(self, serve, directory):
        return serve("doomed", "--workers", 2, "--preload=off", env={"DOOM": directory / "doom"})

    def doom(self, server, directory):
        """From now on every new worker crashes in its import; one worker must be made anew."""
        (directory / "doom").touch()
        victim, survivor = server.wait_for_workers(2)
        os.kill(victim, signal.SIGKILL)
        return survivor

    def deaths(self, directory):
        return len((directory / "doom").read_text().splitlines())

    def test_back_off(self, server, directory):
        survivor = self.doom(server, directory)
        with server.explained():
            wait_until(lambda: self.deaths(directory) >= 8, "eight have died")
        before = self.deaths(directory)
        stays_true(lambda: survivor in server.workers(), "the healthy one is there", seconds=1)
        assert self.deaths(directory) - before <= 4, "after eight deaths there is a long pause"
        assert server.is_running()

    def test_the_healthy_one_serves_all_the_time(self, server, directory):
        survivor = self.doom(server, directory)
        with Load(server.address, clients=4) as load:
            with server.explained():
                wait_until(lambda: self.deaths(directory) >= 6, "six have died")
            wait_until(lambda: load.answered > 200, "the load runs")
        load.assert_all_answered()
        assert set(load.workers) == {survivor}

    def test_it_recovers(self, server, directory):
        self.doom(server, directory)
        with server.explained():
            wait_until(lambda: self.deaths(directory) >= 4, "four have died")
        (directory / "doom").unlink()
        server.wait_for_workers(2)

    def test_a_failing_import_of_a_later_worker_ends_nobody(self, serve, directory):
        server = serve("plain", "--workers", 2, "--preload=off")
        (server.directory / "plain.py").write_text("import a_module_that_nobody_has\n")
        victim, survivor = server.wait_for_workers(2)
        os.kill(victim, signal.SIGKILL)
        server.wait_for_log("ModuleNotFoundError")
        stays_true(lambda: server.workers() and survivor in server.workers(), "the healthy one is there", seconds=0.5)
        assert server.get("/").text == "hello"


class TestTimeout:
    """A request that makes no progress within `timeout` ends its worker, with the stacks in the log."""

    @pytest.mark.rcorn("Gunicorn's gthread worker does not notice")
    @pytest.mark.parametrize("target", ["/sleeps?s=60", "/busy?s=60"])
    def test_it_is_cut_and_told(self, serve, target):
        server = serve("plain", "--timeout", 1)
        (worker,) = server.wait_for_workers(1)
        begin = time.monotonic()
        assert server.get(target).status == 504
        assert 0.9 < time.monotonic() - begin < 4
        replaced(server, worker)
        server.wait_for_log(rf"\[CRITICAL\] WORKER TIMEOUT[^\n]*{worker}")
        assert f"GET {target} HTTP/1.1" in server.log and "127.0.0.1" in server.log
        function = "sleeps" if "sleeps" in target else "busy"
        server.wait_for_stack(rf'File "[^"]*plain.py", line \d+ in {function}')

    @pytest.mark.rcorn("Gunicorn's gthread worker does not notice")
    def test_progress_is_each_piece(self, serve):
        server = serve("plain", "--timeout", 1)
        (worker,) = server.wait_for_workers(1)
        with server.connect() as connection:
            connection.send(request_bytes("/drips?count=12&pause=0.2"))
            assert connection.response().text == "drip" * 12
        assert server.workers() == [worker]

    @pytest.mark.parametrize("flags", [["--timeout", 0], ["--timeout", 30]])
    def test_a_slow_request_within_it_is_left_alone(self, serve, flags):
        server = serve("plain", *flags)
        assert server.get("/sleeps?s=1.5").text == str(server.workers()[0])

    @pytest.mark.rcorn("Gunicorn counts idle time too")
    def test_a_slow_client_is_no_slow_request(self, serve):
        server = serve("plain", "--timeout", 1)
        (worker,) = server.wait_for_workers(1)
        with server.connect() as connection:
            connection.send(request_bytes("/echo", "POST", {"Content-Length": "2"}) + b"a")
            stays_true(lambda: server.workers() == [worker], "the worker lives", seconds=2.5)
            connection.send(b"b")
            assert connection.response().text == "ab"


class TestNumber:
    """TTIN and TTOU."""

    def test_one_more_and_one_less(self, serve):
        server = serve("plain", "--workers", 2)
        first = server.wait_for_workers(2)
        server.send(signal.SIGTTIN)
        assert set(first) < set(server.wait_for_workers(3))
        server.send(signal.SIGTTIN)
        server.wait_for_workers(4)
        for count in (3, 2, 1):
            server.send(signal.SIGTTOU)
            server.wait_for_workers(count)

    def test_there_is_always_one(self, serve):
        server = serve("plain")
        (worker,) = server.wait_for_workers(1)
        server.send(signal.SIGTTOU)
        stays_true(lambda: server.workers() == [worker], "there is one worker", seconds=0.5)
        server.send(signal.SIGTTIN)
        assert worker in server.wait_for_workers(2), "what could not be taken away is not owed"

    @pytest.mark.rcorn("Gunicorn closes kept connections")
    def test_nobody_notices(self, serve):
        server = serve("plain", "--workers", 2)
        with Load(server.address, clients=4) as load:
            for count in (3, 4, 3, 2, 1, 2):
                seen = load.answered
                wait_until(lambda: load.answered > seen + 100, "the load runs")  # noqa: B023
                server.send(signal.SIGTTIN if count > len(server.workers()) else signal.SIGTTOU)
                server.wait_for_workers(count)
        load.assert_all_answered()

    def test_winch_does_nothing(self, serve):
        server = serve("plain", "--workers", 2)
        workers = server.wait_for_workers(2)
        server.send(signal.SIGWINCH)
        stays_true(lambda: server.workers() == workers, "all workers are there", seconds=0.5)
        assert server.get("/").text == "hello"


@pytest.mark.rcorn("Gunicorn forks from its master")
class TestZygote:
    def test_its_death_takes_nobody_down(self, serve):
        server = serve("plain", "--workers", 2)
        workers = server.wait_for_workers(2)
        (zygote,) = server.titled("zygote")
        with Load(server.address, clients=2) as load:
            os.kill(zygote.pid, signal.SIGKILL)
            wait_until(lambda: load.answered > 300, "the load runs")
            assert server.workers() == workers
        load.assert_all_answered()

    def test_it_is_made_anew_when_a_worker_is_needed(self, serve):
        server = serve("plain", "--workers", 2)
        first, second = server.wait_for_workers(2)
        (zygote,) = server.titled("zygote")
        os.kill(zygote.pid, signal.SIGKILL)
        os.kill(first, signal.SIGKILL)
        replaced(server, first, count=2)
        assert server.titled("zygote")[0].pid != zygote.pid
        assert second in server.workers()


@pytest.mark.rcorn("Gunicorn is no subreaper")
def test_orphans_of_the_application_are_reaped(serve):
    """What the application leaves behind becomes the arbiter's child, and must not pile up as zombies."""
    server = serve("plain")
    (worker,) = server.wait_for_workers(1)
    for _ in range(5):
        orphan = int(server.get("/leaves-a-child").text)
        wait_until(lambda: processes.look_up(orphan) is None, "the orphan has ended and is reaped")  # noqa: B023
    assert server.workers() == [worker]
    assert server.log.count("WARNING") == 0 and server.log.count("ERROR") == 0, "it is no worker, and nobody's concern"
