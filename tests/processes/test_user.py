"""`--user` and `--group`: the arbiter keeps what it needs, zygote and workers drop before any application code."""

import grp
import os
import pwd
import shutil
import signal
import stat
import subprocess

import pytest
from support import processes
from support.client import Connection
from support.interpreters import system
from support.subject import Subject, binary, extension
from support.waiting import wait_until

NAME = "rcorn-tests"

pytestmark = [
    pytest.mark.rcorn("Gunicorn drops in its workers only"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]


def account(command, *arguments):
    if shutil.which(command) is None:
        pytest.skip(f"needs {command} (apt install passwd)")
    subprocess.run([command, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def user():
    """A user with a group of its own and two supplementary ones. Reused when an earlier run left it."""
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    for group in (NAME, f"{NAME}-1", f"{NAME}-2"):
        if not any(entry.gr_name == group for entry in grp.getgrall()):
            account("groupadd", "--system", group)
    options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    account("useradd", *options, "--gid", NAME, "--groups", f"{NAME}-1,{NAME}-2", NAME)
    return pwd.getpwnam(NAME)


@pytest.fixture
def served_as(start, directory, user):
    """A server whose files every user can read, wherever the checkout lies."""
    if system() is None or not system().is_supported:
        pytest.skip("needs the system's python3 >= 3.11: others may lie where only root can read")
    place = directory / "bin"
    place.mkdir()
    for file in (binary(), extension()):
        shutil.copy(file, place)
    python = directory / "venv" / "bin" / "python"
    subprocess.run([system().path, "-m", "venv", "--without-pip", directory / "venv"], check=True)

    def served_as(*flags, **options):
        subject = Subject((str(place / "rcorn"),), python)
        return start("plain", *flags, subject=subject, **options).ready()

    return served_as


def of(process):
    """(uids, gids, supplementary groups) as the kernel knows them."""
    uids, gids = (set(map(int, processes.status_field(process, name).split())) for name in ("Uid", "Gid"))
    return uids, gids, set(map(int, processes.status_field(process, "Groups").split()))


def supplementary(name):
    return {entry.gr_gid for entry in grp.getgrall() if name in entry.gr_mem}


def test_zygote_and_workers_are_the_user(served_as, user):
    server = served_as("--user", NAME, "--workers", 2)
    for process in server.below():
        uids, gids, groups = of(process.pid)
        assert uids == {user.pw_uid} and gids == {user.pw_gid}, process.title
        assert groups == supplementary(NAME) | {user.pw_gid} and 0 not in groups, process.title
    assert of(server.pid)[0] == {0}


@pytest.mark.parametrize("preload", ["on", "off"])
def test_the_application_was_imported_as_the_user(served_as, user, preload):
    identity = served_as("--user", NAME, f"--preload={preload}").get("/identity").json
    assert identity["ids"] == [user.pw_uid] * 3 and identity["groups"] == [user.pw_gid] * 3
    assert identity["import"][:2] == [user.pw_uid, user.pw_gid]
    assert set(identity["import"][2]) == supplementary(NAME) | {user.pw_gid}


def test_nobody_below_can_become_root_again(served_as):
    server = served_as("--user", NAME)
    for process in server.below():
        for name in ("CapPrm", "CapEff", "CapAmb"):
            assert int(processes.status_field(process.pid, name), 16) == 0, (process.title, name)


def test_another_group(served_as, user):
    group = grp.getgrnam(f"{NAME}-1")
    identity = served_as("--user", NAME, "--group", group.gr_name).get("/identity").json
    assert identity["groups"] == [group.gr_gid] * 3


def test_numbers_instead_of_names(served_as, user):
    identity = served_as("--user", user.pw_uid, "--group", user.pw_gid).get("/identity").json
    assert identity["ids"] == [user.pw_uid] * 3 and identity["groups"] == [user.pw_gid] * 3


def test_a_worker_that_is_replaced_is_the_user_too(served_as, user):
    server = served_as("--user", NAME)
    (worker,) = server.wait_for_workers(1)
    os.kill(worker, signal.SIGKILL)
    server.wait_for_log(str(worker))
    assert server.get("/identity").json["ids"] == [user.pw_uid] * 3


def test_a_privileged_port(served_as):
    """Only the arbiter binds, so the workers need no right to."""
    server = served_as("--user", NAME, "--bind", "127.0.0.9:81", handed=False)
    assert server.get("/").text == "hello"


def test_the_socket_file_belongs_to_the_user(served_as, directory, user):
    path = directory / "app.sock"
    served_as("--user", NAME, "--group", NAME, "--umask", "007", "--bind", f"unix:{path}", handed=False)
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (user.pw_uid, user.pw_gid)
    assert stat.S_IMODE(status.st_mode) == 0o770
    with Connection(str(path)) as connection:
        assert connection.request("/").text == "hello"


def test_logs_are_written_and_reopened_as_the_user(served_as, directory, user):
    access = directory / "access"
    server = served_as("--user", NAME, "--access-logfile", access, "--error-logfile", directory / "error")
    server.get("/number?n=1")
    wait_until(lambda: "n=1" in access.read_text(), "the line is there")
    access.rename(directory / "access.1")
    server.send(signal.SIGUSR1)
    wait_until(lambda: server.get("/number?n=2") and access.exists() and "n=2" in access.read_text(), "the line is there")


def test_a_refusal_of_who_is_not_root(directory, user):
    """Somebody who may not change the user says so, and does not serve as the wrong one."""
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv (apt install util-linux)")
    for file in (binary(), extension()):
        shutil.copy(file, directory)
    command = ["setpriv", f"--reuid={NAME}", f"--regid={NAME}", "--clear-groups", directory / "rcorn"]
    arguments = ["--user", "root", "--bind", "127.0.0.1:0", "--python", system().path, "plain"]
    done = subprocess.run([*command, *arguments], cwd="/", capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "root" in done.stderr.splitlines()[-1], done.stderr


def test_a_failed_reload_leaves_the_user_to_later_workers(served_as, user):
    """The successor of the arbiter has taken over by the time that the import fails."""
    server = served_as("--user", NAME, "--preload=on")
    before = of(server.titled("zygote")[0].pid)
    (server.directory / "plain.py").write_text("raise LookupError\n")
    server.send(signal.SIGHUP)
    server.wait_for_log("reload failed")
    (worker,) = server.wait_for_workers(1)
    os.kill(worker, signal.SIGKILL)
    with server.explained():
        wait_until(lambda: server.workers() not in ([], [worker]), "there is another worker")
    assert of(server.workers()[0]) == before and before[0] == {user.pw_uid}
    assert server.get("/identity").json["ids"] == [user.pw_uid] * 3
