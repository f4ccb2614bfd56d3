"""logconfig, logconfig_json, logconfig_dict: the application's logging, and the server's records for who names its loggers."""

import json
import os
import signal

import pytest
from support.client import request_bytes
from support.server import APPS, call, copy_app
from support.subject import IS_RCORN
from support.waiting import wait_until

from .conftest import KINDS

FORMATTER = {"class": "logging.Formatter", "format": "%(levelname)s %(name)s: %(message)s"}


def config(directory, *names):
    """Handlers that write to files of the loggers' names."""
    return {
        "version": 1,
        "formatters": {"plain": FORMATTER},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "plain"},
            **{name: {"class": "logging.FileHandler", "filename": str(directory / name), "formatter": "plain"} for name in names},
        },
        "loggers": {name: {"level": "INFO", "handlers": [name], "propagate": False} for name in names},
    }


def ini(directory, name):
    return f"""
[loggers]
keys = root, shop
[handlers]
keys = file
[formatters]
keys = plain
[logger_root]
level = INFO
handlers = file
[logger_shop]
level = INFO
handlers = file
qualname = {name}
propagate = 0
[handler_file]
class = FileHandler
args = ({str(directory / name)!r}, "a")
formatter = plain
[formatter_plain]
format = %(levelname)s %(name)s: %(message)s
"""


def write(directory, form, names):
    """The flags for a configuration of this form."""
    if form == "ini":
        (path := directory / "logging.ini").write_text(ini(directory, names[0]))
        return ["--log-config", path]
    (path := directory / "logging.json").write_text(json.dumps(config(directory, *names)))
    return ["--log-config-json", path]


def wait_for(path, text):
    return wait_until(lambda: path.exists() and text in path.read_text() and path.read_text(), f"{path} has {text!r}")


@pytest.mark.parametrize("form", ["ini", "json"])
def test_the_applications_logging(serve, directory, form, kind):
    app, flags = KINDS[kind]
    server = serve(app, *flags, *write(directory, form, ["shop"]))
    server.get("/logs?say=hello")
    assert wait_for(directory / "shop", "hello") == "WARNING shop: a word of the shop: hello\n"


@pytest.mark.rcorn("of rcorn's own settings file")
@pytest.mark.parametrize("preload", ["on", "off", "auto"])
def test_a_table_of_the_settings_file(serve, directory, preload):
    text = f"""
preload = "{preload}"
[logconfig_dict]
version = 1
[logconfig_dict.formatters.plain]
format = "%(name)s|%(message)s"
[logconfig_dict.handlers.file]
class = "logging.FileHandler"
filename = "{directory}/shop"
formatter = "plain"
[logconfig_dict.handlers.console]
class = "logging.StreamHandler"
[logconfig_dict.loggers.shop]
level = "INFO"
handlers = ["file"]
"""
    (directory / "app.toml").write_text(text)
    server = serve("logged", "-c", directory / "app.toml", "--workers", 2)
    server.get("/logs?say=hello")
    assert wait_for(directory / "shop", "hello") == "shop|a word of the shop: hello\n"
    assert "a fork" not in server.log, "handlers that write files survive one"


@pytest.mark.parametrize("form", ["ini", "json"])
def test_access_records_for_who_names_their_logger(serve, directory, form, kind):
    app, flags = KINDS[kind]
    server = serve(app, *flags, *write(directory, form, ["gunicorn.access"]), "--access-logformat", "%(m)s %(U)s %(s)s %(B)s %({X-Order}o)s")
    server.get("/noted?a=b")
    assert wait_for(directory / "gunicorn.access", "noted") == "INFO gunicorn.access: GET /noted 200 5 4711\n"


def test_error_records_for_who_names_their_logger(serve, directory, kind):
    app, flags = KINDS[kind]
    server = serve(app, *flags, *write(directory, "json", ["gunicorn.error"]))
    server.get("/raises")
    said = wait_for(directory / "gunicorn.error", "RuntimeError")
    wanted = "ERROR gunicorn.error: Error handling request " if kind != "asgi" else "ERROR gunicorn.error: "
    assert wanted in said and "Traceback (most recent call last):" in said
    if IS_RCORN:
        assert "RuntimeError" not in server.log, "it is said once"
        assert "Listening at" in server.log, "what the arbiter says stays where it was"


@pytest.mark.rcorn("Gunicorn configures before it forks")
def test_a_handler_that_does_not_survive_a_fork(serve, directory):
    copy_app("loggers", directory)
    made = config(directory, "shop")
    made["handlers"]["shop"] = {"()": "loggers.Threaded", "filename": str(directory / "shop")}
    (directory / "logging.json").write_text(json.dumps(made))
    server = serve("logged", "--pythonpath", directory, "--log-config-json", directory / "logging.json", "--workers", 2)
    server.wait_for_log("thread")
    server.get("/logs?say=hello")
    assert wait_for(directory / "shop", "hello") == "a word of the shop: hello\n"


INTERRUPTS = """
import logging, os, signal

class Interrupting(logging.FileHandler):
    def emit(self, record):
        super().emit(record)
        if "first" in record.getMessage():
            os.kill(os.getpid(), signal.SIGQUIT)
"""


@pytest.mark.rcorn("Gunicorn tells each one as it ends")
def test_an_interrupt_within_a_handler_loses_nothing(serve, directory):
    options = config(directory, "gunicorn.access")
    options["handlers"]["gunicorn.access"]["class"] = "interrupting.Interrupting"
    (directory / "logging.json").write_text(json.dumps(options))

    def prepare(place):
        (place / "interrupting.py").write_text(INTERRUPTS)

    server = serve("logged", "--log-config-json", directory / "logging.json", prepare=prepare)
    (worker,) = server.wait_for_workers(1)
    with server.connect() as connection:
        # All are answered before anything is told of them.
        connection.send(b"".join(request_bytes(f"/{target}") for target in ("first", "second", "third")))
        wait_until(lambda: worker not in server.workers(), "the worker has left")
    told = (directory / "gunicorn.access").read_text()
    assert [target in told for target in ("first", "second", "third")] == [True] * 3, told


@pytest.mark.rcorn("it costs speed, so somebody has to ask for it")
def test_nothing_is_delivered_to_who_does_not_name_the_loggers(serve, directory, access):
    server = serve("logged", *write(directory, "json", ["shop"]), "--access-logfile", access)
    server.get("/raises")
    server.wait_for_log("RuntimeError: the application raised this")
    wait_until(lambda: "GET /raises" in access.read_text(), "the access log has the line")


def test_formatters_find_the_atoms_in_a_record(serve, directory, access):
    """As packages for JSON do it."""
    copy_app("loggers", directory)
    made = config(directory, "gunicorn.access")
    made["formatters"]["plain"] = {"()": "loggers.AccessFormatter"}
    (directory / "logging.json").write_text(json.dumps(made))
    server = serve("logged", "--pythonpath", directory, "--log-config-json", directory / "logging.json", "--access-logformat", "%(r)s")
    server.get("/noted", headers={"User-Agent": "tests"})
    record = json.loads(wait_for(directory / "gunicorn.access", "\n"))
    assert record == {
        "h": "127.0.0.1",
        "m": "GET",
        "U": "/noted",
        "s": "200",
        "B": 5,
        "{user-agent}i": "tests",
        "{x-order}o": "4711",
        "name": "gunicorn.access",
        "message": "GET /noted HTTP/1.1",
    }


@pytest.mark.rcorn("Gunicorn has no such format")
def test_records_of_json(serve, directory, kind):
    app, flags = KINDS[kind]
    server = serve(app, *flags, *write(directory, "json", ["gunicorn.access"]), "--access-logformat", "json")
    server.get("/noted", headers={"User-Agent": 'a "b" %s'})
    said = wait_for(directory / "gunicorn.access", "noted").removeprefix("INFO gunicorn.access: ")
    record = json.loads(said)
    assert (record["status"], record["bytes"], record["user_agent"], record["client"]) == (200, 5, 'a "b" %s', "127.0.0.1")
    assert 0 <= record["queue_us"] < 20_000_000 and record["duration_us"] < 20_000_000


@pytest.mark.rcorn("Gunicorn has no lines for these")
def test_what_is_refused_is_delivered_and_cannot_forge_a_line(serve, directory, kind):
    app, flags = KINDS[kind]
    server = serve(app, *flags, *write(directory, "json", ["gunicorn.access"]), "--access-logformat", '%(s)s "%(U)s" %(reason)s')
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
        connection.response()
    server.get("/a%0Ab%22")
    said = wait_until(lambda: (text := (directory / "gunicorn.access").read_text()).count("\n") >= 2 and text, "there are two")
    assert said.splitlines() == [
        'INFO gunicorn.access: 400 "/" a header name is malformed',
        f'INFO gunicorn.access: {200 if kind == "asgi" else 404} "/a\\x0ab\\"" -',
    ]


@pytest.mark.rcorn("Gunicorn's own loggers are reopened too")
def test_the_applications_files_follow_a_rename_on_usr1(serve, directory, kind):
    app, flags = KINDS[kind]
    server = serve(app, *flags, *write(directory, "json", ["shop"]), "--workers", 2)
    server.get("/logs?say=one")
    wait_for(directory / "shop", "one")
    os.rename(directory / "shop", directory / "shop.1")
    server.send(signal.SIGUSR1)
    server.wait_for_log("reopened")
    wait_until(lambda: server.get("/logs?say=two") and (directory / "shop").exists() and "two" in (directory / "shop").read_text(), "the new file has it")


@pytest.mark.rcorn("Gunicorn ignores a missing JSON file, and says less")
class TestMistakes:
    WRONG = [
        ("--log-config-json", "{", "this is not JSON"),
        ("--log-config-json", "[]", "expected an object, found list"),
        ("--log-config-json", '{"handlers": {"a": {"class": "no.such"}}}', "Unable to configure handler 'a'"),
        ("--log-config", "[loggers]\nkeys = root\n", "there is no section or option 'formatters'"),
        ("--log-config", "nonsense", "no section headers"),
    ]

    @pytest.mark.parametrize(("flag", "text", "why"), WRONG)
    @pytest.mark.parametrize("flags", [["--check-config"], ["--preload"], ["--preload=off"]])
    def test_are_told_with_the_file(self, directory, flag, text, why, flags):
        copy_app("logged", directory)
        (directory / "wrong").write_text(text)
        setting = "logconfig_json" if "json" in flag else "logconfig"
        done = call(flag, "wrong", *flags, "--bind", "127.0.0.1:0", "--max-boot-failures=1", "logged", directory=directory)
        assert done.code == 1 and f"{setting}: {directory.resolve()}/wrong: " in done.err and why in done.err.lower() + done.err, done.err
        assert "Traceback" not in done.err

    @pytest.mark.parametrize(("flag", "setting"), [("--log-config", "logconfig"), ("--log-config-json", "logconfig_json")])
    def test_a_file_that_is_missing(self, directory, flag, setting):
        refused = call(flag, "nowhere", "logged", directory=directory)
        assert refused.sentence == f"{flag}: there is no file {directory.resolve()}/nowhere" and refused.code == 1

    def test_a_reload_fails_safely(self, serve, directory):
        flags = write(directory, "json", ["shop"])
        server = serve("logged", *flags)
        (directory / "logging.json").write_text("{")
        server.send(signal.SIGHUP)
        server.wait_for_log("reload failed: .*logconfig_json: .*this is not JSON")
        assert server.get("/noted").status == 200 and APPS.exists()
