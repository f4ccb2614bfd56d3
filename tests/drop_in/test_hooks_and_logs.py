"""Deployments with hooks, agents and logging of their own, on Gunicorn and on rcorn: the same is asked of both.

Where they differ on purpose, the test says so beside a name, `docs/migrating-from-gunicorn.md` to its readers.
"""

import json
import os
import re
import signal
import socket

import pytest
from drop_in.both import SERVERS, Case, Deployment
from support.client import Connection
from support.lines import in_groups, wait_for_lines
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("it runs both by itself")


@pytest.fixture(params=SERVERS)
def server(request):
    return request.param


@pytest.fixture
def deployed(directory, no_leaks, server):
    """`deployed("sentry", …)`: the case, when it serves."""
    deployments = []

    def deployed(name, *words, **options):
        deployment = Deployment(server, Case(name, words, **options), directory / server)
        deployments.append(deployment)
        return deployment.ready()

    yield deployed
    for deployment in deployments:
        deployment.__exit__()


def ask(deployment, target, *more):
    with Connection(deployment.address) as connection:
        return connection.request(target, *more)


def test_prometheus_in_several_processes(deployed):
    shop = deployed("prometheus", "main:app", socket="shop.sock", workers=2)
    gauges = shop.place / "metrics"

    def alive():
        return {int(path.stem.rpartition("_")[2]) for path in gauges.glob("gauge_livesum_*.db")}

    before = wait_until(lambda: len(alive()) == 2 and alive(), "both workers have their gauges")
    assert [ask(shop, "/tea").status for _ in range(6)] == [200] * 6
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in alive() and len(alive()) == 2, "another one has taken its place")
    wait_until(lambda: "shop_alive 2.0" in ask(shop, "/metrics").text, "the dead one counts no more, its successor does")
    assert 'shop_requests_total{path="/tea"} 6.0' in ask(shop, "/metrics").text, "what it had counted is not lost"
    shop.server.stop()
    assert alive() == set()


def test_sentry(deployed):
    shop = deployed("sentry", socket="shop.sock", workers=2)
    assert [ask(shop, target).status for target in ("/", "/order/7")] == [200, 500]
    (line,) = wait_for_lines(shop.place / "events", 1)
    *event, age, words, process = json.loads(line)
    assert event == ["LookupError", "no order 7", "order", "http://test/order/7"]
    assert age in (1, 2) and (words, process) == ([], {"own": True})
    shop.server.wait_for_log("Sentry is there", count=2)


def test_an_agent_around_the_application(deployed):
    shop = deployed("agent", "main:app", socket="main.sock", workers=1)
    answer = ask(shop, "/")
    assert answer.header("X-Agent") == "[('agent.ini', 'production')] True" and answer.header("X-Status") == "200 OK"
    assert answer.text == "before: True"


# What a life of two workers says, with a reload and one worker more; those that come and go together in their order of age.
START = ["nworkers_changed None 2", "on_starting with debug", "when_ready, spawning 2 workers", "pre_fork 1", "pre_fork 2"]
RELOAD = ["nworkers_changed 2 2", "on_reload", "pre_fork 3", "pre_fork 4", "child_exit 1", "child_exit 2"]
MORE = ["nworkers_changed 2 3", "pre_fork 5"]
END = ["child_exit 3", "child_exit 4", "child_exit 5", "on_exit"]


def test_hooks_that_log(deployed):
    shop = deployed("noisy", "main:app", socket="main.sock", workers=2)
    said = re.compile(r"^\S.*hook: (.*)$", re.MULTILINE)

    def hooks(*words):
        found = said.findall((shop.place / "error.log").read_text())
        return [line for line in found if line.startswith(words)]

    wait_until(lambda: len(hooks("post_worker_init")) == 2, "both are there")
    assert ask(shop, "/tea").status == 200
    wait_until(lambda: hooks("post_request"), "it is told")
    shop.server.send(signal.SIGHUP)
    wait_until(lambda: len(hooks("post_worker_init")) == 4 and len(hooks("child_exit")) == 2, "it has reloaded")
    shop.server.send(signal.SIGTTIN)
    wait_until(lambda: len(hooks("post_worker_init")) == 5, "there is one more")
    assert shop.server.stop() == 0
    master = hooks("on_", "when_", "nworkers", "pre_fork", "child_exit")
    assert in_groups(master) == [*START, *RELOAD, *MORE, *END]
    for age in range(1, 6):
        assert hooks(f"post_fork {age}", f"post_worker_init {age}", f"worker_exit {age}") == [
            f"post_fork {age}", f"post_worker_init {age}", f"worker_exit {age}"
        ]  # fmt: skip
    assert hooks("pre_request", "post_request") == ["pre_request GET /tea", "post_request GET /tea 200 OK"]


def test_workers_that_recycle_themselves(deployed, server):
    shop = deployed("recycled", "main:app", socket="main.sock", workers=1)
    answers = [ask(shop, "/") for _ in range(17)]
    assert {answer.status for answer in answers} == {200}
    pids = [answer.text for answer in answers]
    counts = [pids.count(pid) for pid in dict.fromkeys(pids)]
    if server == "gunicorn":
        assert counts == [5, 5, 5, 2]
    else:
        # What has arrived by then is answered as well.
        assert len(counts) >= 3 and all(5 <= count <= 7 for count in counts[:-1]), counts
    ended = sum(count >= 5 for count in counts)
    wait_until(lambda: shop.server.log.count("recycling after 5") == ended, "each has said so")


BASIC = ("Authorization", "Basic YWxpY2U6c2VjcmV0")
REQUESTS = [
    ("/a%20b/c?q=1&r=2", "GET", [BASIC, ("Referer", "http://x/"), ("User-Agent", "test/1"), ("X-Request-Id", "abc")]),
    ("/tea", "POST", [("Content-Length", "5")], b"green"),
    ("/tea", "HEAD"),
    ("/nowhere", "GET"),
    ("/streamed", "GET"),
    ("/fail", "GET"),
]
TIMES = [r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", r"\d+", r"\d+", r"\d+", r"\d+\.\d{6}", r"<\d+>"]
LINES = [
    ["127.0.0.1", "-", "alice", "GET /a%20b/c?q=1&r=2 HTTP/1.1", "GET", "/a b/c", "q=1&r=2", "HTTP/1.1", "200", "4", "4", "http://x/",
     "test/1", "abc", "forty-two", "GET", "http", "-"],
    ["127.0.0.1", "-", "-", "POST /tea HTTP/1.1", "POST", "/tea", "", "HTTP/1.1", "200", "9", "9", "-", "-", "-", "forty-two", "POST",
     "http", "-"],
    ["127.0.0.1", "-", "-", "HEAD /tea HTTP/1.1", "HEAD", "/tea", "", "HTTP/1.1", "200", "0", "0", "-", "-", "-", "forty-two", "HEAD",
     "http", "-"],
    ["127.0.0.1", "-", "-", "GET /nowhere HTTP/1.1", "GET", "/nowhere", "", "HTTP/1.1", "404", "4", "4", "-", "-", "-", "forty-two", "GET",
     "http", "-"],
    ["127.0.0.1", "-", "-", "GET /streamed HTTP/1.1", "GET", "/streamed", "", "HTTP/1.1", "200", "6", "6", "-", "-", "-", "forty-two",
     "GET", "http", "-"],
]  # fmt: skip


def test_every_atom_of_the_access_log(deployed, server):
    shop = deployed("lines", "main:app", workers=1)
    for request in REQUESTS:
        ask(shop, *request)
    lines = [line.split("|") for line in wait_for_lines(shop.place / "access.log", len(REQUESTS))]
    assert [line[: len(LINES[0])] for line in lines[:5]] == LINES
    for line in lines:
        for pattern, text in zip(TIMES, line[len(LINES[0]) :], strict=True):
            assert re.fullmatch(pattern, text), line
    failed = lines[5]
    assert (failed[8], failed[0]) == ("500", "127.0.0.1")
    # Gunicorn no longer knows which request it was when it writes this line.
    assert (failed[3:7] == ["GET /fail HTTP/1.1", "GET", "/fail", ""]) == (server == "rcorn")


def test_logs_of_objects(deployed, server):
    shop = deployed("json_logs", "main:app", socket="main.sock", workers=1)
    assert ask(shop, "/tea?a=b", "GET", [("User-Agent", "test/1"), ("Host", "shop")]).status == 200
    ask(shop, "/fail")
    access = [json.loads(line) for line in wait_for_lines(shop.place / "access.json", 2)]
    answered = {"method": "GET", "path": "/tea", "query": "a=b", "length": 3, "agent": "test/1", "host": "shop", "took": True}
    status = access[0].pop("status")
    assert access[0] == {"logger": "gunicorn.access", **answered}
    assert status == "200"
    error = [json.loads(line) for line in wait_for_lines(shop.place / "error.json", 2)]
    (raised,) = [entry for entry in error if "raised" in entry]
    assert (raised["logger"], raised["level"], raised["raised"]) == ("gunicorn.error", "ERROR", "ValueError")
    assert "/fail" in raised["message"]
    assert {"logger": "gunicorn.error", "level": "INFO", "message": "worker 1 is there"} in error
    (said,) = wait_for_lines(shop.place / "shop.json", 1)
    assert json.loads(said) == {"logger": "shop", "level": "WARNING", "message": "/tea is asked for"}
    # What the arbiter says stays in rcorn's own log.
    listening = [entry for entry in error if entry["message"].startswith("Listening at")]
    assert len(listening) == (0 if server == "rcorn" else 1)


def test_a_class_of_loggers(deployed):
    shop = deployed("quiet", "main:app", workers=1, socket="main.sock")
    for target in ("/health", "/tea", "/health"):
        assert ask(shop, target).status == 200
    assert wait_for_lines(shop.place / "access.log", 1) == ["GET /tea 200"]
    shop.server.stop()
    error = (shop.place / "error.log").read_text()
    assert "made of 1 access.log unix:main.sock shop, gunicorn.error" in error and "left out: 2" in error


def test_an_application_that_takes_the_servers_log(deployed):
    shop = deployed("flask_log", socket="shop.sock", workers=1)
    assert ask(shop, "/").text == "tea"
    error = (shop.place / "error.log").read_text()
    line = r"^\[[^]]+\] \[\d+\] \[{}\] {}$"
    assert re.search(line.format("INFO", "tea is asked for"), error, re.MULTILINE)
    assert re.search(line.format("ERROR", "and this is said to the server's own"), error, re.MULTILINE)
    assert "too quiet" not in error


@pytest.mark.parametrize("of_its_own", [{}, {"MEASURED": "1"}], ids=["", "its own class"])
def test_statsd(deployed, of_its_own):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(20)
        port = listener.getsockname()[1]
        shop = deployed("told", "main:app", workers=2, env={"STATSD": f"127.0.0.1:{port}", **of_its_own})
        for target in ("/", "/nowhere", "/fail"):
            ask(shop, target)
        told = []
        tags = "#env:test"
        gauge, warning = f"shop.gunicorn.workers:2|g|{tags}", f"shop.gunicorn.log.warning:1|c|@1.0|{tags}"
        while len([line for line in told if ".status." in line]) < 3 or told.count(warning) < 2 or gauge not in told:
            told += listener.recv(2048).decode().splitlines()
    assert told.count("shop.gunicorn.requests:1|c|@1.0|#env:test") == 3
    for status in (200, 404, 500):
        assert f"shop.gunicorn.request.status.{status}:1|c|@1.0|#env:test" in told
    durations = [line for line in told if re.fullmatch(r"shop\.gunicorn\.request\.duration:\d+(\.\d+)?(e-\d+)?\|ms\|#env:test", line)]
    assert len(durations) == 3
    assert "shop.gunicorn.log.error:1|c|@1.0|#env:test" in told or "shop.gunicorn.log.exception:1|c|@1.0|#env:test" in told
    measured = sum(re.fullmatch(r"shop\.shop\.bytes:\d+\|h\|#env:test", line) is not None for line in told)
    assert measured >= 2 if of_its_own else not measured
    shop.server.wait_for_log(re.escape(f"told to ('127.0.0.1', {port})"), count=2)
