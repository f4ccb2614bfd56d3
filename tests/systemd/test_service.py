"""rcorn@NAME.service in a real systemd: start, status, reload, restart, death, stop, and who may do what to whom."""

import json
import re
from pathlib import Path

import pytest
from support.box import wait_for_unit
from support.waiting import wait_until

from .conftest import drop_in, text_of

UNIT = "rcorn@shop.service"


def get(box, path="/", port=8000):
    return box.run("curl", "-s", f"http://127.0.0.1:{port}{path}")


def test_the_units_are_clean_and_hard(box):
    assert box.run("systemd-analyze", "verify", "--man=no", UNIT, "rcorn@shop.socket", "rcorn.target") == ""
    said = box.run("systemd-analyze", "security", "--no-pager", UNIT, code=None)
    assert float(re.search(r"exposure level for [^:]*: ([\d.]+)", said)[1]) <= 1.2, said.splitlines()[-1]


def test_it_is_started_when_it_serves(box):
    box.put("/srv/shop/slowly.py", "import time\ntime.sleep(1.5)\nfrom plain import application\n")
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace('"plain"', '"slowly"'))
    box.run("systemctl", "enable", "--now", UNIT)
    assert get(box) == "hello"
    status = box.run("systemctl", "status", "--no-pager", UNIT)
    assert 'Status: "serving: generation 1, 2 workers are ready"' in status
    assert "rcorn: arbiter [slowly]" in status and "rcorn: worker 2 [slowly]" in status


@pytest.mark.alone
def test_a_slow_import_has_the_time_that_it_may_take(box):
    box.put("/srv/shop/slowly.py", "import time\ntime.sleep(4)\nfrom plain import application\n")
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace('"plain"', '"slowly"'))
    drop_in(box, "TimeoutStartSec=2")
    box.run("systemctl", "start", UNIT)
    assert get(box) == "hello"


def test_what_only_a_person_can_correct_is_said_once(box):
    box.put("/etc/rcorn/shop.toml", "wrokers = 2\n")
    box.run("systemctl", "start", UNIT, code=1)
    assert box.show(UNIT, "ExecMainStatus") == "1"
    assert box.show(UNIT, "ActiveState") == "failed"
    assert "/etc/rcorn/shop.toml:1: wrokers: there is no such setting; did you mean workers?" in box.said(UNIT)
    box.put("/etc/rcorn/shop.toml", text_of("shop"))
    box.run("systemctl", "start", UNIT)
    assert get(box) == "hello"


def test_a_reload_waits_and_changes_everything(box, load):
    box.run("systemctl", "start", UNIT)
    pid = box.show(UNIT, "MainPID")
    good = box.run("cat", "/srv/shop/plain.py")
    with load() as fresh, load("127.0.0.1:8000", "keep") as kept:
        for turn in range(5):
            answer = good.replace('start_response, "hello")', f'start_response, "hello {"!" * turn}")')
            box.put("/srv/shop/plain.py", answer)
            box.run("systemctl", "reload", UNIT)
            assert get(box) == f"hello {'!' * turn}"
    assert fresh.failures == [] and kept.failures == []
    assert box.show(UNIT, "MainPID") == pid and box.show(UNIT, "ActiveState") == "active"


def test_a_reload_that_fails_says_so_and_changes_nothing(box, load):
    box.run("systemctl", "start", UNIT)
    with load() as fresh:
        box.put("/srv/shop/plain.py", "import shoop\n")
        assert "failed" in box.run("systemctl", "reload", UNIT, code=1)
        status = box.run("systemctl", "status", "--no-pager", UNIT)
        assert re.search(r'Status: "reload failed: cannot import [^\n]*shoop[^\n]*still serving generation 1', status)
        assert box.show(UNIT, "ActiveState") == "active" and get(box) == "hello"
    assert fresh.failures == []
    said = box.said(UNIT)
    assert "Traceback (most recent call last)" in said and 'File "/srv/shop/plain.py", line 1' in said
    assert "ModuleNotFoundError: No module named 'shoop'" in box.run("rcornctl", "reload", "shop", code=1)


def test_a_restart_refuses_nobody(box, load):
    box.run("systemctl", "start", UNIT)
    pid = box.show(UNIT, "MainPID")
    with load() as fresh:
        for _ in range(3):
            box.run("systemctl", "restart", UNIT)
    assert fresh.failures == []
    assert box.show(UNIT, "MainPID") != pid and box.show(UNIT, "NFileDescriptorStore") == "1"


def test_a_death_of_the_arbiter_refuses_nobody(box, load):
    box.run("systemctl", "start", UNIT)
    pid = box.show(UNIT, "MainPID")
    with load() as fresh:
        box.run("kill", "-KILL", pid)
        wait_until(lambda: box.show(UNIT, "MainPID") not in ("0", pid), "it is started again", seconds=20, pause=0.05)
        wait_for_unit(box, UNIT)
        assert get(box) == "hello"
    # What was in flight went down with the workers; nobody was turned away.
    assert not [failure for failure in fresh.failures if "refused" in failure[2]] and len(fresh.failures) <= 3


def test_without_a_store_nobody_is_asked_to_keep_anything(box):
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace("127.0.0.1:8000", "unix:/run/rcorn/shop/http.sock"))
    drop_in(box, "FileDescriptorStoreMax=0\nUnsetEnvironment=FDSTORE")
    box.run("systemctl", "start", UNIT)
    assert box.run("curl", "-s", "--unix-socket", "/run/rcorn/shop/http.sock", "http://shop/") == "hello"
    box.run("systemctl", "reload", UNIT)
    box.run("systemctl", "stop", UNIT)
    assert "store" not in box.run("journalctl", "--no-pager", "-u", UNIT).lower()


def test_an_address_that_goes_is_taken_out_of_the_store(box):
    box.run("systemctl", "start", UNIT)
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace('"127.0.0.1:8000"', '["127.0.0.1:8000", "127.0.0.1:9000"]'))
    box.run("systemctl", "reload", UNIT)
    assert box.show(UNIT, "NFileDescriptorStore") == "2" and get(box, port=9000) == "hello"
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace("8000", "9000"))
    box.run("systemctl", "reload", UNIT)
    wait_until(lambda: box.show(UNIT, "NFileDescriptorStore") == "1", "one is left", pause=0.05)
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace("8000", "9001"))
    box.run("systemctl", "restart", UNIT)
    assert get(box, port=9001) == "hello" and box.show(UNIT, "NFileDescriptorStore") == "1"
    box.run("curl", "-s", "http://127.0.0.1:9000/", code=7)


@pytest.mark.alone
def test_a_frozen_arbiter_is_restarted_and_no_connection_is_lost(box):
    drop_in(box, "WatchdogSec=2")
    box.run("systemctl", "start", UNIT)
    pid = box.show(UNIT, "MainPID")
    for process in [pid, *box.run("pgrep", "-f", "rcorn: worker").split()]:
        box.run("kill", "-STOP", process)
    waiting = box.start("curl", "-s", "http://127.0.0.1:8000/", stdout=-1, text=True)
    assert waiting.communicate(timeout=30)[0] == "hello"
    assert box.show(UNIT, "MainPID") != pid and "watchdog" in box.run("journalctl", "--no-pager", "-u", UNIT).lower()


@pytest.mark.alone
def test_long_requests_and_long_silence_are_health(box):
    drop_in(box, "WatchdogSec=1")
    box.run("systemctl", "start", UNIT)
    pid = box.show(UNIT, "MainPID")
    slow = [box.start("curl", "-s", "http://127.0.0.1:8000/sleeps?s=4", stdout=-1, text=True) for _ in range(2)]
    assert all(one.communicate(timeout=30)[0].isdigit() for one in slow)
    box.run("sleep", "3")
    assert box.show(UNIT, "MainPID") == pid and box.show(UNIT, "NRestarts") == "0"


def test_a_stop_finishes_what_is_in_flight(box):
    box.run("systemctl", "start", UNIT)
    slow = box.start("curl", "-s", "http://127.0.0.1:8000/sleeps?s=2", stdout=-1, text=True)
    wait_until(lambda: "GET /sleeps" in box.run("rcornctl", "workers", "shop"), "it is in flight", pause=0.05)
    box.run("systemctl", "stop", UNIT)
    assert slow.communicate(timeout=10)[0].isdigit()
    assert (box.show(UNIT, "ActiveState"), box.show(UNIT, "Result")) == ("inactive", "success")


def test_all_instances_are_one_target(box):
    box.run("systemctl", "enable", UNIT, "rcorn@blog.service", "rcorn.target")
    box.run("systemctl", "start", "rcorn.target")
    assert get(box) == "hello" and get(box, port=8001) == "hello"
    box.run("systemctl", "restart", "rcorn.target")
    assert get(box) == "hello" and get(box, port=8001) == "hello"
    box.run("systemctl", "stop", "rcorn.target")
    for unit in (UNIT, "rcorn@blog.service"):
        wait_for_unit(box, unit, "inactive")


def test_all_that_run_are_reloaded_at_once(box):
    box.run("systemctl", "start", UNIT, "rcorn@blog.service")
    box.run("systemctl", "reload", "rcorn@*.service")
    for name in ("shop", "blog"):
        assert "generation 2" in box.run("rcornctl", "status", name)


def test_an_instance_is_a_user_of_its_own(box):
    box.run("systemctl", "start", UNIT, "rcorn@blog.service")
    shop, blog = (json.loads(get(box, "/process-environment", port)) for port in (8000, 8001))
    assert (shop["HOME"], shop["XDG_CACHE_HOME"]) == ("/var/lib/rcorn/shop", "/var/cache/rcorn/shop")
    assert blog["HOME"] == "/var/lib/rcorn/blog"
    leaked = [name for name in shop if name.startswith(("NOTIFY_", "LISTEN_", "WATCHDOG_", "FDSTORE", "RCORN_STATE"))]
    assert leaked == []
    pids = {name: box.show(f"rcorn@{name}.service", "MainPID") for name in ("shop", "blog")}
    assert [box.show(f"rcorn@{name}.service", "User") for name in pids] == ["rcorn-shop", "rcorn-blog"]
    users = {int(uid(box, pid)) for pid in pids.values()}
    assert len(users) == 2 and min(users) >= 61184, "users that exist while it runs"
    inside = ["nsenter", "-t", pids["shop"], "-m", "-S", uid(box, pids["shop"]), "--"]
    box.run(*inside, "sh", "-c", "echo x > /var/lib/rcorn/shop/mine && echo x > /var/cache/rcorn/shop/mine")
    for forbidden in (
        "cat /var/lib/rcorn/blog/. /run/rcorn/blog/control.sock",
        f"kill -0 {pids['blog']}",
        f"cat /proc/{pids['blog']}/environ",
        "echo x > /srv/shop/plain.py",
        "echo x > /etc/rcorn/shop.toml",
        "rcornctl status blog",
        f"python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).ptrace(16, {pids['blog']}, 0, 0) != 0)'",
    ):
        box.run(*inside, "sh", "-c", f"! {{ {forbidden}; }} 2>/dev/null")


def uid(box, pid):
    return box.run("stat", "-c", "%u", f"/proc/{pid}").strip()


EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(("example", "app", "path", "words"), [
    ("flask", "app:app", "/", "<form"),
    ("django", "mysite.wsgi", "/", "<form"),
])
def test_frameworks_work_in_the_sandbox(box, example, app, path, words):
    for file in (EXAMPLES / example).rglob("*"):
        if file.suffix in (".py", ".html", ".css", ".txt"):
            box.put(f"/srv/shop/{file.relative_to(EXAMPLES / example)}", file.read_text())
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace('"plain"', f'"{app}"'))
    box.run("systemctl", "start", UNIT)
    assert words in get(box, path)
    box.run("systemctl", "reload", UNIT)
    assert words in get(box, path)
