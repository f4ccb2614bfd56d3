"""Hooks that raise, hang, or cannot be hooks: what ends, what goes on, and what is said."""

import os
import signal
import time

import pytest
from support.waiting import wait_until

RAISES = "def {hook}({arguments}):\n    raise ValueError('no way')\n"
ARGUMENTS = {
    "on_starting": "server",
    "when_ready": "server",
    "nworkers_changed": "server, new, old",
    "pre_fork": "server, worker",
    "post_fork": "server, worker",
    "post_worker_init": "worker",
    "child_exit": "server, worker",
    "worker_exit": "server, worker",
    "on_exit": "server",
    "on_reload": "server",
    "pre_exec": "server",
    "post_request": "worker, req",
    "pre_request": "worker, req",
}


def raising(hook):
    return RAISES.format(hook=hook, arguments=ARGUMENTS[hook])


@pytest.mark.parametrize("hook", ["on_starting", "when_ready", "nworkers_changed", "pre_fork"])
def test_a_hook_of_the_master_that_fails_ends_the_start(hooked, hook):
    server = hooked(settings=raising(hook), ready=False).server
    assert server.wait() == 1
    assert "ValueError: no way" in server.log and "settings.py" in server.log
    assert f"the settings' hook {hook} has failed: ValueError: no way" in server.log


@pytest.mark.parametrize("hook", ["post_fork", "post_worker_init"])
def test_a_hook_of_a_worker_that_fails_ends_the_start(hooked, hook):
    server = hooked(settings=raising(hook), ready=False).server
    assert server.wait() == 3
    assert f"the settings' hook {hook} has failed: ValueError: no way" in server.log


@pytest.mark.parametrize("hook", ["child_exit", "worker_exit", "on_exit"])
def test_a_hook_that_fails_at_the_end_is_told(hooked, hook):
    server = hooked(settings=raising(hook)).server
    assert server.stop() == 0
    assert f"The hook {hook} has failed" in server.log and "ValueError: no way" in server.log


@pytest.mark.parametrize("hook", ["on_reload", "pre_fork", "post_fork"])
def test_a_reload_with_a_hook_that_fails_changes_nothing(hooked, hook):
    settings = f"import os\ndef {hook}({ARGUMENTS[hook]}):\n    if os.path.exists('fail'): raise ValueError('no way')\n"
    server = hooked(settings=settings).server
    (server.directory / "fail").touch()
    server.send(signal.SIGHUP)
    server.wait_for_log(r"reload failed: .*no way \(still serving generation 1\)")
    assert server.get("/").status == 200


def test_pre_exec_that_fails_keeps_the_old_program(hooked):
    server = hooked(settings=raising("pre_exec")).server
    server.send(signal.SIGUSR2)
    server.wait_for_log(r"reload failed: the settings' hook pre_exec has failed: ValueError: no way")
    assert server.get("/").status == 200
    server.send(signal.SIGHUP)
    server.wait_for_log("reloaded: generation 3")


def test_requests_go_on_where_their_hooks_fail(hooked):
    server = hooked(settings=raising("post_request")).server
    assert [server.get("/").status for _ in range(2)] == [200, 200]
    server.wait_for_log("Exception in post_request hook", count=2)


def test_a_request_that_a_hook_refuses(hooked):
    server = hooked(settings=raising("pre_request")).server
    assert server.get("/").status == 500
    server.wait_for_log("Error handling request GET / HTTP/1.1\nTraceback")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("def on_exit():\n    pass\n", "on_exit is called with 1 arguments, and takes 0"),
        ("def post_request(worker):\n    pass\n", "post_request is called with 4 arguments, and takes 1"),
        ("pre_fork = 'nowhere.at.all'\n", "pre_fork is 'nowhere.at.all', which cannot be imported: No module named"),
        ("when_ready = 3\n", "when_ready: expected a function"),
    ],
)
def test_what_cannot_be_a_hook(hooked, settings, said):
    server = hooked(settings=settings, ready=False).server
    assert server.wait() == 1
    assert said in server.log and "Traceback" not in server.log


def test_a_hook_that_hangs_does_not_hold_up_a_stop(hooked):
    settings = "import time\ndef on_exit(server):\n    open('begun', 'w').close(); time.sleep(60)\n"
    server = hooked("rcorn", "--graceful-timeout", 2, settings=settings).server
    begin = time.monotonic()
    assert server.stop() == 0
    assert (server.directory / "begun").exists()
    assert 1 < time.monotonic() - begin < 10


def test_a_second_signal_does_not_wait_for_hooks(hooked):
    settings = "import time\ndef on_exit(server):\n    open('begun', 'w').close(); time.sleep(60)\n"
    server = hooked(settings=settings).server
    server.send(signal.SIGTERM)
    wait_until((server.directory / "begun").exists, "the hook runs")
    begin = time.monotonic()
    assert server.stop(signal.SIGINT) == 0
    assert time.monotonic() - begin < 10


def test_a_hook_that_hangs_at_the_start_has_startup_timeout(hooked):
    settings = "import time\ndef on_starting(server):\n    time.sleep(60)\n"
    server = hooked("rcorn", "--startup-timeout", 1, settings=settings, ready=False).server
    assert server.wait() == 3
    assert "was not ready within 1 s" in server.log


def test_the_hooks_outlive_their_zygote(hooked):
    """They are evaluated anew, so what they had in memory is lost; nothing is run twice."""
    server = hooked("rcorn", "--workers", 2, "--log-level", "debug")
    (zygote,) = server.server.titled("zygote")
    os.kill(zygote.pid, signal.SIGKILL)
    server.server.wait_for_log("and what its hooks had in memory is lost")
    server.server.wait_for_log("zygote of generation 1 is ready", count=2)
    assert server.server.stop() == 0
    names = [note["hook"] for note in server.notes]
    assert [names.count(hook) for hook in ("on_starting", "when_ready", "child_exit", "on_exit")] == [1, 1, 2, 1]


def test_what_runs_at_the_end_is_not_broken_off(hooked):
    settings = """
import os, signal, time

def worker_int(worker):
    os.kill(os.getpid(), signal.SIGQUIT)
    time.sleep(0.1)
    print("interrupted", flush=True)

def worker_exit(server, worker):
    os.kill(os.getpid(), signal.SIGQUIT)
    time.sleep(0.1)
    print("left", flush=True)
"""
    server = hooked(settings=settings).server
    assert server.stop(signal.SIGQUIT) == 0
    assert server.output.split() == ["interrupted", "left"]


def test_threads_of_the_master_are_warned_about(hooked):
    settings = (
        "import threading, time\n"
        "def when_ready(server):\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    server = hooked(settings=settings).server
    server.wait_for_log("WARNING. 1 thread was started by a hook of the settings")
    assert server.get("/").status == 200
