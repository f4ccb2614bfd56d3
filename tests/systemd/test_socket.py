"""rcorn@NAME.socket: the application starts when somebody asks, behind nginx, and nobody else reaches the socket."""

import json
import os

from support.box import wait_for_unit

from .conftest import text_of

UNIT, SOCKET = "rcorn@shop.service", "rcorn@shop.socket"
NGINX = """
server {
    listen 127.0.0.1:80 default_server;
    location / {
        proxy_pass http://unix:/run/rcorn/shop.sock;
        proxy_set_header Host $host;
    }
}
"""


def behind_nginx(box):
    box.run("sh", "-c", "rm -f /etc/nginx/sites-enabled/default")
    box.put("/etc/nginx/conf.d/shop.conf", NGINX)
    box.run("systemctl", "restart", "nginx")


def get(box, url, *more, **options):
    return box.run("curl", "-s", *more, url, **options)


def test_on_demand_behind_nginx(box, load):
    box.run("systemctl", "enable", "--now", SOCKET)
    behind_nginx(box)
    assert box.show(UNIT, "ActiveState") == "inactive"
    assert get(box, "http://127.0.0.1/") == "hello"
    wait_for_unit(box, UNIT)
    assert "unix:/run/rcorn/shop.sock" in box.run("rcornctl", "status", "shop")
    with load("127.0.0.1:80", "keep") as through_nginx:
        box.run("systemctl", "reload", UNIT)
        box.run("systemctl", "restart", UNIT)
    assert through_nginx.failures == []
    box.run("systemctl", "stop", UNIT)
    assert box.show(SOCKET, "ActiveState") == "active"
    assert get(box, "http://127.0.0.1/") == "hello", "the next one starts it again"


def test_only_the_proxy_reaches_the_socket(box):
    box.run("systemctl", "start", SOCKET)
    assert box.run("stat", "-c", "%U %G %a", "/run/rcorn/shop.sock").split() == ["root", "www-data", "660"]
    ask = ["curl", "-s", "--unix-socket", "/run/rcorn/shop.sock", "http://shop/"]
    assert box.run("setpriv", "--reuid", "www-data", "--regid", "www-data", "--clear-groups", *ask) == "hello"
    box.run("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", *ask, code=7)


def test_many_starts_on_demand_are_no_crashes(box):
    box.run("systemctl", "start", SOCKET)
    for _ in range(8):
        assert get(box, "http://shop/", "--unix-socket", "/run/rcorn/shop.sock") == "hello"
        box.run("systemctl", "stop", UNIT)
    assert box.show(SOCKET, "Result") == "success"


def test_several_sockets_of_every_kind_and_by_name(box):
    box.put(
        "/etc/systemd/system/rcorn@shop.socket.d/more.conf",
        "[Socket]\nListenStream=127.0.0.1:9000\nListenStream=[::1]:9001\n",
    )
    box.put(
        "/etc/systemd/system/rcorn-admin.socket",
        f"[Socket]\nListenStream=127.0.0.1:9002\nFileDescriptorName=admin\nService={UNIT}\n",
    )
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", SOCKET, "rcorn-admin.socket")
    for url in ("http://127.0.0.1:9000/", "http://[::1]:9001/", "http://127.0.0.1:9002/"):
        assert get(box, url) == "hello"
    box.run("systemctl", "stop", SOCKET, "rcorn-admin.socket", UNIT)
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace('"127.0.0.1:8000"', '["fd://admin", "127.0.0.1:8000"]'))
    box.run("systemctl", "start", SOCKET, "rcorn-admin.socket")
    assert get(box, "http://127.0.0.1:9002/") == "hello" and get(box, "http://127.0.0.1:8000/") == "hello"
    status = box.run("rcornctl", "status", "shop")
    assert "listening    http://127.0.0.1:9002, http://127.0.0.1:8000\n" in status


def test_a_socket_that_cannot_be_served_is_told(box):
    box.put(
        "/etc/systemd/system/rcorn@shop.socket.d/wrong.conf",
        "[Socket]\nListenStream=\nListenDatagram=127.0.0.1:9000\n",
    )
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", SOCKET)
    box.run("systemctl", "start", UNIT, code=1)
    wait_for_unit(box, UNIT, "failed")
    assert 'descriptor 3 ("http") from systemd is no stream socket; a unit for it needs ListenStream=' in box.said(UNIT)


def test_an_idle_service_ends_and_starts_again(box):
    """`RCORN_TEST_KNOCKS=5000` for more of them."""
    box.put("/etc/rcorn/shop.toml", text_of("shop", 'idle_timeout = "150ms"\n'))
    box.run("systemctl", "start", SOCKET)
    count = os.environ.get("RCORN_TEST_KNOCKS", "60")
    knocks = ["env", "PYTHONPATH=/tests", "python3", "-m", "support.knocker", "/run/rcorn/shop.sock", count]
    result = json.loads(box.run(*knocks, seconds=3600))
    assert result["failures"] == [] and result["answered"] == int(count)
    wait_for_unit(box, UNIT, "inactive")
    assert box.show(UNIT, "Result") == "success" and box.show(SOCKET, "ActiveState") == "active"
    said = box.said(UNIT)
    assert said.count("nobody has asked for anything for 0.15 s: stopping until somebody does") > 10, "it ended often"


def test_idle_timeout_needs_somebody_who_starts_it_again(box):
    box.put("/etc/rcorn/shop.toml", text_of("shop", "idle_timeout = 60\n"))
    box.run("systemctl", "start", UNIT, code=1)
    assert "idle_timeout: nobody would start rcorn again, as http://127.0.0.1:8000 is not a socket" in box.said(UNIT)
