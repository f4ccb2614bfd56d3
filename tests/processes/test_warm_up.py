"""`warm_up`: what the operator has done with the application before that serves."""

import signal

import pytest

pytestmark = pytest.mark.rcorn("Gunicorn has no such setting")


def test_the_zygote_does_it_once_for_all(serve):
    server = serve("warmed", "--workers", 2, "--warm-up", "warmed:warm_up")
    (zygote,) = server.titled("zygote")
    assert server.get("/warm").text == f"1 {zygote.pid} True"


def test_without_preload_each_worker_does_it(serve):
    server = serve("warmed", "--workers", 2, "--preload=off", "--warm-up", "warmed:warm_up")
    times, who, _ = server.get("/warm").text.split()
    assert times == "1" and int(who) in server.workers()


@pytest.mark.parametrize(
    ("named", "code", "why"),
    [
        ("warmed:fails", 3, "cannot run the warm-up 'warmed:fails': LookupError: the cache is away"),
        ("warmed:absent", 4, "no warm-up at 'warmed:absent': there is no 'absent' in module 'warmed'"),
        ("absent:it", 3, "cannot run the warm-up 'absent:it': ModuleNotFoundError: No module named 'absent'"),
    ],
)
@pytest.mark.parametrize("preload", ["on", "off"])
def test_one_that_fails_is_a_failure_to_start(start, named, code, why, preload):
    server = start("warmed", f"--preload={preload}", "--warm-up", named)
    assert server.wait() == code
    assert why in server.log


def test_one_that_fails_in_a_reload_changes_nothing(serve):
    settings = "rcorn.toml"

    def write(directory, named):
        (directory / settings).write_text(f'app = "warmed"\nwarm_up = "warmed:{named}"\n')

    server = serve("warmed", "--config", settings, call="", prepare=lambda directory: write(directory, "warm_up"))
    write(server.directory, "fails")
    server.send(signal.SIGHUP).wait_for_log("reload failed: cannot run the warm-up 'warmed:fails'")
    assert server.get("/warm").text.startswith("1 ")
