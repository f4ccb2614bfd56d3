"""What is wrong is told in one sentence that says where it was written, with the exit code that fits."""

import os
import socket

import pytest

pytestmark = pytest.mark.rcorn("about rcorn's own words")

SETUP, USAGE = 1, 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--wrokers", "2", "plain"], ["--wrokers", "--workers"]),
        (["--bnid=x", "plain"], ["--bnid", "--bind"]),
        (["--workers"], ["--workers"]),
        (["--workers", "many", "plain"], ["--workers", "number", "many"]),
        (["--workers", "-1", "plain"], ["--workers"]),
        (["--timeout", "soon", "plain"], ["--timeout", "soon"]),
        (["--log-level", "chatty", "plain"], ["--log-level", "chatty", "debug"]),
        (["--preload=maybe", "plain"], ["--preload", "maybe", "auto"]),
        (["--umask", "999", "plain"], ["--umask", "999"]),
        (["plain", "another"], ["another"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value and value[0].startswith("-") else None,
)
def test_a_command_line_that_is_not_understood(rcorn, arguments, words):
    outcome = rcorn(*arguments)
    assert outcome.code == USAGE
    assert all(word in outcome.sentence for word in words), outcome.sentence


@pytest.mark.parametrize(
    "arguments",
    [["--certfile", "x.pem"], ["--daemon"], ["--http-protocols", "h2"], ["--dirty-workers", "1"], ["--protocol=uwsgi"]],
    ids=lambda value: value[0],
)
def test_what_gunicorn_has_and_rcorn_has_not_is_refused(rcorn, arguments):
    outcome = rcorn(*arguments, "plain")
    assert outcome.code in (SETUP, USAGE)
    assert arguments[0].partition("=")[0] in outcome.sentence and "not supported: " in outcome.sentence


@pytest.mark.parametrize(
    "arguments", [["--http-protocols", "h1"], ["--dirty-workers", "0"], ["--protocol=http"], ["--worker-tmp-dir", "/dev/shm"]]
)
def test_what_changes_nothing_is_not_refused(printed, arguments):
    assert printed(*arguments, "plain")


@pytest.mark.parametrize(
    "arguments",
    [["--worker-class", "sync"], ["-k", "sync"], ["--threads", "1"], ["--limit-request-field_size", "100"]],
    ids=lambda value: value[0],
)
def test_flags_of_gunicorn_that_say_what_rcorn_does_are_taken(printed, arguments):
    assert printed(*arguments, "plain")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('workers = "many"\n', 1, ["workers", "many"]),
        ("# first\n\nworkers = 0\n", 3, ["workers"]),
        ("wrokers = 2\n", 1, ["wrokers", "workers"]),
        ("workers = \n", 1, []),
        ('workers = 2\nbind = "127.0.0.1:99999"\n', 2, ["bind", "99999"]),
        ("workers = 2\nworkers = 3\n", 2, ["workers"]),
        ('threads = 1\nworker_class = "tornado"\n', 2, ["worker_class", "HTTPServer"]),
        ("timeout = true\n", 1, ["timeout"]),
        ('umask = "abc"\n', 1, ["umask", "abc"]),
    ],
)
def test_a_file_is_cited_with_its_line(rcorn, directory, content, line, words):
    (directory / "app.toml").write_text(content)
    outcome = rcorn("--config", "app.toml", "plain")
    assert outcome.code == SETUP
    assert f"app.toml:{line}" in outcome.sentence, outcome.sentence
    assert all(word in outcome.sentence for word in words), outcome.sentence


def test_a_variable_is_cited_by_name(rcorn):
    outcome = rcorn("plain", env={"RCORN_CMD_ARGS": "--workers many"})
    assert "RCORN_CMD_ARGS" in outcome.sentence and "many" in outcome.sentence
    outcome = rcorn("plain", env={"GUNICORN_CMD_ARGS": "--wrokers 2"})
    assert "GUNICORN_CMD_ARGS" in outcome.sentence and "--workers" in outcome.sentence
    outcome = rcorn("plain", env={"WEB_CONCURRENCY": "lots"})
    assert "WEB_CONCURRENCY" in outcome.sentence and outcome.code == SETUP


def test_a_file_that_is_not_there(rcorn):
    outcome = rcorn("--config", "absent.toml", "plain")
    assert outcome.code == SETUP and "absent.toml" in outcome.sentence and "No such file" in outcome.sentence


def test_a_port_in_use(rcorn):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = rcorn("--bind", f"127.0.0.1:{port}", "plain")
    last = outcome.err.strip().splitlines()[-1]
    assert outcome.code == SETUP and str(port) in last and "in use" in last


def test_a_port_that_one_may_not_bind(rcorn, directory):
    if os.geteuid() == 0:
        pytest.skip("root may bind every port")
    outcome = rcorn("--bind", "127.0.0.1:80", "plain")
    assert outcome.code == SETUP and "ermission" in outcome.err


def test_an_address_of_somebody_else(rcorn):
    outcome = rcorn("--bind", "192.0.2.1:8000", "plain")
    last = outcome.err.strip().splitlines()[-1]
    assert outcome.code == SETUP and "192.0.2.1:8000" in last


def test_a_socket_in_a_directory_that_is_not_there(rcorn):
    outcome = rcorn("--bind", "unix:/nowhere/at/all/app.sock", "plain")
    last = outcome.err.strip().splitlines()[-1]
    assert outcome.code == SETUP and "/nowhere/at/all/app.sock" in last


@pytest.mark.parametrize("flag", ["--user", "--group"])
def test_somebody_whom_nobody_knows(rcorn, flag):
    outcome = rcorn(flag, "no-such-somebody", "--bind", "127.0.0.1:0", "plain")
    last = outcome.err.strip().splitlines()[-1]
    assert outcome.code == SETUP and "no-such-somebody" in last


def test_a_directory_that_is_not_there(rcorn):
    outcome = rcorn("--chdir", "/nowhere/at/all", "--bind", "127.0.0.1:0", "plain")
    last = outcome.err.strip().splitlines()[-1]
    assert outcome.code == SETUP and "/nowhere/at/all" in last


def test_a_log_that_cannot_be_written(rcorn):
    outcome = rcorn("--error-logfile", "/nowhere/at/all/log", "--bind", "127.0.0.1:0", "plain")
    last = outcome.err.strip().splitlines()[-1]
    assert outcome.code == SETUP and "/nowhere/at/all/log" in last


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_flag(rcorn, flag):
    outcome = rcorn(flag)
    assert outcome.code == 0 and outcome.err == ""
    for name in ["--bind", "--workers", "--timeout", "--graceful-timeout", "--keep-alive", "--user", "--group", "--umask",
                 "--pid", "--name", "--log-level", "--access-logfile", "--error-logfile", "--chdir", "--pythonpath", "--env",
                 "--preload", "--backlog", "--reuse-port", "--config", "--check-config", "--print-config", "--python",
                 "--startup-timeout", "--version"]:  # fmt: skip
        assert name in outcome.out, name


@pytest.mark.parametrize("program", ["rcorn", "rcornctl"])
@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version(rcorn, program, flag):
    if flag == "-V" and program == "rcorn":
        flag = "-v"  # Gunicorn's short form
    outcome = rcorn(flag, program=program)
    assert outcome.code == 0 and outcome.out.startswith(f"{program} ") and outcome.err == ""


class TestCheckConfig:
    """`--check-config` tries everything but serving."""

    def test_all_is_well(self, rcorn):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            outcome = rcorn("--check-config", "-b", f"127.0.0.1:{taken.getsockname()[1]}", "plain")
        assert outcome.code == 0, outcome

    def test_the_application_is_imported(self, rcorn, directory):
        (directory / "broken.py").write_text("import a_module_that_nobody_has\n")
        outcome = rcorn("--check-config", "broken")
        assert outcome.code == 3 and "ModuleNotFoundError" in outcome.err

    def test_the_callable_is_looked_for(self, rcorn):
        outcome = rcorn("--check-config", "plain:missing")
        assert outcome.code == 4 and "missing" in outcome.err

    def test_the_settings_are_read(self, rcorn):
        assert rcorn("--check-config", "--workers", "many", "plain").code in (SETUP, USAGE)

    def test_the_user_is_looked_up(self, rcorn):
        outcome = rcorn("--check-config", "--user", "no-such-somebody", "plain")
        assert outcome.code == SETUP and "no-such-somebody" in outcome.err
