"""`bind`: every form of an address, several at once, sockets of the parent, stale and living socket files."""

import os
import signal
import socket
import stat
import uuid

import pytest
from support import processes
from support.client import Connection
from support.waiting import wait_until


def test_a_port_is_chosen_and_told(start):
    server = start("plain", "--bind", "127.0.0.1:0", handed=False).ready()
    assert server.address[1] > 0 and server.get("/").text == "hello"


def test_only_a_host(start):
    """The port is 8000 then; somebody may have it, and then that is what is said."""
    server = start("plain", "--bind", "127.0.0.7", handed=False).ready()
    assert server.address == ("127.0.0.7", 8000) and server.get("/").text == "hello"


def test_the_port_of_the_environment(start):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = start("plain", handed=False, env={"PORT": str(port)}).ready()
    assert Connection(("127.0.0.1", port)).request("/").text == "hello"
    assert server.address == ("0.0.0.0", port)


def test_ipv6(start):
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("this machine has no IPv6")
    server = start("plain", "--bind", "[::1]:0", handed=False).ready()
    assert server.address[0] == "::1" and server.get("/").text == "hello"


def test_several_at_once(start, directory):
    server = start("plain", "-b", "127.0.0.1:0", "-b", f"unix:{directory}/a.sock", handed=False).ready()
    server.wait_for_log("a\\.sock")
    assert len(server.addresses) == 2
    for address in server.addresses:
        with Connection(address) as connection:
            assert connection.request("/").text == "hello"


def test_a_unix_socket(start, directory):
    path = f"{directory}/app.sock"
    server = start("plain", "--bind", f"unix:{path}", handed=False).ready()
    with Connection(path) as connection:
        assert connection.request("/").text == "hello"
        assert connection.request("/environ").json["REMOTE_ADDR"] == ""
    assert server.stop() == 0
    assert not os.path.exists(path), "what it bound it removes"


def test_the_umask_decides_about_the_socket_file(start, directory):
    path = f"{directory}/app.sock"
    start("plain", "--bind", f"unix:{path}", "--umask", "027", handed=False).ready()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o750


@pytest.mark.rcorn("Gunicorn has no abstract sockets")
def test_an_abstract_socket(start):
    name = f"rcorn-{uuid.uuid4()}"
    start("plain", "--bind", f"unix:@{name}", handed=False).ready()
    with Connection("\0" + name) as connection:
        assert connection.request("/").text == "hello"


@pytest.mark.rcorn("Gunicorn's --reload-friendly descriptors differ")
def test_a_descriptor(start):
    """As from a supervisor that knows nothing of LISTEN_FDS."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = start("plain", "--bind", "fd://3", listener=listener, env={"LISTEN_FDS": None}).ready()
    assert server.get("/").text == "hello"


@pytest.mark.rcorn("Gunicorn says it in other words")
def test_a_descriptor_that_is_no_socket(start):
    server = start("plain", "--bind", "fd://0", handed=False)
    assert server.wait() == 1
    assert "fd://0" in server.log and "socket" in server.log.strip().splitlines()[-1]


def test_a_stale_socket_file_blocks_nobody(start, directory):
    path = f"{directory}/app.sock"
    first = start("plain", "--bind", f"unix:{path}", handed=False).ready()
    below = first.below()
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not any(processes.is_alive(process.pid) for process in below), "its workers have left")
    assert os.path.exists(path)
    start("plain", "--bind", f"unix:{path}", handed=False).ready()
    with Connection(path) as connection:
        assert connection.request("/").text == "hello"


@pytest.mark.rcorn("Gunicorn takes the path away from the living")
def test_a_living_socket_is_not_taken_away(start, directory):
    path = f"{directory}/app.sock"
    start("plain", "--bind", f"unix:{path}", handed=False).ready()
    second = start("plain", "--bind", f"unix:{path}", handed=False)
    assert second.wait() == 1 and path in second.log
    with Connection(path) as connection:
        assert connection.request("/").text == "hello", "the first one still serves"


@pytest.mark.rcorn("Gunicorn replaces it")
def test_a_file_that_is_no_socket_is_left_alone(start, directory):
    path = directory / "app.sock"
    path.write_text("precious")
    server = start("plain", "--bind", f"unix:{path}", handed=False)
    assert server.wait() == 1 and str(path) in server.log
    assert path.read_text() == "precious"


def test_reuse_port_lets_two_servers_share(start):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
        flags = ["--bind", "{}:{}".format(*address), "--reuse-port"]
        servers = [start("plain", *flags, handed=False).ready() for _ in range(2)]

    def who():
        with Connection(address) as connection:
            return int(connection.request("/pid").text)

    seen = set()
    wait_until(lambda: seen.add(who()) or len(seen) == 2, "both servers have answered")
    assert seen == {pid for server in servers for pid in server.workers()}


@pytest.mark.rcorn("Gunicorn says it in other words")
def test_a_socket_from_systemd_that_cannot_be_served(start):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    server = start("plain", listener=listener)
    assert server.wait() == 1
    last = server.log.strip().splitlines()[-1]
    assert "stream" in last or "listening" in last, last


@pytest.mark.rcorn("Gunicorn tells it in another way")
def test_sockets_that_are_for_somebody_else(start):
    """A variable that was inherited by mistake: the process id in it is not ours."""
    env = {"LISTEN_FDS": "1", "LISTEN_PID": "1"}
    server = start("plain", "--bind", "127.0.0.1:0", handed=False, env=env).ready()
    assert server.get("/").text == "hello"


def test_sockets_from_systemd_replace_bind(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start("plain", "--bind", f"127.0.0.1:{port}").ready()
        assert server.get("/").text == "hello"
