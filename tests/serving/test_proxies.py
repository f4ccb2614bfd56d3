"""Behind nginx and HAProxy, as docs/behind-a-proxy.md says, and what is believed of whom."""

import hashlib
import shutil

import pytest
from support import proxies, systemd

ours = pytest.mark.rcorn("these settings are rcorn's, or stricter than Gunicorn's")


def installed(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed (apt install {program})")


@pytest.fixture
def behind(request):
    """Starts a proxy that ends with the test."""

    def start(make, *arguments):
        proxy = make(*arguments)
        request.addfinalizer(proxy.stop)
        return proxy

    return start


@ours
@installed("nginx")
def test_behind_nginx(serve, behind, directory):
    path = str(directory / "http.sock")
    # The client of nginx is on this machine, too, and is to be a stranger.
    flags = ["--forwarded-for", "x-forwarded-for", "--forwarded-allow-ips", "10.0.0.1"]
    server = serve("plain", *flags, listener=systemd.unix_listener(path))
    nginx = behind(proxies.nginx, directory, path)
    with nginx.connect() as connection:
        for number in range(20):
            assert connection.request(f"/number?n={number}").text.startswith(f"{number} ")
        headers = {"Host": "shop.example:81", "X-Forwarded-For": "192.0.2.9"}
        environ = connection.request("/environ", headers=headers).json
        assert environ["REMOTE_ADDR"] == "127.0.0.1", "who spoke to nginx, not whom that claims to speak for"
        assert (environ["HTTP_HOST"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == (
            "shop.example:81",
            "shop.example",
            "81",
        )
        assert environ["wsgi.url_scheme"] == "http" and "HTTP_CONNECTION" not in environ
        body = bytes(range(256)) * 3000
        assert connection.request("/digest", "POST", body=body).json["sha256"] == hashlib.sha256(body).hexdigest()
    assert server.is_running()


@ours
@installed("haproxy")
def test_behind_haproxy(serve, behind, directory):
    server = serve("plain", "--proxy-protocol=v2")
    haproxy = behind(proxies.haproxy, directory, server.address[1])
    with haproxy.connect() as connection:
        mine = connection.socket.getsockname()[1]
        for _ in range(3):
            environ = connection.request("/environ").json
            assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("127.0.0.1", str(mine))
            assert (environ["PROXY_PROTOCOL"], environ["PROXY_PORT"]) == ("TCP4", str(haproxy.port))


def test_a_trusted_proxy_tells_the_scheme(plain):
    assert plain.get("/environ", headers={"X-Forwarded-Proto": "https"}).json["wsgi.url_scheme"] == "https"
    assert plain.get("/environ", headers={"X-Forwarded-Proto": "http"}).json["wsgi.url_scheme"] == "http"
    torn = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"}
    assert plain.get("/environ", headers=torn).status == 400


def test_a_stranger_tells_nothing(serve):
    server = serve("plain", "--forwarded-allow-ips", "192.0.2.1,10.0.0.0/8")
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off", "SCRIPT_NAME": "/a"}
    environ = server.get("/environ", headers=headers).json
    assert environ["wsgi.url_scheme"] == "http" and environ["SCRIPT_NAME"] == ""
    assert environ["HTTP_X_FORWARDED_PROTO"] == "https" and "HTTP_SCRIPT_NAME" not in environ


def test_the_environment_names_trusted_proxies_as_well(serve):
    server = serve("plain", env={"FORWARDED_ALLOW_IPS": "192.0.2.1"})
    assert server.get("/environ", headers={"X-Forwarded-Proto": "https"}).json["wsgi.url_scheme"] == "http"


@ours
def test_scheme_fields_can_be_others(serve, directory):
    (directory / "app.toml").write_text('[secure_scheme_headers]\nX-Front = "tls"\n')
    server = serve("plain", "-c", directory / "app.toml")
    assert server.get("/environ", headers={"X-Front": "tls"}).json["wsgi.url_scheme"] == "https"
    assert server.get("/environ", headers={"X-Forwarded-Proto": "https"}).json["wsgi.url_scheme"] == "http"


def test_the_mount_point(serve):
    server = serve("plain", env={"SCRIPT_NAME": "/shop"})
    environ = server.get("/shop/environ?a=b").json
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["RAW_URI"]) == (
        "/shop",
        "/environ",
        "/shop/environ?a=b",
    )
    assert server.get("/environ").status == 500
    environ = server.get("/other/environ", headers={"SCRIPT_NAME": "/other"}).json
    assert (environ["SCRIPT_NAME"], environ["HTTP_SCRIPT_NAME"]) == ("/other", "/other")


@ours
def test_the_mount_point_ends_at_a_slash(serve):
    server = serve("plain", "--script-name", "/shop/")
    assert server.get("/shop/environ").json["SCRIPT_NAME"] == "/shop"
    refused = server.get("/shopping")
    assert refused.status == 500 and "SCRIPT_NAME" in refused.text


@pytest.mark.parametrize(
    ("map", "status", "keys"),
    [("drop", 200, {"HTTP_X_A"}), ("refuse", 400, None), ("dangerous", 200, {"HTTP_X_A", "HTTP_X_B"})],
)
def test_names_with_underscores(serve, map, status, keys):
    server = serve("plain", "--header-map", map)
    response = server.get("/environ", headers={"X-A": "1", "X_B": "2"})
    assert response.status == status
    if keys:
        assert {key for key in response.json if key.startswith("HTTP_X")} == keys


def test_names_that_cannot_be_told_apart_are_joined(serve):
    server = serve("plain", "--header-map", "dangerous")
    environ = server.get("/environ", headers=[("X-A", "1"), ("X_A", "2"), ("Content_Length", "7")]).json
    assert (environ["HTTP_X_A"], environ["HTTP_CONTENT_LENGTH"]) == ("1,2", "7")
    assert "CONTENT_LENGTH" not in environ


@ours
def test_the_client_behind_trusted_hops(serve):
    server = serve("plain", "--forwarded-for", "x-forwarded-for", "--access-logfile", "-")
    headers = {"X-Forwarded-For": "203.0.113.7, 198.51.100.4:99, 127.0.0.1"}
    environ = server.get("/environ", headers=headers).json
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("198.51.100.4", "99")
    environ = server.get("/environ", headers={"X-Forwarded-For": "2001:db8::7"}).json
    assert environ["REMOTE_ADDR"] == "2001:db8::7" and "REMOTE_PORT" not in environ
    assert server.stop() == 0
    assert [line.split()[0] for line in server.output.splitlines()] == ["198.51.100.4", "2001:db8::7"]


@ours
def test_the_client_in_forwarded(serve):
    server = serve("plain", "--forwarded-for=forwarded")
    value = 'for=203.0.113.7, for="[2001:db8::1]:99";proto=https'
    environ = server.get("/environ", headers={"Forwarded": value}).json
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("2001:db8::1", "https")
    assert server.get("/environ", headers={"Forwarded": 'for="open'}).status == 400


@ours
@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--forwarded-allow-ips", "localhost"], "expected an address, a network such as 10.0.0.0/8, or *"),
        (["--proxy-allow-from", "10.1.0.0/8"], "10.1.0.0/8 is an address within 10.0.0.0/8"),
        (["--header-map", "keep"], "expected drop, refuse or dangerous"),
        (["--proxy-protocol=v3"], "expected on, off, v1, v2 or auto"),
    ],
)
def test_what_cannot_be_meant_is_refused(start, flags, why):
    server = start("plain", *flags)
    assert server.wait() == 2 and why in server.log
