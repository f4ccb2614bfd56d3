"""Fixtures of every test, and the promises that hold for each: own directory, no process left behind."""

import fcntl
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support import processes, systemd
from support.interpreters import supported
from support.server import Server, copy_app
from support.subject import IS_RCORN, NAME, THREADS, Subject, binary
from support.waiting import Impatience, wait_until

# The processes of one run inherit its name from the first.
RUN = os.environ.setdefault("RCORN_TEST_RUN", str(os.getpid()))
DOOR, ROOM = (Path(tempfile.gettempdir(), f"rcorn-{RUN}-{name}") for name in ("door", "room"))

processes.adopt_orphans()

# A shell has what it starts in the background ignore these, and so would all that is started here.
for _number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)


def pytest_configure(config):
    config.addinivalue_line("markers", "rcorn(why): says nothing about Gunicorn")
    config.addinivalue_line("markers", "inline(why): is about workers that are in one request at a time")
    config.addinivalue_line("markers", "alone: measures time, so no other test runs beside it")
    if not supported():
        pytest.exit("no Python 3.11 or newer was found", returncode=3)
    if IS_RCORN and not binary().exists():
        pytest.exit(f"{binary()} is not there: cargo build makes it", returncode=3)


def pytest_collection_modifyitems(items):
    for item in items:
        reason = item.get_closest_marker("rcorn")
        if reason and not IS_RCORN:
            item.add_marker(pytest.mark.skip(reason=f"not for {NAME}: {reason.args[0]}"))
        inline = item.get_closest_marker("inline")
        if inline and THREADS:
            item.add_marker(pytest.mark.skip(reason=f"not with threads: {inline.args[0]}"))
    items.sort(key=lambda item: item.get_closest_marker("alone") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Many tests share the machine; one that is marked `alone` waits for the others and keeps them out."""
    with open(DOOR, "w") as door, open(ROOM, "w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        alone = item.get_closest_marker("alone") is not None
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)


def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        DOOR.unlink(missing_ok=True)
        ROOM.unlink(missing_ok=True)


@pytest.fixture
def directory():
    """A short path (a unix socket's has at most 107 bytes) that other users may enter."""
    path = Path(tempfile.mkdtemp(prefix="rcorn-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def no_leaks():
    """After the test no process is there that was not there before."""
    known = {process.pid for process in processes.descendants(os.getpid())}

    def left():
        processes.reap_orphans(known)
        return [process for process in processes.descendants(os.getpid()) if process.pid not in known]

    yield
    try:
        wait_until(lambda: not left(), "every process of the test is gone", seconds=5)
    except Impatience:
        leaked = [(process.pid, process.title) for process in left()]
        processes.kill_all(left())
        wait_until(lambda: not left(), "the leaked processes are killed")
        pytest.fail(f"processes left behind: {leaked}")


@pytest.fixture
def start(request, directory, no_leaks):
    """Starts servers: `start("plain", "--workers", 2)`. They are ended after the test, gracefully or as a failure."""
    servers = request.node.servers = []

    def start(
        app=None, *flags, handed=True, listener=None, env=None, call=None, subject=None, user=None, prepare=None
    ):
        """`app` is a file of tests/apps; `call` is what stands for it on the command line, "" for nothing.
        `prepare` is called with the server's directory before it starts."""
        place = directory / str(len(servers)) if servers else directory / "run"
        place.mkdir()
        if app:
            copy_app(app, place)
        if prepare:
            prepare(place)
        if handed and listener is None:
            listener = systemd.tcp_listener()
        spec = app if call is None else call
        server = Server(place, [*flags, *filter(None, [spec])], env=env, listener=listener, subject=subject, user=user)
        servers.append(server)
        return server

    yield start
    complaints = [complaint for complaint in [server.clean_up() for server in servers] if complaint]
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def serve(start):
    """As `start`, and waits until the server is ready."""

    def serve(app="plain", *flags, **options):
        return start(app, *flags, **options).ready()

    return serve


@pytest.fixture
def plain(serve):
    """One worker with the plain application."""
    return serve("plain")


@pytest.fixture(scope="session")
def subject():
    return Subject.default()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its servers said."""
    report = yield
    if report.when == "call" and report.failed:
        for server in getattr(item, "servers", []):
            report.sections.append((f"server {server.pid}", server.report()))
    return report
