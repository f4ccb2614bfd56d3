"""The examples of docs/hooks.md, as they stand there."""

import os
import signal

import pytest
from support.interpreters import ROOT
from support.waiting import wait_until

PAGE = (ROOT / "docs" / "hooks.md").read_text()

GAUGES = """
from prometheus_client import Gauge
ALIVE = Gauge("alive", "workers that are alive", multiprocess_mode="livesum")

def application(environ, start_response):
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess
    ALIVE.set(1)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [generate_latest(registry)]
"""

SAYS = """
import sentry_sdk
AT_IMPORT = sentry_sdk.get_client().is_active()

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str([AT_IMPORT, sentry_sdk.get_client().is_active()]).encode()]
"""

WAITS = """
import psycopg2.extensions

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [psycopg2.extensions.get_wait_callback().__module__.encode()]
"""

SHOP = """
import os

class Engine:
    opened_by = os.getpid()
    disposed = None

    def dispose(self, close=True):
        self.disposed = [os.getpid(), close]

engine = Engine()

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(engine.opened_by != os.getpid() and engine.disposed == [os.getpid(), False]).encode()]
"""


def example(heading):
    """The code below a heading of the page."""
    section = PAGE.split(f"### {heading}\n")[1]
    return section.split("```python\n")[1].split("```")[0]


@pytest.fixture
def exemplary(hooked):
    def exemplary(heading, application, *flags, **options):
        def serve(place):
            (place / "shop.py").write_text(application)

        return hooked("rcorn", *flags, settings=example(heading), app=None, call="shop", files=serve, **options).server

    return exemplary


def test_prometheus(exemplary):
    server = exemplary("Prometheus, in several processes", GAUGES)
    assert "alive 1.0" in server.get("/").text
    (pid,) = server.workers()
    gauge = server.directory / "prometheus" / f"gauge_livesum_{pid}.db"
    assert gauge.exists()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not gauge.exists(), "the gauge of the dead process is gone")
    (server.directory / "prometheus" / "left_over").touch()
    server.stop()
    assert (server.directory / "prometheus" / "left_over").exists()
    again = exemplary("Prometheus, in several processes", GAUGES)
    assert not (again.directory / "prometheus" / "left_over").exists()


def test_sentry(exemplary):
    server = exemplary("Sentry", SAYS, env={"SENTRY_DSN": "http://key@127.0.0.1:9/1"})
    assert server.get("/").text == "[True, True]", "it is there before the application is imported"


def test_psycopg2_under_gevent(exemplary):
    server = exemplary("psycopg2 under gevent", WAITS)
    assert server.get("/").text == "psycogreen.gevent"


def test_a_pool(exemplary):
    server = exemplary("A pool of connections that was opened by the import", SHOP)
    assert server.get("/").text == "True"


def test_workers_that_have_grown(exemplary):
    server = exemplary("Workers that have grown", SHOP.replace("engine.disposed", "[1]"), env={"MOST_KIB": "1"})
    (pid,) = server.workers()
    assert server.get("/").status == 200
    wait_until(lambda: server.workers() not in ([], [pid]), "another worker is there")
    server.wait_for_log(f"worker {pid} is too large")
    assert server.get("/").status == 200
