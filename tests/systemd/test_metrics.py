"""Metrics and health within the hardened unit: everything can be read there that is read elsewhere."""

from support.box import wait_for_unit
from support.waiting import wait_until

from .conftest import text_of

UNIT = "rcorn@shop.service"
# As docs/metrics.md shows it.
SOCKET = """
[Socket]
ListenStream=127.0.0.1:9150
FileDescriptorName=metrics
Service=rcorn@shop.service
"""


def ask(box, path):
    return box.run("curl", "-s", f"http://127.0.0.1:9150{path}")


def value(page, name):
    values = [float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(name)]
    assert values, f"no {name} in {page}"
    return sum(values)


def assert_complete(page):
    assert value(page, "rcorn_ready ") == 1 and value(page, "rcorn_cpu_seconds_total ") > 0
    for family in ("rcorn_worker_memory_bytes", "rcorn_worker_resident_memory_bytes"):
        for number in (1, 2):
            assert value(page, f'{family}{{generation="1",worker="{number}"}}') > 1 << 20
    assert value(page, "rcorn_backlog{") == 0 and value(page, "rcorn_backlog_limit{") > 100


def test_a_port_of_its_own(box):
    box.put("/etc/rcorn/shop.toml", text_of("shop", 'metrics_bind = "127.0.0.1:9150"\n'))
    box.run("systemctl", "start", UNIT)
    assert ask(box, "/ready") == "ready: generation 1, 2 workers\n"
    assert box.run("curl", "-s", "http://127.0.0.1:8000/") == "hello"
    wait_until(lambda: value(ask(box, "/metrics"), 'rcorn_requests_total{status="2xx"}') == 1, "it is counted")
    assert_complete(ask(box, "/metrics"))
    box.run("systemctl", "reload", UNIT)
    page = ask(box, "/metrics")
    assert value(page, "rcorn_generation ") == 2 and value(page, 'rcorn_requests_total{status="2xx"}') == 1
    box.run("systemctl", "restart", UNIT)
    assert ask(box, "/ready") == "ready: generation 1, 2 workers\n"


def test_a_socket_of_systemds(box):
    """The application's is a unix socket, whose queue only sock_diag(7) tells."""
    box.put("/etc/systemd/system/shop-metrics.socket", SOCKET)
    settings = text_of("shop", 'metrics_bind = "fd://metrics"\n').replace('bind = "127.0.0.1:8000"\n', "")
    box.put("/etc/rcorn/shop.toml", settings)
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", "rcorn@shop.socket", "shop-metrics.socket")
    assert box.run("curl", "-s", "--unix-socket", "/run/rcorn/shop.sock", "http://shop/") == "hello"
    # The first worker may answer while the second one still starts.
    wait_for_unit(box, UNIT)
    page = ask(box, "/metrics")
    assert_complete(page)
    assert 'rcorn_backlog{listener="unix:/run/rcorn/shop.sock"} 0' in page
    box.run("systemctl", "restart", UNIT)
    assert ask(box, "/live") == "alive\n"
