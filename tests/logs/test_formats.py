"""`access_log_format`: every atom in every kind of worker, and that nothing which a client sends breaks a line."""

import json
import re

import pytest
from support.holding import Held
from support.lines import wait_for_lines
from support.server import call
from support.subject import IS_RCORN

ATOMS = "h l u r m U q H s B b f a T p".split()


def by_name(line):
    return dict(part.split("=", 1) for part in line.split("|"))


@pytest.mark.parametrize("kind", ["sync", "threads", "gevent"])
def test_every_atom(logging_server, access, kind):
    further = ["{X-It}i", "{no-such}i", "{X-Order}o", "{QUERY_STRING}e", "{http_x_it}e"]
    log_format = "|".join(f"{name}=%({name})s" for name in [*ATOMS, *further])
    server = logging_server(kind, "--access-logformat", log_format)
    (worker,) = server.wait_for_workers(1)
    headers = {"X-It": "seven", "User-Agent": "tests/1", "Referer": "http://a/", "Authorization": "Basic ZXZlOng="}
    server.get("/noted?a=b", headers=headers)
    (line,) = wait_for_lines(access, 1)
    assert by_name(line) == {
        "h": "127.0.0.1",
        "l": "-",
        "u": "eve",
        "r": "GET /noted?a=b HTTP/1.1",
        "m": "GET",
        "U": "/noted",
        "q": "a=b",
        "H": "HTTP/1.1",
        "s": "200",
        "B": "5",
        "b": "5",
        "f": "http://a/",
        "a": "tests/1",
        "T": "0",
        "p": f"<{worker}>",
        "{X-It}i": "seven",
        "{no-such}i": "-",
        "{X-Order}o": "4711",
        "{QUERY_STRING}e": "a=b",
        "{http_x_it}e": "seven",
    }


def test_asgi_has_what_gunicorn_has_there(logging_server, access):
    server = logging_server("asgi", "--access-logformat", "%({REQUEST_METHOD}e)s|%({PATH_INFO}e)s|%({HTTP_HOST}e)s|%({X-Order}o)s|%(U)s|%({none}e)s")
    server.get("/a%20b", headers={"Host": "shop"})
    assert wait_for_lines(access, 1) == ["GET|/a b|shop|4711|/a b|-"]


@pytest.mark.rcorn("Gunicorn's lines have no more than a quote escaped")
@pytest.mark.parametrize("kind", ["sync", "threads", "gevent"])
def test_what_the_application_puts_into_the_environment(logging_server, access, kind):
    server = logging_server(kind, "--access-logformat", '"%({shop.user}e)s"')
    server.get("/noted")
    server.get("/number?n=1")
    assert wait_for_lines(access, 2) == [r'"eve \"the\" first"', '"-"']


def test_times_agree(logging_server, access):
    server = logging_server("sync", "--access-logformat", "%(T)s %(M)s %(D)s %(L)s")
    server.get("/sleeps?s=0.25")
    seconds, milliseconds, microseconds, decimal = wait_for_lines(access, 1)[0].split()
    assert 250 <= int(milliseconds) == int(microseconds) // 1000
    assert int(seconds) == int(microseconds) // 1_000_000
    assert decimal == f"{seconds}.{int(microseconds) % 1_000_000:06}"


def test_forms(logging_server, access):
    server = logging_server("sync", "--access-logformat", "%(h)-12s|%(m).2s|%(B)05d|100%%|%(H)10s")
    server.get("/noted")
    assert wait_for_lines(access, 1) == ["127.0.0.1   |GE|00005|100%|  HTTP/1.1"]


def test_bytes_of_a_file_that_the_kernel_sends(logging_server, access):
    server = logging_server("sync", "--access-logformat", "%(B)s")
    length = len(server.get("/file").body)
    assert wait_for_lines(access, 1) == [str(length) if IS_RCORN else "0"]


@pytest.mark.rcorn("Gunicorn knows no names")
class TestNames:
    def test_common(self, logging_server, access, kind):
        server = logging_server(kind, "--access-logformat", "common")
        server.get("/noted", headers={"User-Agent": "x"})
        (line,) = wait_for_lines(access, 1)
        assert re.fullmatch(r'127.0.0.1 - - \[[^\]]+\] "GET /noted HTTP/1.1" 200 5', line), line

    def test_json_beside_plain_lines(self, logging_server, access, kind):
        server = logging_server(kind, "--access-logformat", "json", "--name", "shop")
        server.get("/noted", headers={"User-Agent": 'a "b"'})
        (line,) = wait_for_lines(access, 1)
        record = json.loads(line)
        assert (record["app"], record["status"], record["user_agent"], record["bytes"]) == ("shop", 200, 'a "b"', 5)
        assert 0 <= record["queue_us"] < 20_000_000 and record["worker"] == 1
        server.stop()
        assert "[INFO]" in server.log

    def test_plain_lines_beside_json(self, logging_server, access):
        server = logging_server("sync", "--log-format", "json", "--access-logformat", "%(m)s %(s)s")
        server.get("/noted")
        assert wait_for_lines(access, 1) == ["GET 200"]
        assert all(json.loads(line) for line in server.log.splitlines())


@pytest.mark.rcorn("its JSON templates can be broken")
def test_a_client_cannot_break_an_object_that_was_written_by_hand(logging_server, access):
    server = logging_server("sync", "--access-logformat", '{"agent": "%(a)s", "path": "%(U)s", "took": %(D)s}')
    server.get("/noted", headers={"User-Agent": '", "admin": "1\\'})
    with server.connect() as connection:
        connection.send(b"GET /a%0Ab%22 HTTP/1.1\r\nHost: a\r\nUser-Agent: \xff\t\r\n\r\n")
        connection.response()
    first, second = map(json.loads, wait_for_lines(access, 2))
    assert first["agent"] == '", "admin": "1\\' and "admin" not in first
    assert second["path"] == '/a\nb"' and second["agent"] == "\ufffd"


@pytest.mark.rcorn("Gunicorn has no such atoms")
class TestWhatRcornAdds:
    def test_how_long_a_request_has_waited(self, logging_server, access):
        """Two come to a worker that can only be in one."""
        server = logging_server("sync", "--access-logformat", "%(U)s %(queue)s")
        with Held(server) as first, server.connect() as second:
            second.send(b"GET /noted HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not second.is_closed(0.6) and not second.buffer, "nothing has come"
            first.release()
            second.response()
        waited = {target: int(queue) for target, queue in map(str.split, wait_for_lines(access, 2))}
        # Clocks of the kernel tick as seldom as every 10 ms.
        assert waited["/hold"] < 500_000 < waited["/noted"], waited

    @pytest.mark.parametrize("log_format", ["%(s)s %(reason)s", "json", "combined"])
    def test_why_a_request_was_refused(self, logging_server, access, kind, log_format):
        server = logging_server(kind, "--access-logformat", log_format)
        with server.connect() as connection:
            connection.send(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
            connection.response()
        (line,) = wait_for_lines(access, 1)
        if log_format == "json":
            assert json.loads(line)["refused"] == "a header name is malformed"
        else:
            assert line.strip('"').endswith("a header name is malformed") and "400" in line

    def test_why_a_request_has_failed(self, logging_server, access, kind):
        server = logging_server(kind, "--access-logformat", "%(s)s %(reason)s")
        server.get("/raises")
        assert wait_for_lines(access, 1) == ["500 the application failed"]


@pytest.mark.rcorn("Gunicorn writes a dash")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("%(z)s", "there is no atom %(z); there are h l u"),
        ("%h", '"%h" is no atom: they look like %(h)s'),
        ("%(h)d", "%(h): 'd' is for numbers"),
    ],
)
def test_what_is_no_format_is_told_with_its_place(directory, text, why):
    (directory / "app.toml").write_text(f"app = 'x'\n\naccess_log_format = '{text}'\n")
    refused = call("--config", "app.toml", "--check-config", directory=directory)
    assert refused.sentence.startswith(f"app.toml:3: access_log_format: {why}"), refused
    refused = call("--access-logformat", text, "x", directory=directory)
    assert refused.sentence.startswith(f"--access-logformat: {why}") and refused.code == 1, refused
