"""Whole deployments on Gunicorn and on rcorn, with only the program's name changed: what can be seen of them is the same.

A case is a directory of `cases` with its gunicorn.conf.py, and a line here that says how it is called and what is asked.
"""

import signal

import pytest
from drop_in.both import SERVERS, Case, Deployment, cpus, fails, seen
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("it runs both by itself")

SECURE = (("X-Forwarded-Proto", "https"),)

CASES = [
    Case(
        "flask",
        requests=(("/", ()), ("/environ?a=b", SECURE), ("/fail", ()), ("/nowhere", ())),
        socket="shop.sock",
        pid_file="shop.pid",
        files=("access.log",),
        workers=cpus() * 2 + 1,
    ),
    Case(
        "django",
        ("site_wsgi",),
        requests=(("/", ()), ("/", SECURE), ("/deep/a-b/", ()), ("/" + "x" * 2100, ())),
        socket="django.sock",
        pid_file="django.pid",
        workers=2,
    ),
    Case(
        "fastapi", ("api:app",), requests=(("/", ()), ("/items/3", ()), ("/items/x", ())), socket="api.sock", workers=min(cpus(), 2)
    ),
    Case("container", ("main:app",), workers=max(cpus(), 2)),
    Case("container", ("main:app",), {"WEB_CONCURRENCY": "3", "LOG_LEVEL": "warning", "BIND": "unix:a.sock"}, socket="a.sock", workers=3),
    Case("container", ("main:app", "--workers", "1"), {"GUNICORN_CMD_ARGS": "--workers=4 -b unix:b.sock"}, socket="b.sock", workers=1),
    Case("container", ("-c", "file:gunicorn.conf.py", "main:app", "-k", "sync", "-w1", "--error-log", "-", "--time=20"), workers=1),
    Case("spelled_out", ("main:app",), requests=(("/?x=1", ()),), workers=1),
    Case(
        "proxied",
        ("main:app",),
        requests=(
            ("/a", (("X-Scheme", "tls"),)),
            ("/a", (("X-Forwarded-Proto", "https"),)),
            ("/shop/a", (("SCRIPT_NAME", "/shop"),)),
            ("/" + "a" * 100, ()),
            ("/", tuple((f"X-{number}", "1") for number in range(30))),
        ),
        socket="proxied.sock",
        workers=2,
    ),
]  # fmt: skip


def known(told):
    """Without what docs/compatibility.md says is another matter: the page that an error has."""
    for index, (status, kind, body) in enumerate(told["answers"]):
        if status >= 400 and kind != "application/json":
            told["answers"][index] = (status, None, None)
    return told


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join([case.name, *case.words, *case.env]))
def test_they_do_the_same(directory, no_leaks, case):
    # Names of one length: what an application tells of its directory has the same length then.
    gunicorn, rcorn = (known(seen(server, case, directory / server.ljust(8, "_"))) for server in SERVERS)
    assert rcorn == gunicorn
    assert gunicorn["answers"][0][0] == 200, "it says something"


MISTAKES = {
    "an exception": "import os\nworkers = os.nothing\n",
    "a syntax error": "workers = (\n",
    "a value": "workers = 'many'\n",
    "a negative one": "workers = -1\n",
    "a hook that is none": "post_fork = 5\n",
    "a class that is not there": "worker_class = 'nothing.Worker'\n",
    "an address": "bind = '127.0.0.1:http'\n",
    "no application": "workers = 1\n",
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("server", SERVERS)
def test_mistakes_in_the_file_end_both(directory, no_leaks, server, mistake):
    words = () if mistake == "no application" else ("main:app",)
    (directory / "a.py").write_text(MISTAKES[mistake])
    case = Case("spelled_out", ("-c", directory / "a.py", *words), {"NOTIFY_SOCKET": None})
    code, log = fails(server, case, directory / server)
    # What the command line lacks is a mistake of its own in rcorn.
    assert code == (2 if mistake == "no application" and server == "rcorn" else 1), log


@pytest.mark.parametrize(("call", "code"), [("absent:app", 3), ("main:absent", 4)])
@pytest.mark.parametrize("server", SERVERS)
def test_applications_that_are_not_there(directory, no_leaks, server, call, code):
    case = Case("spelled_out", (call,))
    assert fails(server, case, directory / server)[0] == code


@pytest.mark.parametrize("server", SERVERS)
def test_a_reload_reads_the_file_again(directory, no_leaks, server):
    case = Case("proxied", ("main:app",), socket="proxied.sock", workers=2)
    with Deployment(server, case, directory / server) as deployment:
        deployment.ready()
        before = {process.pid for process in deployment.workers_there()}
        conf = deployment.place / "gunicorn.conf.py"
        conf.write_text(conf.read_text().replace("workers = 2", "workers = 3"))
        deployment.server.send(signal.SIGHUP)

        def reloaded():
            now = {process.pid for process in deployment.workers_there()}
            return len(now) == 3 and not now & before

        wait_until(reloaded, "there are three new workers", 20)
        assert deployment.answers()[0][0] == 200
