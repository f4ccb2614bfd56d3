"""The first moments: what waits, what is said when, what is inherited, and what ends the start."""

import os
import signal
import sys

import pytest
from support import processes
from support.client import request_bytes
from support.subject import Subject
from support.waiting import stays_true, wait_until

PRELOAD = pytest.mark.parametrize("preload", ["on", "off"])


def import_begins(server):
    with server.explained():
        wait_until((server.directory / "importing").exists, "the application is being imported")


def let_import_end(server):
    (server.directory / "import-may-end").touch()


@pytest.mark.rcorn("Gunicorn's --preload takes no value")
@PRELOAD
@pytest.mark.parametrize("handed", [True, False], ids=["socket-handed-over", "own-socket"])
def test_a_connection_before_the_workers_are_ready_waits(start, preload, handed):
    flags = [] if handed else ["--bind", "127.0.0.1:0"]
    server = start("gated", f"--preload={preload}", "--workers", 2, *flags, handed=handed)
    server.wait_for_log("Listening at")
    connections = [server.connect().send(request_bytes("/")) for _ in range(20)]
    import_begins(server)
    assert not server.notify.said("READY=1"), "it is ready only when its workers are"
    let_import_end(server)
    for connection in connections:
        assert connection.response().text == "hello"
        connection.close()
    server.ready()
    assert len(server.workers()) == 2


@pytest.mark.rcorn("Gunicorn does not look at it")
@PRELOAD
def test_an_import_without_end_is_given_up(start, preload):
    server = start("gated", f"--preload={preload}", "--startup-timeout", 1)
    assert server.wait() == 3
    assert "not ready within 1 s" in server.log and "startup_timeout" in server.log


@pytest.mark.rcorn("Gunicorn restarts it for ever")
@PRELOAD
def test_an_application_that_crashes_at_its_import(start, directory, preload):
    doom = directory / "doom"
    doom.touch()
    server = start("doomed", f"--preload={preload}", env={"DOOM": doom})
    assert server.wait() == 3
    assert "SIGSEGV" in server.log


@PRELOAD
@pytest.mark.rcorn("Gunicorn's --preload takes no value")
def test_a_stop_in_the_middle_of_the_start(start, preload):
    server = start("gated", f"--preload={preload}")
    import_begins(server)
    assert server.stop(signal.SIGINT, seconds=5) == 0
    assert "Traceback" not in server.log


@pytest.mark.rcorn("Gunicorn leaves them")
def test_the_application_sees_nothing_of_systemd(serve):
    environment = serve("plain", env={"WATCHDOG_USEC": "60000000"}).get("/process-environment").json
    assert not [name for name in environment if name.startswith(("LISTEN_", "WATCHDOG_")) or name == "NOTIFY_SOCKET"]


@pytest.mark.rcorn("Gunicorn lets the application write to them")
def test_programs_of_the_application_inherit_no_descriptor(serve):
    """They would keep sockets open behind the server's back."""
    server = serve("plain", "--access-logfile", "access", "--error-logfile", "error")
    inherited = server.get("/child-descriptors").text.split()
    assert inherited == [], inherited


def test_signals_are_as_an_application_expects_them(serve):
    """A program that it starts must not inherit blocked signals."""
    assert int(serve("plain").get("/signals").json["SigBlk"], 16) == 0


class TestPidFile:
    def test_it_is_written_and_removed(self, serve, directory):
        path = directory / "app.pid"
        server = serve("plain", "--pid", path)
        assert path.read_text().strip() == str(server.pid)
        assert server.stop() == 0
        assert not path.exists()

    @pytest.mark.rcorn("Gunicorn says it in other words")
    def test_one_of_a_living_server_is_respected(self, start, serve, directory):
        path = directory / "app.pid"
        first = serve("plain", "--pid", path)
        second = start("plain", "--pid", path)
        assert second.wait() == 1
        assert str(path) in second.log.splitlines()[-1] and str(first.pid) in second.log.splitlines()[-1]
        assert path.read_text().strip() == str(first.pid)

    def test_a_stale_one_is_replaced(self, serve, directory):
        path = directory / "app.pid"
        first = serve("plain", "--pid", path)
        first.stop(signal.SIGKILL)
        assert path.exists()
        second = serve("plain", "--pid", path)
        assert path.read_text().strip() == str(second.pid)


@pytest.mark.rcorn("the names are rcorn's")
class TestTitles:
    """What `ps` shows."""

    def test_with_a_name(self, serve):
        server = serve("plain", "--workers", 2, "--name", "shop")
        assert processes.look_up(server.pid).title == "rcorn: arbiter [shop]"
        below = sorted(process.title for process in server.below())
        assert below == ["rcorn: worker 1 [shop]", "rcorn: worker 2 [shop]", "rcorn: zygote [shop]"]

    def test_without_a_name_it_is_the_applications(self, serve):
        server = serve("names", call="names:other")
        assert processes.look_up(server.pid).title == "rcorn: arbiter [names:other]"
        assert {process.title for process in server.below()} == {
            "rcorn: worker 1 [names:other]",
            "rcorn: zygote [names:other]",
        }

    def test_the_environment_survives_the_title(self, serve):
        """The title is written over the place where the environment lay."""
        server = serve("plain", "--name", "x" * 150, env={"MARK": "m" * 300})
        assert server.get("/process-environment").json["MARK"] == "m" * 300
        assert "x" * 100 in server.titled("worker")[0].title

    def test_ps_agrees(self, serve):
        server = serve("plain", "--name", "shop")
        if not any(os.access(f"{path}/ps", os.X_OK) for path in os.environ["PATH"].split(":")):
            pytest.skip("ps is not installed (apt install procps)")
        with os.popen(f"ps -o args= -p {server.pid}") as shown:
            assert shown.read().strip() == "rcorn: arbiter [shop]"


@pytest.mark.rcorn("Gunicorn forks from its master")
class TestProcesses:
    """Arbiter, one zygote, workers: who is whose child, and who has Python in it."""

    def test_who_there_is(self, serve):
        server = serve("plain", "--workers", 3)
        assert len(server.titled("zygote")) == 1 and len(server.workers()) == 3
        assert len(server.below()) == 4
        for process in server.below():
            assert processes.look_up(process.pid).parent == server.pid, "the arbiter is the parent of all"

    def test_the_arbiter_has_no_python_in_it(self, serve):
        server = serve("plain")
        maps = open(f"/proc/{server.pid}/maps").read()
        assert "libpython" not in maps and "_rcorn" not in maps

    def test_the_zygote_has_one_thread(self, serve):
        server = serve("plain")
        (zygote,) = server.titled("zygote")
        assert processes.status_field(zygote.pid, "Threads") == "1"

    def test_an_idle_server_sleeps(self, serve):
        """At most two wake-ups a second and process."""
        server = serve("plain", "--workers", 2, "--timeout", 30)
        with server.connect() as connection:
            connection.request("/")
            pids = [server.pid, *(process.pid for process in server.below())]
            before = {pid: int(processes.status_field(pid, "voluntary_ctxt_switches")) for pid in pids}
            stays_true(server.is_running, "it runs", seconds=3)
            for pid in pids:
                woken = int(processes.status_field(pid, "voluntary_ctxt_switches")) - before[pid]
                assert woken <= 2 * 3 + 2, f"{processes.look_up(pid).title} woke {woken} times in 3 s"


@pytest.mark.rcorn("Gunicorn then hears no signal")
def test_signals_that_were_held_when_it_was_started(start, subject):
    code = (
        "import os, signal, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    held = Subject((sys.executable, "-c", code, *subject.command), subject.python)
    server = start("plain", subject=held).ready()
    assert server.get("/signals").json["SigBlk"] == "0" * 16
    assert server.stop() == 0
