"""What a reload changes: everything that is set, but for what belongs to sockets that stay."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from support.client import Connection
from support.interpreters import supported
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn reads less anew")


@pytest.fixture
def changing(serve, directory):
    """Serves with a settings file; the result has `change(text)`, which reloads and waits until that is done."""

    def changing(app, text, **options):
        file = directory / "app.toml"
        file.write_text(text)
        server = serve(app, "--config", file, **options)
        done = 0

        def change(text):
            nonlocal done
            done += 1
            old = server.workers()
            file.write_text(text)
            server.send(signal.SIGHUP)
            with server.explained():
                wait_until(lambda: reloads(server) == done, f"systemd heard of {done} reloads")
                wait_until(lambda: not set(old) & set(server.workers()), "the old workers are gone")

        server.change = change
        return server

    return changing


def reloads(server):
    return sum(line.startswith("STATUS=reloaded: ") for line in server.notify.lines())


def test_the_interpreter(changing, subject):
    others = [found for found in supported() if found.environment / "bin" / "python" != subject.python]
    if not others:
        pytest.skip("there is one interpreter only")
    server = changing("plain", "")
    server.change(f'python = "{others[0].environment}"\n')
    known = server.get("/interpreter").json
    assert (tuple(known["version"]), known["prefix"]) == (others[0].version, str(others[0].environment))


def test_preload(changing):
    server = changing("imported", 'preload = "on"\n')
    assert int(server.get("/importer").text) == server.titled("zygote")[0].pid
    server.change('preload = "off"\n')
    assert [int(server.get("/importer").text)] == server.workers()
    server.change('preload = "on"\n')
    assert int(server.get("/importer").text) == server.titled("zygote")[0].pid


def test_the_logs(changing, directory):
    first, second = directory / "first.log", directory / "second.log"
    server = changing("plain", f'errorlog = "{first}"\naccesslog = "{first}"\n')
    server.get("/first")
    wait_until(lambda: "GET /first" in first.read_text(), "the first file has the access line")
    server.change(f'errorlog = "{second}"\naccesslog = "{second}"\n')
    assert "reloaded: generation 2" in second.read_text()
    server.get("/second")
    wait_until(lambda: "GET /second" in second.read_text(), "the second file has the access line")
    assert "GET /second" not in first.read_text()


def test_the_pid_file_and_the_name(changing, directory):
    first, second = directory / "first.pid", directory / "second.pid"
    server = changing("plain", f'pidfile = "{first}"\nproc_name = "one"\n')
    assert first.read_text() == f"{server.pid}\n"
    server.change(f'pidfile = "{second}"\nproc_name = "two"\n')
    assert second.read_text() == f"{server.pid}\n" and not first.exists()
    title = Path(f"/proc/{server.pid}/cmdline").read_text().split("\0")[0]
    assert title == "rcorn: arbiter [two]"
    assert {process.title for process in server.titled("worker")} == {"rcorn: worker 1 [two]"}


def test_an_address_that_is_added_and_one_that_goes(changing, directory):
    sockets = [f"{directory}/{number}.sock" for number in range(3)]
    bind = [f'"unix:{path}"' for path in sockets]
    server = changing("plain", f"bind = [{bind[0]}, {bind[1]}]\n", handed=False)
    inode = os.stat(sockets[1]).st_ino
    server.change(f"bind = [{bind[1]}, {bind[2]}]\n")
    for path in sockets[1:]:
        with Connection(path) as connection:
            assert connection.request("/").text == "hello"
    assert os.stat(sockets[1]).st_ino == inode, "it is the same socket"
    assert not os.path.exists(sockets[0])
    assert server.stop() == 0
    assert not any(map(os.path.exists, sockets))


def test_an_address_goes_only_if_the_reload_succeeds(changing, directory):
    sockets = [f"{directory}/{number}.sock" for number in range(2)]
    server = changing("plain", f'bind = "unix:{sockets[0]}"\n', handed=False)
    source = server.directory / "plain.py"
    good = source.read_text()
    source.write_text("raise LookupError\n")
    (directory / "app.toml").write_text(f'bind = "unix:{sockets[1]}"\n')
    server.send(signal.SIGHUP)
    server.wait_for_log(r"reload failed: [^\n]*LookupError")
    with Connection(sockets[0]) as connection:
        assert connection.request("/").text == "hello"
    with server.explained():
        wait_until(lambda: not os.path.exists(sockets[1]), "what was bound for the new generation is gone")
    source.write_text(good)
    server.change(f'bind = "unix:{sockets[1]}"\n')
    assert not os.path.exists(sockets[0]) and os.path.exists(sockets[1])


@pytest.mark.skipif(not shutil.which("ss"), reason="ss shows the length of a socket's queue, and is not installed")
def test_the_length_of_the_queue(changing):
    server = changing("plain", 'bind = "127.0.0.1:0"\nbacklog = 100\n', handed=False)
    port = server.address[1]

    def backlog():
        command = ["ss", "-Hltn", f"sport = :{port}"]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[2])

    assert backlog() == 100
    server.change('bind = "127.0.0.1:0"\nbacklog = 200\n')
    assert server.address[1] == port and backlog() == 200


def test_flags_and_variables_stay_what_they_were_at_the_start(changing):
    """Only files are read anew: nobody can change the environment of a process that runs."""
    server = changing("plain", "workers = 1\n", env={"RCORN_CMD_ARGS": "--workers 2"})
    server.wait_for_workers(2)
    server.change("workers = 3\n")
    server.wait_for_workers(2)
    assert not re.search(r"\[(WARNING|ERROR|CRITICAL)\]", server.log)
