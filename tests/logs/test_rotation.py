"""Log files that are renamed: followed by their names, with and without a signal."""

import os
import re
import shutil
import subprocess

import pytest
from support import processes
from support.lines import whole_lines
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn follows no names by itself")


@pytest.fixture
def server(serve, directory):
    flags = ["--access-logfile", directory / "access", "--error-logfile", directory / "error", "--workers", 2]
    return serve("logged", *flags)


def test_a_rename_alone_is_enough(server, directory):
    server.get("/number?n=1")
    wait_until(lambda: whole_lines(directory / "access"), "the line is there")
    for name in ("access", "error"):
        os.rename(directory / name, directory / f"{name}.1")
    wait_until(lambda: (directory / "access").exists() and (directory / "error").exists(), "there are new files")
    wait_until(lambda: "log files were reopened" in (directory / "error").read_text(), "and it is told")

    def every_worker_writes_there():
        server.get("/raises")
        pids = re.findall(r"\[(\d+)\] \[ERROR\]", (directory / "error").read_text())
        return set(map(str, server.workers())) <= set(pids) and whole_lines(directory / "access")

    wait_until(every_worker_writes_there, "every worker writes to the new files")
    assert len(whole_lines(directory / "access.1")) == 1


def test_one_that_was_made_anew_at_once(server, directory):
    os.rename(directory / "access", directory / "access.1")
    (directory / "access").touch()
    wait_until(lambda: server.get("/number?n=1") and whole_lines(directory / "access"), "the new file is written")


def test_logrotate_makes_the_file_itself(server, directory):
    if not shutil.which("logrotate"):
        pytest.skip("there is no logrotate")
    settings = directory / "rotate.conf"
    settings.write_text(f"{directory}/access {{\n rotate 2\n create 0600\n missingok\n}}\n")
    settings.chmod(0o644)
    server.get("/number?n=1")
    wait_until(lambda: whole_lines(directory / "access"), "the line is there")
    command = ["logrotate", "--force", "--state", directory / "state", settings]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    wait_until(lambda: server.get("/number?n=2") and whole_lines(directory / "access"), "the new file is written")
    assert (directory / "access").stat().st_mode & 0o777 == 0o600


def test_a_name_that_cannot_be_opened_is_told_once(serve, directory):
    place = directory / "place"
    place.mkdir()
    server = serve("logged", "--access-logfile", place / "access")
    place.rename(directory / "elsewhere")
    server.wait_for_log("cannot reopen")
    stays_true(lambda: server.log.count("cannot reopen") == 1, "it is told once", 2.5)
    server.get("/number?n=1")
    wait_until(lambda: whole_lines(directory / "elsewhere" / "access"), "the old file is written on")
    (directory / "elsewhere").rename(place)


@pytest.mark.alone
def test_who_logs_to_no_file_is_not_woken(serve):
    """An arbiter that has nothing to do sleeps; one that looks at its files wakes once a second."""
    server = serve("logged", "--timeout", 0)
    counts = []

    def sleeps():
        counts.append(processes.status_field(server.pid, "voluntary_ctxt_switches"))
        return counts.count(counts[-1]) > 50

    wait_until(sleeps, "it sleeps for two and a half seconds", pause=0.05)
