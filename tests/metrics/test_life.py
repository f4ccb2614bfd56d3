"""What becomes of counters and of the listener when workers end, generations follow each other, and settings change."""

import os
import signal
import threading

import pytest
from support import systemd
from support.client import Closed, Connection
from support.holding import Held
from support.load import Load
from support.server import address_of, call
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn has no such listener")


class Watch:
    """Scrapes without a pause: nothing that is counted may ever go back."""

    def __init__(self, metered):
        metered.fixed = metered.address
        self.metered, self.over, self.complaints, self.scrapes = metered, threading.Event(), [], 0
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _watch(self):
        before = {}
        while not self.over.is_set():
            try:
                now = self.metered.scrape().counters()
            except Exception as error:  # noqa: BLE001
                self.complaints.append(repr(error))
                continue
            self.complaints += [f"{key}: {value} -> {now.get(key)}" for key, value in before.items() if now.get(key, -1) < value]
            before, self.scrapes = now, self.scrapes + 1


def test_no_counter_goes_back_whoever_ends(metered):
    """Workers are killed, recycled and replaced by reloads, good and bad, and every request of a load is counted."""
    metered = metered("plain", "--workers", 2, "--max-requests", 200)
    server = metered.server
    with Watch(metered) as watch:
        with Load(server.address, clients=3) as load:
            for generation in (2, 3, 4):
                load.goes_on(300)
                server.send(signal.SIGHUP).wait_for_log(f"reloaded: generation {generation}")
        load.assert_all_answered()
        wait_until(lambda: metered.scrape().all("rcorn_workers") == [0, 2, 0, 0, 0], "nobody comes or goes")
        os.kill(server.workers()[0], signal.SIGKILL)
        server.wait_for_log("was killed by SIGKILL")
        source = server.directory / "plain.py"
        good = source.read_text()
        source.write_text("import a_module_that_nobody_has\n")
        server.send(signal.SIGHUP).wait_for_log("reload failed: ")
        source.write_text(good)
    assert not watch.complaints and watch.scrapes > 10, watch.complaints[:5]
    scrape = metered.until("rcorn_requests_total", load.answered, status="2xx")
    assert scrape("rcorn_request_duration_seconds_count") == load.answered
    assert scrape("rcorn_reloads_total", result="done") == 3 and scrape("rcorn_reloads_total", result="failed") == 1
    assert scrape("rcorn_generation") == 4
    assert scrape("rcorn_worker_restarts_total", reason="was killed by SIGKILL") == 1
    assert scrape("rcorn_worker_restarts_total", reason="recycled") > 0


def test_the_start_is_that_of_the_first_generation(metered):
    metered = metered()
    metered.fixed = metered.address
    before = metered.scrape()
    metered.server.send(signal.SIGHUP).wait_for_log("reloaded: generation 2")
    assert metered.scrape()("rcorn_start_time_seconds") == before("rcorn_start_time_seconds")


@pytest.fixture
def changing(start, directory):
    """A server whose settings file a test can change."""

    class Changing:
        def __init__(self):
            self.file = directory / "app.toml"
            self.reloads = 0

        def begin(self, text):
            self.file.write_text(text)
            self.server = start("plain", "--config", self.file).ready()
            return self

        def become(self, text, outcome="reloaded: "):
            self.file.write_text(text)
            self.server.send(signal.SIGHUP)
            self.reloads += outcome == "reloaded: "
            self.server.wait_for_log(outcome, count=self.reloads if outcome == "reloaded: " else 1)

        def addresses(self):
            return [address_of(line.split("Metrics at: ")[1]) for line in self.server.log.splitlines() if "Metrics at" in line]

    return Changing()


def answers(address):
    try:
        with Connection(address) as connection:
            return connection.request("/ready").status
    except (ConnectionRefusedError, FileNotFoundError):
        return None


def wait_until_closed(address):
    """A listener that is given up is closed in the turn of the loop after: who connects within that is reset."""

    def is_closed():
        try:
            return answers(address) is None
        except Closed:
            return False

    wait_until(is_closed, f"nobody listens at {address}")


def test_a_reload_adds_moves_and_removes_it(changing):
    it = changing.begin("")
    it.become('metrics_bind = "127.0.0.1:0"')
    (first,) = it.addresses()
    assert answers(first) == 200
    it.become('metrics_bind = "unix:metrics.sock"')
    path = str(it.server.directory / "metrics.sock")
    assert answers(path) == 200
    wait_until_closed(first)
    it.become('metrics_bind = "unix:metrics.sock"\nworkers = 2')
    assert answers(path) == 200 and len(it.addresses()) == 2, "it has stayed"
    it.become("")
    wait_until_closed(path)
    assert not os.path.exists(path)


def test_what_was_removed_is_closed_though_an_old_worker_goes_on(changing):
    it = changing.begin('metrics_bind = "127.0.0.1:0"')
    (first,) = it.addresses()
    with Held(it.server):
        it.become("workers = 2")
        wait_until_closed(first)


def test_a_reload_fails_where_it_cannot_be_had(changing):
    taken = systemd.tcp_listener()
    it = changing.begin('metrics_bind = "127.0.0.1:0"')
    (first,) = it.addresses()
    it.become('metrics_bind = "127.0.0.1:{}"'.format(taken.getsockname()[1]), "reload failed: .*the address is in use")
    assert answers(first) == 200 and it.server.get("/").status == 200
    taken.close()


def test_it_cannot_be_the_applications(start):
    server = start("plain", "--bind", "127.0.0.1:8765", "--metrics-bind", "127.0.0.1:8765", handed=False)
    assert server.wait() == 1
    server.wait_for_log("--metrics-bind: 127.0.0.1:8765 is where the application is served")


def test_systemd_hands_it_over_by_its_name(start):
    server = start(
        "plain",
        "--metrics-bind",
        "fd://metrics",
        "--bind",
        "127.0.0.1:0",
        env={"LISTEN_FDNAMES": "metrics"},
    ).ready()
    assert answers(server.listener.getsockname()) == 200
    application = address_of(server.wait_for_log(r"Listening at: ([^ ]*) ")[1])
    assert application != server.listener.getsockname() and answers(application) == 404
    server.send(signal.SIGHUP).wait_for_log("reloaded: generation 2")
    assert answers(server.listener.getsockname()) == 200 and answers(application) == 404


def test_a_socket_that_systemd_does_not_have_is_told(start):
    server = start("plain", "--bind", "127.0.0.1:0", "--metrics-bind", "fd://metrics", handed=False)
    assert server.wait() == 1
    server.wait_for_log("fd://metrics: systemd handed over no socket")


def test_checking_the_settings_binds_nothing(metered):
    running = metered()
    host, port = running.address
    done = call("--check-config", "--metrics-bind", f"{host}:{port}", "plain", directory=running.server.directory)
    assert done.code == 0, done.err
