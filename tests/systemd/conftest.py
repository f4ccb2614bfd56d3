"""Each test has a machine of its own for as long as it runs, with each version of systemd that there is."""

from pathlib import Path

import pytest
from support import box as boxes
from support.subject import IS_RCORN

APPS = Path(__file__).resolve().parents[1] / "apps"


def pytest_generate_tests(metafunc):
    if "box" in metafunc.fixturenames:
        metafunc.parametrize("box", boxes.SUITES, indirect=True)


@pytest.fixture
def box(request):
    reason = boxes.why_not() if IS_RCORN else "Gunicorn has no units"
    if reason:
        pytest.skip(reason)
    try:
        machine = boxes.Box(request.param).install()
        request.addfinalizer(machine.stop)
        for name in ("shop", "blog"):
            settings(machine, name)
        machine.boot()
    except boxes.Unable as why:
        pytest.skip(str(why))
    return machine


def settings(box, name, more=""):
    """`/etc/rcorn/NAME.toml`, and an application of its own in /srv/NAME."""
    box.write(f"/etc/rcorn/{name}.toml", text_of(name, more))
    box.write(f"/srv/{name}/plain.py", (APPS / "plain.py").read_text())


def text_of(name, more=""):
    port = {"shop": 8000, "blog": 8001}[name]
    return f'app = "plain"\nchdir = "/srv/{name}"\nbind = "127.0.0.1:{port}"\nworkers = 2\n{more}'


def drop_in(box, text, unit="rcorn@shop.service"):
    box.put(f"/etc/systemd/system/{unit}.d/local.conf", f"[Service]\n{text}\n")
    box.run("systemctl", "daemon-reload")


@pytest.fixture
def load(box):
    return lambda *more: boxes.Load(box, *more)
