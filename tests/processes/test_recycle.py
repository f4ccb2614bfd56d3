"""Workers that are replaced although they are well: after so many requests, at an age, above a size."""

import re

import pytest
from support.load import Load
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn forks the next one when the last has ended")


def workers_so_far(server):
    return [int(pid) for pid in re.findall(r"Booting worker \d+ \(pid (\d+)\)", server.log)]


@pytest.mark.parametrize("keep_alive", [True, False])
def test_max_requests_loses_nothing(serve, keep_alive):
    server = serve("plain", "--workers", 2, "--max-requests", 200, "--max-requests-jitter", 50)
    with Load(server.address, clients=4, keep_alive=keep_alive) as load:
        with server.explained():
            wait_until(lambda: server.log.count("has answered max_requests") >= 6, "six were replaced", seconds=40)
    load.assert_all_answered()
    with server.explained():
        wait_until(lambda: len(server.workers()) == 2, "two workers are left")
    assert len(set(workers_so_far(server))) >= 7
    assert "killed" not in server.log


def test_there_are_never_too_few_nor_too_many(serve):
    server = serve("plain", "--workers", 2, "--max-requests", 100)
    with Load(server.address, clients=2):
        server.wait_for_log("has answered max_requests", count=8, seconds=40)
    counts, count = [], 0
    for line in server.log.partition("workers are ready")[2].splitlines():
        count += ("Booting worker" in line) - ("left" in line)
        counts.append(2 + count)
    assert min(counts) == 2 and max(counts) <= 4, "one that drains, one that comes, and those who serve"


def test_max_worker_age(serve):
    server = serve("plain", "--max-worker-age", 1)
    (first,) = server.wait_for_workers(1)
    server.wait_for_log(rf"worker 1 \(pid {first}\) has served for 1 s; another takes its place")
    with server.explained():
        wait_until(lambda: first not in server.workers(), "the old one is gone")
    assert server.get("/").text == "hello"


def test_max_worker_memory(serve):
    server = serve("plain", "--max-worker-memory", "1M")
    (first,) = server.wait_for_workers(1)
    server.wait_for_log(rf"worker 1 \(pid {first}\) has \d+ MiB of memory, and max_worker_memory is 1")
    with server.explained():
        wait_until(lambda: first not in server.workers(), "the large one is gone")
    assert server.get("/").text == "hello"


def test_the_first_start_is_tried_as_often_as_the_operator_says(start, directory):
    (directory / "run").mkdir()
    (directory / "run" / "broken_twice.py").write_text(
        "import pathlib\n"
        "tries = pathlib.Path('tries')\n"
        "tries.write_text((tries.read_text() if tries.exists() else '') + 'x')\n"
        "if len(tries.read_text()) < 3:\n"
        "    raise RuntimeError('not yet')\n"
        "from plain import application\n"
    )
    (directory / "run").rename(directory / "kept")
    server = start("plain", "--max-boot-failures", 3, "--chdir", directory / "kept", call="broken_twice:application",
                   env={"PYTHONPATH": directory / "run"})
    server.ready()
    assert "not yet" in server.log and server.get("/").text == "hello"


def test_and_then_given_up(start, directory):
    server = start("broken", "--max-boot-failures", 3)
    assert server.wait() == 3
    assert "Traceback" in server.log
