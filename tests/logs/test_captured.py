"""`capture_output`: what the application prints is in the error log."""

import json
import os

import pytest
from support.waiting import wait_until

from .conftest import KINDS


@pytest.fixture
def error(directory):
    return directory / "error"


def wait_for(path, text):
    return wait_until(lambda: path.exists() and text in path.read_text(), f"{path} has {text!r}")


@pytest.mark.parametrize("kind", ["sync", "threads", "gevent"])
def test_what_is_printed(serve, error, kind):
    app, flags = KINDS[kind]
    server = serve(app, *flags, "--capture-output", "--error-logfile", error, env={"PYTHONUNBUFFERED": "1"})
    server.get("/prints?say=this")
    wait_for(error, "printed this\n")
    wait_for(error, "complained this\n")
    assert "this" not in server.log + server.output


@pytest.mark.rcorn("Gunicorn's is buffered")
def test_at_once(serve, error):
    server = serve("logged", "--capture-output", "--error-logfile", error)
    server.get("/prints?say=this")
    wait_for(error, "printed this\n")


@pytest.mark.rcorn("Gunicorn's own loggers")
def test_in_the_new_file_after_a_rename(serve, error):
    server = serve("logged", "--capture-output", "--error-logfile", error)
    server.get("/prints?say=this")
    wait_for(error, "printed this")
    os.rename(error, f"{error}.1")
    wait_for(error, "reopened")
    wait_until(lambda: server.get("/prints?say=that") and "printed that" in error.read_text(), "it is in the new file")


@pytest.mark.rcorn("Gunicorn has no records")
def test_in_json(serve, error):
    server = serve("logged", "--capture-output", "--error-logfile", error, "--log-format", "json")
    server.get("/prints?say=this")
    wait_for(error, "printed this")
    record = next(record for record in map(json.loads, error.read_text().splitlines()) if "printed" in record["message"])
    assert (record["log"], record["worker"], record["level"]) == ("stdout", 1, "INFO")


def test_not_without_it(serve, error):
    server = serve("logged", "--error-logfile", error, env={"PYTHONUNBUFFERED": "1"})
    server.get("/prints?say=this")
    wait_until(lambda: "printed this" in server.output and "complained this" in server.log, "it goes where it goes")
    assert "this" not in error.read_text()


def test_where_the_error_log_is_no_file_nothing_changes(serve):
    server = serve("logged", "--capture-output", env={"PYTHONUNBUFFERED": "1"})
    server.get("/prints?say=this")
    wait_until(lambda: "printed this" in server.output and "complained this" in server.log, "it goes where it goes")
