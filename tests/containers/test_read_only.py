"""A root that is read-only, no /tmp, no /run, no /dev/shm: it serves, and says once what is not as usual."""

import os
import shutil

import pytest
from support.server import APPS
from support.waiting import stays_true

from containers.conftest import READ_ONLY

WRITABLE = """
import tempfile
from plain import application as plain


def is_writable(directory):
    try:
        tempfile.TemporaryFile(dir=directory).close()
        return True
    except OSError:
        return False


def application(environ, start_response):
    if environ["PATH_INFO"] != "/writable":
        return plain(environ, start_response)
    start_response("200 OK", [])
    places = ["/", "/tmp", "/var/tmp", "/run", "/dev/shm", "/dev", "."]
    return [",".join(place for place in places if is_writable(place)).encode()]
"""


@pytest.fixture
def frozen(contain, directory):
    site = directory / "site"
    site.mkdir()
    (site / "writable.py").write_text(WRITABLE)
    shutil.copy(APPS / "plain.py", site)

    def frozen(*flags):
        return contain(None, "--chdir", site, *flags, call="writable", root=READ_ONLY).server

    return frozen


def test_it_serves(frozen):
    server = frozen("--workers", 2).ready()
    assert server.get("/writable").text == "", "nothing can be written there"
    assert server.get("/").text == "hello"
    body = os.urandom(3_000_000)
    assert server.request("/echo", "POST", body=body).body == body, "in a memory file"
    warnings = [line for line in server.log.splitlines() if "[WARNING]" in line]
    assert len(warnings) == 1 and "request bodies above 1 MiB are kept in memory" in warnings[0], warnings


def test_the_directory_for_bodies_that_was_asked_for(frozen):
    server = frozen("--tmp-upload-dir", "/var/tmp").ready()
    server.wait_for_log(r"\[WARNING\] tmp_upload_dir: no file can be made in /var/tmp")
    assert server.request("/echo", "POST", body=b"x" * 3_000_000).status == 500
    assert server.request("/echo", "POST", body=b"x" * 3_000).status == 200
    assert server.get("/").text == "hello"


@pytest.mark.parametrize("flag, what", [("--pid", "the pid file"), ("--control-socket", "the control socket")])
def test_a_file_that_was_asked_for(frozen, flag, what):
    """Whoever names one relies on it."""
    server = frozen(flag, "/run/rcorn-test-file")
    assert server.wait() == 1
    assert what in server.log and "Read-only file system" in server.log


def test_without_it_there_is_no_warning(contain):
    server = contain().server.ready()
    stays_true(lambda: "WARNING" not in server.log, "it has nothing to warn of", seconds=0.1)
