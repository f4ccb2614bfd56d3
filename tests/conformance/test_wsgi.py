"""The WSGI cases: what the client reads, what the application notes, what the log shows, and that the worker lives."""

import json

import pytest
from support import systemd
from support.client import Closed, Connection, request_bytes
from support.subject import IS_RCORN, NAME
from support.waiting import stays_true, wait_until

from .cases.wsgi import CASES


@pytest.fixture(scope="module")
def server(servers):
    return servers.get("pep3333")


def test_names_are_told_apart():
    assert len({case.rule for case in CASES}) == len(CASES) >= 80


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(server, case, request):
    if not IS_RCORN and case.gunicorn:
        # Where it does not differ, saying so is a mistake.
        request.applymarker(pytest.mark.xfail(reason=f"{NAME}: {case.gunicorn}", strict=True))
    worker, log = server.get("/pid").json, len(server.log)
    server.get("/events")
    with server.connect() as connection:
        response = ask(connection, case)
        if case.cut:
            assert response is None, f"it looks complete: {response}"
        else:
            check(response, case)
    if case.log:
        with server.explained():
            wait_until(lambda: case.log in server.log[log:], f"the log shows {case.log!r}")
    if case.events is not None:
        assert server.get("/events").json == case.events
    assert server.get("/pid").json == worker, "the worker serves on"


def ask(connection, case):
    """The response; None when it was cut short."""
    version = dict(case.headers).get("HTTP", "1.1")
    headers = [pair for pair in case.headers if pair[0] != "HTTP"]
    connection.send(request_bytes(case.path, case.method, headers, case.send, version))
    try:
        return connection.response(case.method)
    except Closed:
        return None


def check(response, case):
    assert response is not None, "it was cut short"
    assert response.status == case.status, response.body[:300]
    assert len(response.interim) == case.interim
    for name, value in case.response.items():
        assert response.header(name) == value, response.headers
    if case.body is not None:
        is_json = response.header("Content-Type") == "application/json"
        assert (response.json if is_json and case.body != "" else response.text) == case.body


CGI = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/environ-strings",
    "QUERY_STRING": "a=b%20c",
    "RAW_URI": "/environ-strings?a=b%20c",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.url_scheme": "http",
}


@pytest.mark.parametrize("name", CGI)
def test_variable(server, name):
    assert server.get("/environ-strings?a=b%20c").json[name] == CGI[name]


def test_variables_of_the_address(server):
    with server.connect() as connection:
        seen = connection.request("/environ-strings").json
        assert seen["REMOTE_PORT"] == str(connection.socket.getsockname()[1])
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("127.0.0.1", str(server.address[1]))
    assert seen["SERVER_SOFTWARE"].split("/")[0] == NAME


TYPES = {
    "environ": "dict",
    "wsgi.version": "tuple",
    "wsgi.multithread": "bool",
    "wsgi.multiprocess": "bool",
    "wsgi.run_once": "bool",
    "wsgi.input_terminated": "bool",
    "wsgi.file_wrapper": "type",
    "SERVER_PORT": "str",
    "REMOTE_PORT": "str",
    "QUERY_STRING": "str",
}


@pytest.mark.parametrize("name", TYPES)
def test_type(server, name):
    assert server.get("/environ-types").json[name] == TYPES[name]


def test_lengths_and_types_of_bodies_have_names_of_their_own(server):
    with server.connect() as connection:
        seen = connection.request("/environ-strings", "POST", {"Content-Type": "text/x"}, b"abc").json
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"]) == ("text/x", "3")
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(seen)
    seen = server.get("/environ-strings").json
    assert not {"CONTENT_TYPE", "CONTENT_LENGTH"} & set(seen), "only if they were sent"


@pytest.mark.parametrize(("host", "name", "port"), [("b.example:81", "b.example", "81"), ("b.example", "b.example", "80")])
def test_on_a_unix_socket_the_host_field_names_the_server(start, directory, host, name, port):
    path = str(directory / "http.sock")
    server = start("pep3333", listener=systemd.unix_listener(path)).ready()
    seen = server.get("/environ-strings", headers={"Host": host}).json
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"], seen["REMOTE_ADDR"]) == (name, port, "")
    assert "REMOTE_PORT" not in seen


@pytest.mark.rcorn("the subject is gthread with one thread")
@pytest.mark.parametrize("threads", [1, 4])
def test_several_threads_are_told(start, threads):
    server = start("pep3333", "--threads", threads).ready()
    assert server.get("/multithread").json is (threads > 1)


def test_several_workers_are_several_processes(start):
    server = start("pep3333", "--workers", 2).ready()
    assert server.get("/environ-values").json["wsgi.multiprocess"] is True


def test_each_piece_is_sent_before_the_next_is_made(start):
    """PEP 3333, "Middleware Handling of Block Boundaries"."""
    server = start("pep3333").ready()
    with server.connect() as connection:
        connection.send(request_bytes("/pieces-one-by-one"))
        assert connection.head().status == 200
        for number in range(3):
            assert connection.chunk() == str(number).encode()
            (server.directory / f"seen-{number}").touch()
        assert connection.chunk() == b""
    expected = [f"{what} {number}" for number in range(3) for what in ("made", "seen")]
    assert server.get("/events").json == expected


def test_a_slow_reader_of_an_endless_result_costs_a_bounded_buffer(start):
    server = start("pep3333", "--timeout", 0, "--workers", 1).ready()
    (worker,) = server.wait_for_workers(1)
    before = resident(worker)
    with Connection(server.address, receive_buffer=8192) as slow:
        slow.send(request_bytes("/endless"))
        assert slow.head().status == 200
        stays_true(lambda: resident(worker) - before < 8 << 20, "the worker's memory is bounded", seconds=1.5)
        slow.abort()
    wait_until(lambda: server.get("/events").json[-1:] == ["close"], "the result is closed when the client is gone")


def resident(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


@pytest.mark.parametrize("leaves", ["abort", "close"])
def test_a_result_is_closed_once_when_the_client_leaves(start, leaves):
    server = start("pep3333", "--timeout", 0).ready()
    with server.connect() as connection:
        connection.send(request_bytes("/endless"))
        connection.exactly(100_000)
        getattr(connection, leaves)()
    noted = []

    def is_closed():
        noted.extend(server.get("/events").json)
        return noted[-1:] == ["close"]

    with server.explained():
        wait_until(is_closed, "it is closed")
    assert noted.count("close") == 1


CLEAN = ["/result-list", "/result-generator", "/late-start", "/write-only", "/file-real", "/file-in-memory", "/environ-types"]


@pytest.mark.parametrize("path", CLEAN)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_validator_has_no_complaint(servers, path, method):
    server = servers.get("validated")
    log = len(server.log)
    with server.connect() as connection:
        headers = {"Content-Type": "text/plain"} if method == "POST" else {}
        response = connection.request(path, method, headers, b"body" if method == "POST" else None)
        assert response.status in (200, 201), response.text
    assert "AssertionError" not in server.log[log:] and "Traceback" not in server.log[log:]


FLASK = """
from wsgiref.validate import validator
from flask import Flask, Response, request
app = Flask(__name__)
@app.route("/", methods=["GET", "POST"])
def hello():
    # The validator wants a size with each read.
    return {"length": len(request.stream.read(10_000_000))}
@app.route("/stream")
def stream():
    return Response((piece for piece in ["a", "b"]), mimetype="text/plain")
application = validator(app)
"""


@pytest.mark.rcorn("the validator is for the server that is made here")
def test_flask_under_the_validator(start, directory):
    (directory / "validated_flask.py").write_text(FLASK)
    server = start(None, "--pythonpath", directory, call="validated_flask").ready()
    assert server.get("/", headers={"Content-Type": "a/b"}).json == {"length": 0}
    assert server.request("/", "POST", {"Content-Type": "a/b"}, b"x" * 2_000_000).json == {"length": 2_000_000}
    assert server.get("/stream").text == "ab"
    assert "AssertionError" not in server.log


def test_json_is_json():
    """The cases compare with what JSON can say."""
    for case in CASES:
        if case.body is not None:
            json.dumps(case.body)
