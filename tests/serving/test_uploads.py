"""Large bodies: spooled to a file without a name, flat in memory, refused in words when the disk is full."""

import hashlib
import os
import subprocess
import threading
from pathlib import Path

import pytest
from support import processes
from support.client import request_bytes
from support.waiting import wait_until

MIB = 1024 * 1024
# A gigabyte takes seconds; RCORN_TEST_UPLOAD_MIB=64 is for an impatient afternoon.
LARGE = int(os.environ.get("RCORN_TEST_UPLOAD_MIB", 1024))

pytestmark = pytest.mark.rcorn("Gunicorn streams bodies from the socket")


def upload(connection, mib, piece=os.urandom(MIB)):
    """Sends a body of `mib` MiB and gives what its digest must be."""
    hasher = hashlib.sha256()
    connection.send(request_bytes("/digest", "POST", {"Content-Length": str(mib * MIB)}))
    for _ in range(mib):
        connection.send(piece)
        hasher.update(piece)
    return {"length": mib * MIB, "sha256": hasher.hexdigest()}


def spooled_files(pid):
    """Files without a name that the process has open."""
    links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
    return [link for link in links if link.endswith("(deleted)") and link.startswith("/") and "memfd" not in link]


@pytest.mark.alone
def test_memory_stays_flat(plain):
    (worker,) = plain.wait_for_workers(1)
    with plain.connect() as connection:
        assert upload(connection, 2) == connection.response().json
        before, highest = processes.resident_kib(worker), 0
        finished = threading.Event()

        def watch():
            nonlocal highest
            while not finished.wait(0.01):
                highest = max(highest, processes.resident_kib(worker))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            expected = upload(connection, LARGE)
            assert connection.response().json == expected
        finally:
            finished.set()
            watcher.join()
    assert highest - before < 8 * 1024, f"grew from {before} KiB to {highest} KiB during {LARGE} MiB"


def test_a_large_body_lies_in_a_file_without_a_name(serve):
    server = serve("plain", env={"TMPDIR": ""})
    (worker,) = server.wait_for_workers(1)
    with server.connect() as connection:
        connection.send(request_bytes("/digest", "POST", {"Content-Length": str(4 * MIB)}))
        connection.send(b"x" * 3 * MIB)
        wait_until(lambda: spooled_files(worker), "the worker has a spooled file open")
        connection.send(b"x" * MIB)
        assert connection.response().json["length"] == 4 * MIB
        assert connection.request("/").text == "hello"
        wait_until(lambda: not spooled_files(worker), "the spooled file is closed")


@pytest.mark.parametrize("where", ["tmp_upload_dir", "TMPDIR"])
def test_where_it_is_spooled(start, directory, where):
    spool = directory / "spool"
    spool.mkdir()
    flags, env = [], {"TMPDIR": str(spool)}
    if where == "tmp_upload_dir":
        (directory / "rcorn.toml").write_text(f'tmp_upload_dir = "{spool}"\n')
        flags, env = ["--config", directory / "rcorn.toml"], {"TMPDIR": "/tmp"}
    server = start("plain", *flags, env=env).ready()
    (worker,) = server.wait_for_workers(1)
    with server.connect() as connection:
        connection.send(request_bytes("/digest", "POST", {"Content-Length": str(3 * MIB)}))
        connection.send(b"x" * 2 * MIB)
        wait_until(lambda: spooled_files(worker), "the worker has a spooled file open")
        assert spooled_files(worker)[0].startswith(str(spool))
        assert os.listdir(spool) == []
        connection.send(b"x" * MIB)
        assert connection.response().status == 200


def test_a_small_body_makes_no_file(plain):
    (worker,) = plain.wait_for_workers(1)
    with plain.connect() as connection:
        connection.send(request_bytes("/digest", "POST", {"Content-Length": str(MIB)}))
        connection.send(b"x" * (MIB - 1))
        assert plain.get("/").text == "hello", "by now what was sent has been read"
        assert not spooled_files(worker)
        connection.send(b"x")
        assert connection.response().json["length"] == MIB


@pytest.fixture
def small_disk(directory):
    """A file system with room for 4 MiB."""
    place = directory / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=1777", "tmpfs", place]
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small file system")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs mount(8)")
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_full_disk_is_a_507(serve, small_disk, coding):
    server = serve("plain", env={"TMPDIR": small_disk})
    (worker,) = server.wait_for_workers(1)
    with server.connect() as connection:
        try:
            if coding == "length":
                upload(connection, 16)
            else:
                connection.send(request_bytes("/digest", "POST", {"Transfer-Encoding": "chunked"}))
                for _ in range(16):
                    connection.send(b"100000\r\n" + b"x" * MIB + b"\r\n")
                connection.send(b"0\r\n\r\n")
        except (ConnectionResetError, BrokenPipeError):
            pass  # it need not read what it refused
        response = connection.response()
        assert (response.status, response.reason) == (507, "Insufficient Storage") and response.closes
    assert server.workers() == [worker], "the worker lives on"
    assert server.request("/digest", "POST", body=b"x" * 2 * MIB).json["length"] == 2 * MIB
