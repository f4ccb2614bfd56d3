"""A server whose metrics are read by Prometheus's own parser, and a statsd server that hears everything."""

import contextlib
import socket
import threading

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as open_parser
from support.client import Connection
from support.server import address_of
from support.waiting import wait_until

OPEN = "application/openmetrics-text; version=1.0.0"
KINDS = {
    "sync": ("plain",),
    "threads": ("plain", "--threads", "4"),
    "gevent": ("plain", "--worker-class", "gevent"),
    "asgi": ("asgi_plain",),
}


class Scrape:
    """What one page says."""

    def __init__(self, response, parse):
        assert response.status == 200, response
        self.text = response.text
        self.families = {family.name: family for family in parse(self.text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def all(self, name, **labels):
        wanted = labels.items()
        return [sample.value for sample in self.samples if sample.name == name and wanted <= sample.labels.items()]

    def __call__(self, name, **labels):
        """The sum of the samples of this name that have these labels."""
        values = self.all(name, **labels)
        assert values, f"no {name} {labels} in {self.text}"
        return sum(values)

    def counters(self):
        """Everything that may never go back."""
        endings = ("_total", "_bucket", "_sum", "_count")
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for sample in self.samples
            if sample.name.endswith(endings)
        }


class Metered:
    """A server, and its metrics listener."""

    def __init__(self, server, address=None):
        self.server = server
        self.fixed = address

    @property
    def address(self):
        if self.fixed:
            return self.fixed
        return address_of(self.server.wait_for_log(r"Metrics at: ([^\n]*)\n")[1])

    def ask(self, target, method="GET", headers=()):
        with Connection(self.address) as connection:
            return connection.request(target, method, headers)

    def scrape(self):
        return Scrape(self.ask("/metrics", headers=[("Accept", OPEN)]), open_parser.text_string_to_metric_families)

    def scrape_plain(self):
        return Scrape(self.ask("/metrics"), parser.text_string_to_metric_families)

    def until(self, name, value, **labels):
        """Waits until a metric has this value: what workers note is there within their next turn."""
        with self.server.explained():
            wait_until(lambda: sum(self.scrape().all(name, **labels)) == value, f"{name} {labels} is {value}", pause=0.02)
        return self.scrape()


@pytest.fixture
def metered(start):
    def metered(app="plain", *flags, ready=True, bind="127.0.0.1:0", **options):
        server = start(app, "--metrics-bind", bind, *flags, **options)
        return Metered(server.ready() if ready else server)

    return metered


@pytest.fixture(params=KINDS)
def every_kind(request, metered):
    """A server of each kind of workers, called with further flags."""
    app, *flags = KINDS[request.param]
    return lambda *more, **options: metered(app, *flags, *more, **options)


class Statsd:
    """Hears datagrams from the beginning."""

    def __init__(self, kind, address):
        self.socket = socket.socket(kind, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(0.05)
        self.datagrams, self.over = [], False
        self.ears = threading.Thread(target=self._hear, daemon=True)
        self.ears.start()

    def _hear(self):
        while not self.over:
            with contextlib.suppress(TimeoutError):
                self.datagrams.append(self.socket.recv(65536).decode("ascii"))

    @property
    def address(self):
        return self.socket.getsockname()

    @property
    def lines(self):
        return [line for datagram in list(self.datagrams) for line in datagram.split("\n")]

    def until(self, condition, what):
        return wait_until(lambda: condition(self.lines), f"the statsd server has heard {what}, not only {self.lines}")

    def close(self):
        self.over = True
        self.ears.join(5)
        self.socket.close()


@pytest.fixture
def statsd():
    servers = []

    def statsd(kind=socket.AF_INET, address=("127.0.0.1", 0)):
        servers.append(Statsd(kind, address))
        return servers[-1]

    yield statsd
    for server in servers:
        server.close()
