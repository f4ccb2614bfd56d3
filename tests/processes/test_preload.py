"""`preload`: who imports the application, and what `auto` does when the import left threads behind."""

import os
import re
import signal

import pytest

pytestmark = pytest.mark.rcorn("Gunicorn's --preload takes no value")


def importers(server):
    """(who answered, who imported) for each of the workers."""
    found = {}
    for _ in range(200):
        lives, answering, importer = server.get("/thread").text.split()
        found[int(answering)] = (lives == "True", int(importer))
        if len(found) == 2:
            break
    return found


@pytest.mark.parametrize("flags", [["--preload"], ["--preload=on"], ["--preload=auto"], []])
def test_the_zygote_imports_it(serve, flags):
    server = serve("imported", "--workers", 2, *flags)
    (zygote,) = server.titled("zygote")
    assert int(server.get("/importer").text) == zygote.pid


def test_off_lets_each_worker_import(serve):
    server = serve("imported", "--workers", 2, "--preload=off")
    importer = int(server.get("/importer").text)
    assert importer in server.workers()


def test_auto_notices_a_thread(serve):
    server = serve("threaded", "--workers", 2)
    for worker, (thread_lives, importer) in importers(server).items():
        assert thread_lives and importer == worker
    assert len(server.titled("zygote")) == 1, "the zygote that tried is gone"
    server.wait_for_log(r"\[(INFO|WARNING)\] [^\n]*thread[^\n]*import")
    assert len(re.findall("does not survive a fork", server.log)) == 1, "it is said once"


def test_auto_notices_a_connection(serve):
    server = serve("connected", "--workers", 1)
    (worker,) = server.workers()
    assert int(server.get("/importer").text) == worker
    server.wait_for_log("connection")


def test_the_outcome_is_kept_for_later_workers(serve):
    server = serve("threaded")
    (first,) = server.wait_for_workers(1)
    os.kill(first, signal.SIGKILL)
    server.wait_for_log(str(first))
    lives, answering, importer = server.get("/thread").text.split()
    assert lives == "True" and answering == importer != str(first)


def test_fork_handlers_run(serve):
    """`os.register_at_fork`, and Python's own after a fork: another random sequence in each worker."""
    server = serve("forked", "--workers", 2, "--preload=on")
    seen = {}
    for _ in range(200):
        pid, handled, number = server.get("/forked").text.split()
        seen[pid] = number
        assert handled == "True"
        if len(seen) == 2:
            break
    assert len(set(seen.values())) == len(seen)
