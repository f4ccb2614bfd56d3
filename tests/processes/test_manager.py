"""What a manager that speaks systemd's language hears: readiness, a status line, signs of life, a plea for time."""

import os
import signal
import socket
import threading
import time

import pytest
from support.holding import Held
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn says READY and STOPPING")


def said(server, beginning):
    return [line for line in server.notify.lines() if line.startswith(beginning)]


def test_the_status_line_tells_how_it_goes(serve):
    server = serve("plain", "--workers", 2)
    for _ in range(50):
        assert server.get("/").status == 200
    with Held(server), server.explained():
        line = wait_until(lambda: [line for line in said(server, "STATUS=") if "1 of 2 workers busy" in line], "it is told", seconds=12)
    assert line[0].startswith("STATUS=serving: generation 1; 1 of 2 workers busy, ") and "requests/s, p99 " in line[0]


def test_a_status_that_stays_is_not_repeated(serve):
    server = serve("plain")
    with server.explained():
        wait_until(lambda: "; 0 of 1 workers busy, 0.0 requests/s" in said(server, "STATUS=")[-1], "it is told", seconds=12)
    before = len(said(server, "STATUS="))
    stays_true(lambda: len(said(server, "STATUS=")) == before, "nothing is repeated", seconds=6)


def test_a_failed_reload_stays_on_the_line(serve):
    server = serve("plain")
    (server.directory / "plain.py").write_text("import shoop\n")
    server.send(signal.SIGHUP)
    with server.explained():
        wait_until(
            lambda: "still serving generation 1); 0 of 1 workers busy" in said(server, "STATUS=reload failed")[-1:][0]
            if said(server, "STATUS=reload failed")
            else False,
            "it is told",
            seconds=12,
        )


def test_a_first_start_that_fails_says_why(start):
    server = start("broken")
    assert server.wait() == 3
    wait_until(lambda: said(server, "STATUS=cannot import"), "the manager heard of it")


def test_settings_and_addresses_that_are_wrong_are_told_too(start, directory):
    taken = socket.create_server(("127.0.0.1", 0))
    place = f"127.0.0.1:{taken.getsockname()[1]}"
    server = start("plain", "--bind", place, handed=False)
    assert server.wait() == 1
    wait_until(lambda: said(server, f"STATUS=cannot listen on {place}: the address is in use"), "the manager heard of it")
    assert said(server, "ERRNO=") == ["ERRNO=98"]
    server = start("plain", "--wrokers", 2)
    assert server.wait() == 2
    wait_until(lambda: said(server, "STATUS=--wrokers: there is no such flag; did you mean --workers?"), "of that, too")
    taken.close()


def test_signs_of_life(serve):
    server = serve("plain", "--workers", 2, env={"WATCHDOG_USEC": "900000"})
    with Held(server):
        wait_until(lambda: len(said(server, "WATCHDOG=1")) >= 4, "it lives, and a long request is no illness")
    server.send(signal.SIGSTOP)
    wait_until(lambda: open(f"/proc/{server.pid}/stat").read().rpartition(")")[2].split()[0] == "T", "it is frozen")
    before = len(said(server, "WATCHDOG=1"))
    stays_true(lambda: len(said(server, "WATCHDOG=1")) == before, "who is frozen says nothing", seconds=1.5)
    server.send(signal.SIGCONT)
    with server.explained():
        wait_until(lambda: len(said(server, "WATCHDOG=1")) > before, "it lives again")


def test_no_sign_of_life_without_a_worker(serve):
    server = serve("plain", "--preload=off", env={"WATCHDOG_USEC": "900000"})
    (worker,) = server.wait_for_workers(1)
    source = server.directory / "plain.py"
    good = source.read_text()
    source.write_text("raise LookupError('nobody can start')\n")
    os.kill(worker, signal.SIGKILL)
    server.wait_for_log("restarting in", count=8)
    before = len(said(server, "WATCHDOG=1"))
    stays_true(lambda: len(said(server, "WATCHDOG=1")) == before, "nobody is well", seconds=1.5)
    source.write_text(good)
    with server.explained():
        wait_until(lambda: len(said(server, "WATCHDOG=1")) > before, "somebody is well again")


def test_no_signs_for_a_watchdog_of_somebody_else(serve):
    server = serve("plain", env={"WATCHDOG_USEC": "300000", "WATCHDOG_PID": "1"})
    stays_true(lambda: not said(server, "WATCHDOG=1"), "it is not asked", seconds=1)


def test_an_import_that_takes_long_asks_for_time(start, directory):
    (directory / "slowly.py").write_text("import time\ntime.sleep(2.5)\nfrom plain import application\n")
    server = start("plain", "--pythonpath", directory, call="slowly")
    server.ready()
    asked = said(server, "EXTEND_TIMEOUT_USEC=10000000")
    assert 2 <= len(asked) <= 5
    lines = server.notify.lines()
    assert lines.index(asked[0]) < lines.index("READY=1")
    stays_true(lambda: len(said(server, "EXTEND_TIMEOUT_USEC=")) == len(asked), "it has all the time now", seconds=1.5)


def test_a_manager_with_an_abstract_name(start, directory):
    name = f"rcorn-test-{os.getpid()}-{threading.get_native_id()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(20)
        start("plain", env={"NOTIFY_SOCKET": f"@{name}"})
        heard = b""
        while b"READY=1" not in heard:
            heard += manager.recv(4096)


def test_a_manager_that_does_not_read_holds_up_nobody(start, directory):
    path = directory / "deaf"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        server = start("plain", "--workers", 2, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "30000"})
        server.wait_for_log("serving: generation 1", seconds=30)
        (first, second) = server.wait_for_workers(2)
        stays_true(lambda: server.workers() == [first, second], "it serves on, with a full queue before it", seconds=1)
        os.kill(first, signal.SIGKILL)
        with server.explained():
            wait_until(lambda: len(server.workers()) == 2 and first not in server.workers(), "it is replaced")
        begin = time.monotonic()
        assert server.stop() == 0 and time.monotonic() - begin < 10
