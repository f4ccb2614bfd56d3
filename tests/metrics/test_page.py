"""What stands in the metrics, by Prometheus's own parsers, for each kind of workers."""

import socket
import subprocess
import time

import pytest
from support.client import Connection, request_bytes
from support.holding import Held
from support.subject import binaries
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn has no such page")


def test_both_forms_say_the_same(every_kind):
    metered = every_kind("--workers", 2)
    for _ in range(10):
        assert metered.server.get("/").status == 200
    # The status is what a worker notes last.
    scrape = metered.until("rcorn_requests_total", 10, status="2xx")
    plain = metered.scrape_plain()
    assert scrape.text.endswith("\n# EOF\n") and "# EOF" not in plain.text
    still = {key: value for key, value in scrape.counters().items() if key[0] != "rcorn_cpu_seconds_total"}
    assert {key: value for key, value in plain.counters().items() if key in still} == still
    assert scrape("rcorn_build_info") == plain("rcorn_build_info") == 1


def test_types_of_answers(every_kind):
    metered = every_kind()
    answer = metered.ask("/metrics", headers=[("Accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.1")])
    assert answer.header("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert metered.ask("/metrics").header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"


def test_requests_are_counted(every_kind):
    metered = every_kind("--workers", 2)
    for _ in range(7):
        assert metered.server.get("/").status == 200
    for _ in range(3):
        assert metered.server.get("/nowhere").status == 404
    with metered.server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.response().status == 400
    scrape = metered.until("rcorn_requests_total", 11)
    assert (scrape("rcorn_requests_total", status="2xx"), scrape("rcorn_requests_total", status="4xx")) == (7, 4)
    assert scrape("rcorn_requests_refused_total") == 1 and scrape("rcorn_requests_aborted_total") == 0
    assert scrape("rcorn_response_body_bytes_total") >= 7 * len("hello") + 3 * len("not found")
    for name in ("rcorn_request_duration_seconds", "rcorn_request_queue_seconds"):
        assert scrape(f"{name}_count") == scrape(f"{name}_bucket", le="+Inf") == 10
        assert 0 < scrape(f"{name}_sum") < 10
    metered.until("rcorn_connections", 0)


def test_what_is_going_on_is_shown(every_kind):
    metered = every_kind("--workers", 2)
    with Held(metered.server):
        scrape = metered.until("rcorn_requests_in_flight", 1)
        assert scrape("rcorn_connections") == 1 and scrape("rcorn_workers_wanted") == 2
        assert scrape("rcorn_workers", state="busy") == 1
        assert sum(scrape.all("rcorn_workers")) == 2
    scrape = metered.until("rcorn_requests_in_flight", 0)
    assert scrape("rcorn_workers", state="idle") == 2 and scrape("rcorn_generation") == 1


def test_each_worker_has_memory_and_age(metered):
    metered = metered("plain", "--workers", 3, "--threads", 4)
    scrape = metered.scrape()
    assert scrape("rcorn_threads") == 12
    for number in "123":
        one = {"generation": "1", "worker": number}
        proportional, resident = scrape("rcorn_worker_memory_bytes", **one), scrape("rcorn_worker_resident_memory_bytes", **one)
        assert 1 << 20 < proportional <= resident < 1 << 30
        assert 0 < scrape("rcorn_worker_uptime_seconds", **one) < 600
    assert scrape("rcorn_cpu_seconds_total") > 0


def test_a_response_that_is_not_whole_counts_as_aborted(metered):
    metered = metered()
    with metered.server.connect() as connection:
        connection.send(request_bytes("/raises-late"))
        scrape = metered.until("rcorn_request_duration_seconds_count", 1)
    assert scrape("rcorn_requests_aborted_total") == 1


def waits_behind(metered, *helds):
    """Has a request wait until these are let go; so many seconds it has waited at least."""
    with metered.server.connect() as connection:
        connection.send(request_bytes("/"))
        sent = time.monotonic()
        assert not connection.is_closed(0.6) and not connection.buffer, "nothing has come"
        least = time.monotonic() - sent
        for held in helds:
            held.release()
        assert connection.response().status == 200
    return least


def assert_queued(metered, count, least, begun):
    """So many requests have waited for so long together, but not for longer than all of it took."""
    most = (time.monotonic() - begun) * count
    scrape = metered.until("rcorn_request_queue_seconds_count", count)
    # Clocks of the kernel tick as seldom as every 10 ms.
    assert least - 0.05 < scrape("rcorn_request_queue_seconds_sum") < most
    return scrape


@pytest.mark.inline("a thread would be free")
def test_who_waits_for_a_busy_worker_is_in_the_queue_time(metered):
    metered = metered("plain", "--workers", 1)
    begun = time.monotonic()
    with Held(metered.server) as held:
        least = waits_behind(metered, held)
    scrape = assert_queued(metered, 2, least, begun)
    assert scrape("rcorn_request_queue_seconds_bucket", le="0.524288") == 1


def test_who_waits_for_a_thread_is_in_the_queue_time(metered):
    metered = metered("plain", "--workers", 1, "--threads", 2)
    begun = time.monotonic()
    with Held(metered.server, "one") as one, Held(metered.server, "other") as other:
        metered.until("rcorn_threads_busy", 2)
        least = waits_behind(metered, one, other)
    assert_queued(metered, 3, least, begun)


@pytest.mark.inline("a thread would be free")
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_who_waits_to_be_accepted_is_counted(metered, kind):
    bind = "127.0.0.1:0" if kind == "tcp" else "unix:app.sock"
    metered = metered("plain", "--workers", 1, "--bind", bind, "--backlog", 33, handed=False)
    address = metered.server.address
    address = str(metered.server.directory / "app.sock") if kind == "unix" else address
    with Held(metered.server) if kind == "tcp" else HeldAt(metered.server, address) as held:
        waiting = [Connection(address) for _ in range(5)]
        scrape = metered.until("rcorn_backlog", 5)
        assert scrape("rcorn_backlog_limit") == 33
        held.release()
        metered.until("rcorn_backlog", 0)
        for connection in waiting:
            connection.close()


class HeldAt(Held):
    """The same at another address."""

    def __init__(self, server, address):
        self.held = Connection(address)
        super().__init__(Elsewhere(server, self.held))


class Elsewhere:
    def __init__(self, server, connection):
        self.directory, self.explained = server.directory, server.explained
        self.connect = lambda: connection


def test_the_control_socket_has_them_too(serve, directory):
    path = directory / "control.sock"
    server = serve("plain", "--control-socket", path)
    assert server.get("/").status == 200
    with Connection(str(path)) as connection:
        assert "rcorn_generation 1\n" in connection.request("/metrics").text
    with Connection(str(path)) as connection:
        assert connection.request("/ready").text == "ready: generation 1, 1 worker\n"
    command = [binaries() / "rcornctl", "--socket", path]

    def told():
        return subprocess.run([*command, "metrics"], capture_output=True, text=True, check=True).stdout

    wait_until(lambda: 'rcorn_requests_total{status="2xx"} 1\n' in told(), "the request is counted")
    status = subprocess.run([*command, "status"], capture_output=True, text=True, check=True).stdout
    assert "  since start  1 requests, 0 refused, 0 aborted; 1 2xx; 0.0 MiB sent\n" in status
    assert "  backlog      0 of 2048\n" in status


def test_nothing_else_is_answered_and_nothing_can_be_changed(metered):
    metered = metered()
    for target in ("/", "/status", "/settings", "/stacks", "/metrics/", "/reload"):
        assert metered.ask(target).status == 404, target
    for target in ("/metrics", "/live", "/ready"):
        assert metered.ask(target, "POST").status == 405
    for target in ("/stop", "/quit", "/reload", "/scale"):
        assert metered.ask(target, "POST").status == 404
    assert metered.server.get("/metrics").status == 404, "the application's port is the application's"
    assert metered.server.is_running()


def test_who_sends_nothing_is_in_nobodys_way(metered):
    metered = metered()
    silent = [socket.create_connection(metered.address) for _ in range(40)]
    assert metered.ask("/ready").status == 200
    for connection in silent:
        connection.close()
