"""`logger_class`: Gunicorn's names are ours, and a class made of Gunicorn's is asked as Gunicorn asks it."""

import json
import signal

import pytest
from support.lines import wait_for_lines, whole_lines
from support.server import call, copy_app
from support.subject import IS_RCORN
from support.waiting import wait_until

from .conftest import KINDS


@pytest.fixture
def server_of(serve, directory, access):
    copy_app("loggers", directory)

    def start(name, kind, *flags):
        app, further = KINDS[kind]
        return serve(app, *further, "--pythonpath", directory, "--logger-class", name, "--access-logfile", access, *flags)

    return start


def test_one_that_leaves_out_health_checks(server_of, access, kind):
    server = server_of("loggers.Quiet", kind)
    server.get("/health")
    server.get("/noted")
    (line,) = wait_for_lines(access, 1)
    assert '"GET /noted HTTP/1.1" 200 5' in line and line.startswith("127.0.0.1 - - [")


@pytest.mark.parametrize("kind", ["sync", "threads", "gevent"])
def test_one_with_an_atom_and_a_form_of_its_own(server_of, access, directory, kind):
    server = server_of("loggers.Structured", kind, "--access-logformat", "%(order)s %(U)s", "--error-logfile", directory / "error")
    server.get("/noted")
    server.get("/raises")
    assert wait_for_lines(access, 2) == ["4711 /noted", "none /raises" if IS_RCORN else "none None"]
    lines = wait_until(lambda: [line for line in whole_lines(directory / "error") if "Error handling" in line], "it is told")
    assert json.loads(lines[0])["raised"] == "RuntimeError"


@pytest.mark.parametrize("name", ["gunicorn.glogging.Logger", "gunicorn.instrument.statsd.Statsd"])
@pytest.mark.rcorn("rcorn's rule")
def test_gunicorns_own_names_are_ours(serve, access, name):
    server = serve("logged", "--logger-class", name, "--access-logfile", access)
    server.get("/noted")
    assert '"GET /noted HTTP/1.1" 200 5' in wait_for_lines(access, 1)[0]


@pytest.mark.rcorn("of rcorn's own sentences")
class TestMistakes:
    def test_one_that_fails_at_a_request(self, server_of):
        server = server_of("loggers.Failing", "sync")
        assert server.get("/noted").status == 200
        server.wait_for_log("Python's logging has failed\nTraceback")
        server.wait_for_log("KeyError: 'forgotten'")

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("loggers.Broken", "logger_class: Broken cannot be made: no such place"),
            ("loggers.None", "logger_class: there is no loggers.None"),
            ("nowhere.Logger", "logger_class: nowhere.Logger cannot be imported: No module named 'nowhere'"),
        ],
    )
    def test_one_that_cannot_be_made(self, directory, name, why):
        for app in ("logged", "loggers"):
            copy_app(app, directory)
        done = call("--logger-class", name, "--check-config", "logged", directory=directory)
        assert done.code == 1 and why in done.err and "Traceback" not in done.err, done.err

    def test_what_is_no_name(self, directory):
        for name, why in (("Quiet", "expected the dotted name of a class"), ("egg:a#b", "entry points are not looked up")):
            refused = call("--logger-class", name, "logged", directory=directory)
            assert refused.code == 2 and why in refused.sentence

    def test_json_is_for_ours(self, directory):
        refused = call("--logger-class", "a.B", "--access-logformat", "json", "logged", directory=directory)
        assert refused.sentence == "--access-logformat: a.B takes text with atoms, not json"


@pytest.mark.rcorn("of rcorn's reload")
def test_after_a_reload_and_a_rename(server_of, access):
    server = server_of("loggers.Quiet", "sync")
    server.send(signal.SIGHUP)
    server.wait_for_log("reloaded: generation 2")
    server.get("/noted?n=1")
    wait_for_lines(access, 1)
    access.rename(f"{access}.1")
    wait_until(lambda: access.exists(), "the file is there again")
    wait_until(lambda: server.get("/noted?n=2") and whole_lines(access), "and written")
