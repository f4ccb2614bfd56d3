"""The control socket and rcornctl: asking how it goes, having things done, and what goes wrong."""

import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
from support.client import Closed, Connection, request_bytes
from support.holding import Held
from support.load import Load
from support.subject import binaries
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("Gunicorn's control socket speaks another language")


class Control:
    """A server with a control socket, and rcornctl for it."""

    def __init__(self, server, path):
        self.server, self.path = server, path

    def ctl(self, *words, code=0):
        """What rcornctl says: on standard output, or on standard error when it is to fail."""
        done = subprocess.run(
            [binaries() / "rcornctl", "--socket", self.path, *map(str, words)], capture_output=True, text=True, timeout=40
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done.stderr if code else done.stdout

    def status(self):
        return json.loads(self.ctl("status", "--json"))

    def http(self, target, method="GET", body=None, headers=()):
        with Connection(str(self.path)) as connection:
            return connection.request(target, method, headers, body)


@pytest.fixture
def controlled(serve, directory):
    def controlled(*flags, app="plain", **options):
        path = directory / "control.sock"
        return Control(serve(app, *flags, "--control-socket", path, **options), path)

    return controlled


def requests(status):
    return sum(worker["requests"] for worker in status["workers"])


def test_status_tells_how_it_goes(controlled):
    control = controlled("--workers", 2, "--name", "shop")
    for _ in range(20):
        assert control.server.get("/").status == 200

    def at_rest(status):
        return all(worker["state"] == "idle" for worker in status["workers"]) and requests(status) >= 20

    # A request is counted just after its answer.
    status = wait_until(lambda: at_rest(now := control.status()) and now, "the workers are at rest")
    assert (status["name"], status["app"], status["state"], status["generation"]) == ("shop", "plain", "serving", 1)
    assert status["pid"] == control.server.pid and len(status["workers"]) == status["target"] == 2
    assert requests(status) == 20
    assert all(worker["memory"] > 1 << 20 and worker["generation"] == 1 for worker in status["workers"])
    assert sorted(worker["pid"] for worker in status["workers"]) == control.server.workers()
    text = control.ctl("status")
    assert "shop: serving, generation 1" in text and "2 of 2 ready, 0 busy" in text
    assert len(control.ctl("workers").splitlines()) == 3


def test_a_request_in_flight_is_shown(controlled):
    control = controlled()
    with Held(control.server):
        (worker,) = control.status()["workers"]
        assert worker["state"] == "busy" and worker["connections"] == 1
        assert worker["in_flight"][0]["line"] == "GET /hold?name=held HTTP/1.1"
        assert worker["in_flight"][0]["client"].startswith("127.0.0.1:") and worker["in_flight"][0]["seconds"] > 0
        assert "GET /hold?name=held HTTP/1.1 for" in control.ctl("status")


def test_rates_of_the_last_minute(controlled):
    control = controlled()
    control.status()
    for _ in range(50):
        control.server.get("/")
    control.server.get("/nowhere")
    counted = [0, 50, 0, 1, 0]
    rates = wait_until(lambda: (now := control.status()["last_minute"])["by_class"] == counted and now, "all were counted")
    assert rates["requests_per_second"] > 0
    assert 0 < rates["p50"] <= rates["p99"]


def test_what_workers_did_counts_after_their_end(controlled):
    control = controlled()
    control.status()
    for _ in range(5):
        control.server.get("/")
    wait_until(lambda: control.status()["last_minute"]["by_class"][1] == 5, "all were counted")
    (worker,) = control.server.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: control.server.workers() not in ([], [worker]), "it is replaced")
    status = control.status()
    assert status["last_minute"]["by_class"][1] == 5
    assert status["restarts"] == {"was killed by SIGKILL": 1}
    assert "1 was killed by SIGKILL" in control.ctl("status")


def test_settings_have_origins(controlled, directory):
    (directory / "app.toml").write_text("timeout = 7\n")
    control = controlled("-c", directory / "app.toml", "--workers", 1)
    settings = {entry["name"]: entry for entry in json.loads(control.ctl("settings", "--json"))}
    assert settings["timeout"]["value"] == "7" and settings["timeout"]["origin"].endswith("app.toml:1")
    assert settings["backlog"]["origin"] == "default"
    (directory / "app.toml").write_text("timeout = 8\n")
    assert "7" in next(line for line in control.ctl("settings").splitlines() if line.startswith("timeout"))
    control.ctl("reload")
    assert "8" in next(line for line in control.ctl("settings").splitlines() if line.startswith("timeout"))


class TestReload:
    def test_it_waits_for_the_new_workers(self, controlled):
        control = controlled("--workers", 2)
        for generation in range(2, 6):
            old = control.server.workers()
            assert control.ctl("reload") == f"reloaded: generation {generation} serves\n"
            assert control.status()["generation"] == generation
            ready = {worker["pid"] for worker in control.status()["workers"] if worker["generation"] == generation}
            assert len(ready) == 2 and not ready & set(old)

    @pytest.mark.parametrize("preload", ["on", "off"])
    def test_a_failure_shows_the_traceback_and_changes_nothing(self, controlled, preload):
        control = controlled(f"--preload={preload}")
        source = control.server.directory / "plain.py"
        source.write_text("import a_module_that_nobody_has\n")
        said = control.ctl("reload", code=1)
        assert "the reload failed, and nothing has changed" in said
        assert "Traceback" in said and "No module named 'a_module_that_nobody_has'" in said
        assert control.server.get("/").text == "hello"
        assert control.status()["last_reload"]["state"] == "failed"

    def test_a_stop_ends_it_and_says_so(self, controlled):
        control = controlled("--graceful-timeout", 10)
        source = control.server.directory / "plain.py"
        said = []
        with control.server.connect() as connection:
            connection.send(request_bytes("/sleeps?s=2"))
            wait_until(lambda: control.status()["workers"][0]["in_flight"], "the request is there")
            source.write_text("import time\ntime.sleep(60)\n")
            waiting = threading.Thread(target=lambda: said.append(control.ctl("reload", code=1)))
            waiting.start()
            control.server.wait_for_log("reloading: generation 2 starts")
            os.kill(control.server.pid, signal.SIGTERM)
            assert connection.response().status == 200
            waiting.join(20)
        assert "rcorn was told to stop, and has given it up" in said[0]

    def test_settings_that_are_wrong_are_told(self, controlled, directory):
        file = directory / "app.toml"
        file.write_text("workers = 1\n")
        control = controlled("-c", file)
        file.write_text("workers = 'many'\n")
        assert f"{file}:1: workers: expected a number" in control.ctl("reload", code=1)

    def test_several_at_once_all_hear_the_outcome(self, controlled):
        control = controlled()
        said = []
        threads = [threading.Thread(target=lambda: said.append(control.ctl("reload"))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(said) == 6 and all(text.startswith("reloaded: generation ") for text in said)
        assert control.status()["generation"] <= 4, "they are one or two, not six"

    def test_under_load_nobody_notices(self, controlled):
        control = controlled("--workers", 2)
        with Load(control.server.address, clients=4) as kept, Load(control.server.address, clients=2, keep_alive=False) as fresh:
            for _ in range(10):
                control.ctl("reload")
        kept.assert_all_answered()
        fresh.assert_all_answered()


def test_scale(controlled):
    control = controlled("--workers", 1)
    for words, count in [(["3"], 3), (["+1"], 4), (["-2"], 2), (["1"], 1)]:
        assert "wanted now" in control.ctl("scale", *words)
        control.server.wait_for_workers(count)
    assert "expected" in control.http("/scale", "POST", b'{"workers": "few"}').json["message"]


@pytest.mark.inline("it counts threads")
def test_stacks_of_a_live_worker(controlled):
    control = controlled("--workers", 2)
    with Held(control.server):
        (busy,) = [worker for worker in control.status()["workers"] if worker["in_flight"]]
        for name in (busy["number"], busy["pid"]):
            stacks = control.ctl("stacks", name)
            assert f"worker {busy['number']} (pid {busy['pid']})" in stacks
            assert "in hold" in stacks and "in application" in stacks
        assert control.ctl("stacks").count("most recent call first") == 2
    assert "in hold" not in control.server.log, "they are for who asked"
    assert "no such worker" in control.ctl("stacks", 77, code=1)


def test_reopen(controlled, directory):
    log = directory / "access.log"
    control = controlled("--access-logfile", log)
    control.server.get("/one")
    wait_until(lambda: "/one" in log.read_text(), "the first line is there")
    log.rename(directory / "access.log.1")
    control.ctl("reopen")
    wait_until(log.exists, "there is a new file")
    wait_until(lambda: control.server.get("/two") and "/two" in log.read_text(), "lines go to the new file")


@pytest.mark.parametrize("word", ["stop", "quit"])
def test_stop_and_quit(controlled, word):
    control = controlled()
    assert "stopping" in control.ctl(word)
    assert control.server.wait() == 0
    assert not control.path.exists()
    assert "does not run" in control.ctl("status", code=3)


def test_stop_finishes_what_is_in_flight_and_quit_does_not(controlled):
    control = controlled()
    with Held(control.server) as held:
        control.ctl("stop")
        status = control.status()
        assert status["state"] == "stopping" and status["workers"][0]["age"] > 0
        assert "stopping already" in control.ctl("reload", code=1)
        assert held.release().response().status == 200
    assert control.server.wait() == 0


class TestSocket:
    def test_its_mode(self, controlled):
        assert stat.S_IMODE(os.stat(controlled().path).st_mode) == 0o600

    def test_another_mode(self, controlled):
        assert stat.S_IMODE(os.stat(controlled("--control-socket-mode", "0660").path).st_mode) == 0o660

    @pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
    def test_its_owner(self, controlled, directory):
        file = directory / "app.toml"
        file.write_text('control_socket_owner = "12345:23456"\n')
        control = controlled("--config", file)
        seen = os.stat(control.path)
        assert (seen.st_uid, seen.st_gid) == (12345, 23456)
        file.write_text('control_socket_owner = ":34567"\ncontrol_socket_mode = "0660"\n')
        control.ctl("reload")
        seen = os.stat(control.path)
        assert (seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode)) == (0, 34567, 0o660)

    def test_an_owner_that_does_not_exist(self, start, directory):
        other = start("plain", "--control-socket", directory / "control.sock", "--control-socket-owner", "nobody-has-this")
        assert other.wait() == 1 and 'there is no such user or group: "nobody-has-this"' in other.log

    def test_there_is_none_unless_asked_for(self, serve, directory):
        serve("plain")
        assert not list(directory.rglob("control.sock"))

    def test_systemd_s_runtime_directory_has_one(self, serve, directory):
        server = serve("plain", env={"RUNTIME_DIRECTORY": directory})
        assert stat.S_ISSOCK(os.stat(directory / "control.sock").st_mode)
        assert server.stop() == 0 and not (directory / "control.sock").exists()

    def test_and_none_when_it_is_switched_off(self, serve, directory):
        serve("plain", "--no-control-socket", env={"RUNTIME_DIRECTORY": directory})
        assert not (directory / "control.sock").exists()

    def test_that_of_another_instance_is_not_stolen(self, controlled, start):
        control = controlled()
        other = start("plain", "--control-socket", control.path)
        assert other.wait() == 1 and "another instance listens there" in other.log
        assert control.status()["state"] == "serving"

    def test_one_that_was_left_is_replaced(self, controlled, directory):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(directory / "control.sock"))
        assert controlled().status()["state"] == "serving"

    def test_a_frozen_arbiter_is_told(self, controlled):
        control = controlled()
        control.server.send(signal.SIGSTOP)
        with Connection(str(control.path), timeout=0.5) as connection, pytest.raises(AssertionError):
            connection.request("/status")
        control.server.send(signal.SIGCONT)
        assert control.status()["state"] == "serving"


class TestManners:
    """Nobody can hold up the arbiter."""

    def test_slow_clients_and_many(self, controlled):
        control = controlled()
        slow = [Connection(str(control.path)) for _ in range(40)]
        for connection in slow:
            connection.send(b"GET /status HT")
        (worker,) = control.server.workers()
        os.kill(worker, signal.SIGKILL)
        with control.server.explained():
            wait_until(lambda: control.server.workers() not in ([], [worker]), "supervision goes on", seconds=4)
        for connection in slow:
            connection.close()
        assert control.status()["state"] == "serving"

    def test_nonsense_is_refused(self, controlled):
        control = controlled()
        assert control.http("/nowhere").status == 404
        assert control.http("/reload").status == 405
        assert control.http("/status", "DELETE").status == 405
        assert control.http("/scale", "POST", b"x" * 100_000).status == 400
        with Connection(str(control.path)) as connection:
            connection.send(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert b" 400 " in connection.rest()[:20]
        assert control.status()["state"] == "serving"

    def test_a_connection_may_ask_twice(self, controlled):
        control = controlled()
        with Connection(str(control.path)) as connection:
            for _ in range(3):
                assert connection.request("/status").json["state"] == "serving"

    def test_an_idle_instance_sleeps(self, controlled):
        control = controlled()

        def switches():
            status = open(f"/proc/{control.server.pid}/status").read()
            return int(status.split("voluntary_ctxt_switches:")[1].split()[0])

        before, begin = switches(), time.monotonic()
        time.sleep(2)
        assert (switches() - before) / (time.monotonic() - begin) < 2


def test_the_command_line_tells_what_is_wrong(controlled):
    control = controlled()
    assert "see rcornctl --help" in control.ctl("stat", code=2)
    assert "how many" in control.ctl("scale", code=2)
    assert "name two instances" in control.ctl("status", "shop", code=2)
    assert "rcornctl" in control.ctl("--version")
    everything = control.ctl("--help")
    assert all(word in everything for word in ["status", "reload", "scale", "stacks", "reopen"])


def test_curl_would_do(controlled):
    control = controlled()
    with Connection(str(control.path)) as connection:
        connection.send(request_bytes("/reload", "POST"))
        answer = connection.response()
    assert answer.status == 202 and answer.json["id"] == 2

    def is_done():
        """The connection may end with the program that accepted it; the next one is its successor's."""
        try:
            return control.http("/reloads/2").json["state"] == "done"
        except (Closed, ConnectionError):
            return False

    wait_until(is_done, "it is done")
    assert control.http("/reloads/77").status == 404
