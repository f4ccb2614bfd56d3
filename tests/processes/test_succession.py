"""A reload makes the arbiter another program in place: upgraded, broken or missing binaries, signals on the way."""

import os
import shutil
import signal
import time
from collections import Counter

import pytest
from support.load import Load
from support.server import call
from support.subject import Subject, binaries
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn's USR2 is another process")


@pytest.fixture
def installed(directory):
    """A copy of the program that a test can replace."""
    place = directory / "bin"
    place.mkdir()
    for name in ["rcorn", "lib_rcorn.so"]:
        shutil.copy2(binaries() / name, place / name)
    return place


@pytest.fixture
def serve_installed(serve, installed):
    def serve_installed(*flags, **options):
        subject = Subject((str(installed / "rcorn"),), Subject.default().python)
        return serve("plain", *flags, subject=subject, **options)

    return serve_installed


def replace(path, content, mode=0o755):
    """As package managers do it: the new file takes the place of the old one, which goes on to exist for who runs."""
    draft = path.with_suffix(".new")
    draft.write_bytes(content)
    draft.chmod(mode)
    draft.rename(path)


def executable(server):
    return os.readlink(f"/proc/{server.pid}/exe")


def reloaded(server, count=1):
    server.wait_for_log(r"\] reloaded: generation", count=count)


def test_the_file_that_lies_there_now_takes_over(serve_installed, installed):
    server = serve_installed("--workers", 2)
    with Load(server.address, clients=4) as load:
        for turn in range(3):
            for name in ["lib_rcorn.so", "rcorn"]:
                replace(installed / name, (binaries() / name).read_bytes())
            assert executable(server).endswith("(deleted)")
            server.send(signal.SIGHUP)
            reloaded(server, turn + 1)
            assert executable(server) == str(installed / "rcorn")
    load.assert_all_answered()
    with server.explained():
        wait_until(lambda: len(server.titled("zygote")) == 1, "one zygote is left")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"#!/bin/sh\nexit 0\n", 0o644, "Permission denied"),
        (b"#!/nowhere/sh\n", 0o755, "No such file"),
        (b"no program at all", 0o755, "neither a binary nor a script"),
        (b"#!/bin/true\n", 0o755, "is not rcorn"),
        (b"#!/bin/sh\necho 'rcorn: cannot load libmissing.so' >&2; exit 127\n", 0o755, "cannot load libmissing.so"),
        (b"#!/bin/sh\nkill -SEGV $$\n", 0o755, "SIGSEGV"),
        (None, 0, "No such file"),
    ],
    ids=["not-executable", "no-interpreter", "no-program", "another-program", "loader", "crash", "gone"],
)
def test_a_binary_that_does_not_run_changes_nothing(serve_installed, installed, content, mode, words):
    server = serve_installed("--workers", 2)
    workers = server.wait_for_workers(2)
    with Load(server.address, clients=4) as load:
        if content is None:
            (installed / "rcorn").unlink()
        else:
            replace(installed / "rcorn", content, mode)
        server.send(signal.SIGHUP)
        server.wait_for_log(rf"\[ERROR\] reload failed: [^\n]*{words}[^\n]*\(still serving generation 1\)")
        before = load.answered
        wait_until(lambda: load.answered > before + 100, "the load goes on")
    load.assert_all_answered()
    assert server.workers() == workers
    os.kill(workers[0], signal.SIGKILL)
    with server.explained():
        wait_until(lambda: len(server.workers()) == 2 and workers[0] not in server.workers(), "it is replaced")
    replace(installed / "rcorn", (binaries() / "rcorn").read_bytes())
    server.send(signal.SIGHUP)
    reloaded(server)


def test_a_binary_that_misses_a_library_says_which(serve_installed, installed):
    server = serve_installed()
    whole = (binaries() / "rcorn").read_bytes()
    assert b"libgcc_s.so.1\0" in whole
    replace(installed / "rcorn", whole.replace(b"libgcc_s.so.1\0", b"libgcc_X.so.1\0"))
    server.send(signal.SIGHUP)
    server.wait_for_log(r"reload failed: [^\n]*libgcc_X.so.1: cannot open shared object file")
    assert server.get("/").text == "hello"
    replace(installed / "rcorn", whole)
    server.send(signal.SIGHUP)
    reloaded(server)


def test_a_check_that_hangs_is_given_up_and_holds_up_nobody(serve_installed, installed):
    server = serve_installed()
    replace(installed / "rcorn", b"#!/bin/sh\nexec sleep 3600\n")
    server.send(signal.SIGHUP)
    server.wait_for_log("reloading: generation 2")
    assert server.get("/").text == "hello"
    assert server.stop(seconds=5) == 0


def test_signals_on_the_way_are_not_lost(serve):
    """TTIN, USR1 and TERM that come while one program becomes the other are heard by one of them."""
    for pause in range(8):
        server = serve("plain", "--error-logfile", "log.txt")
        server.send(signal.SIGHUP)
        deadline = time.monotonic() + pause * 0.004
        while time.monotonic() < deadline:
            pass
        server.send(signal.SIGUSR1)
        server.send(signal.SIGTERM)
        assert server.wait(10) == 0
        assert "log files were reopened" in (server.directory / "log.txt").read_text()


def test_a_worker_that_dies_on_the_way_is_replaced(serve):
    server = serve("plain", "--workers", 2)
    for turn in range(5):
        old = server.wait_for_workers(2)
        server.send(signal.SIGHUP)
        for worker in old:
            os.kill(worker, signal.SIGKILL)
        reloaded(server, turn + 1)
        with server.explained():
            wait_until(lambda: len(server.workers()) == 2 and not set(server.workers()) & set(old), "all are new")  # noqa: B023
    assert server.get("/").text == "hello"


def test_more_and_fewer_are_forgotten_as_in_gunicorn(serve):
    server = serve("plain", "--workers", 1)
    server.send(signal.SIGTTIN)
    server.wait_for_workers(2)
    server.send(signal.SIGHUP)
    reloaded(server)
    server.wait_for_workers(1)


def test_pid_file_name_and_process_stay(serve, directory):
    file = directory / "app.pid"
    server = serve("plain", "--pid", file, "--name", "shop")
    for turn in range(3):
        server.send(signal.SIGUSR2)
        reloaded(server, turn + 1)
        assert file.read_text() == f"{server.pid}\n"
        (title,) = open(f"/proc/{server.pid}/cmdline").read().split("\0")[:1]
        assert title.startswith("rcorn: arbiter [shop]")
    assert server.stop() == 0
    assert not file.exists()


def kinds_of_descriptors(pid):
    """What a process has open, without the numbers of sockets and pipes."""
    links = (os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd"))
    return Counter(link.partition(":[")[0] for link in links)


def test_descriptors_do_not_add_up(serve):
    server = serve("plain")

    def all_kinds():
        with server.explained():
            wait_until(lambda: len(server.below()) == 2, "the old generation is gone")
        kinds = {process.title: kinds_of_descriptors(process.pid) for process in server.below()}
        return kinds | {"arbiter": kinds_of_descriptors(server.pid)}

    before = all_kinds()
    for turn in range(5):
        server.send(signal.SIGHUP)
        reloaded(server, turn + 1)
        with server.explained():
            wait_until(lambda: all_kinds() == before, f"arbiter, zygote and worker have open what they had: {before}")


def test_the_environment_file_is_read_again(serve, directory):
    file = directory / "app.env"
    file.write_text("# colours\nCOLOUR=red\nSIZE='1'\n")
    server = serve("plain", "--env-file", file, "--env", "SIZE=2")
    seen = server.get("/process-environment").json
    assert (seen["COLOUR"], seen["SIZE"]) == ("red", "2")
    assert not [name for name in seen if name.startswith("RCORN_")]
    file.write_text("COLOUR=blue\n")
    server.send(signal.SIGHUP)
    reloaded(server)
    # A worker of the old generation may take one connection more before it hears of the end.
    wait_until(lambda: server.get("/process-environment").json["COLOUR"] == "blue", "the new value is there")
    seen = server.get("/process-environment").json
    assert not [name for name in seen if name.startswith("RCORN_")]
    file.write_text("nonsense\n")
    server.send(signal.SIGHUP)
    server.wait_for_log(r"reload failed: [^\n]*app.env:1: expected NAME=VALUE")
    stays_true(lambda: server.get("/process-environment").json["COLOUR"] == "blue", "it serves on", seconds=0.2)


def test_an_address_that_is_taken_fails_the_reload(serve, directory):
    import socket

    taken = socket.create_server(("127.0.0.1", 0))
    file = directory / "app.toml"
    file.write_text('bind = "127.0.0.1:0"\n')
    server = serve("plain", "--config", file, handed=False)
    address = server.address
    file.write_text(f'bind = ["127.0.0.1:0", "127.0.0.1:{taken.getsockname()[1]}"]\n')
    server.send(signal.SIGHUP)
    server.wait_for_log(r"reload failed: cannot listen on [^\n]*in use")
    with server.connect() as connection:
        assert connection.request("/").text == "hello" and server.address == address
    taken.close()


@pytest.mark.parametrize("preload", ["on", "off"])
def test_good_and_bad_reloads_lose_no_request(serve, preload):
    """`RCORN_TEST_RELOADS=100` for more of them."""
    server = serve("plain", "--workers", 2, f"--preload={preload}")
    source = server.directory / "plain.py"
    good = source.read_text()
    counts = {"reloaded: generation": 0, "reload failed": 0}
    with Load(server.address, clients=4) as kept, Load(server.address, clients=2, keep_alive=False) as fresh:
        for turn in range(int(os.environ.get("RCORN_TEST_RELOADS", "20"))):
            outcome = "reload failed" if turn % 3 == 2 else "reloaded: generation"
            counts[outcome] += 1
            rest = "raise RuntimeError('a bad one')" if outcome == "reload failed" else f"# {turn}"
            source.write_text(f"{good}\n{rest}\n")
            server.send(signal.SIGHUP)
            server.wait_for_log(rf"\] {outcome}", count=counts[outcome])
    kept.assert_all_answered()
    fresh.assert_all_answered()


def test_a_state_that_is_not_there_ends_it_with_a_code_of_its_own(directory):
    outcome = call("plain", directory=directory, env={"RCORN_STATE": "99"})
    assert outcome.code == 5
    assert outcome.sentence.startswith("there is no state at descriptor 99")
    outcome = call("plain", directory=directory, env={"RCORN_STATE": "0"})
    assert outcome.code == 5
    assert outcome.sentence.endswith("restart it instead")
