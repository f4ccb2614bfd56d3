"""The .deb: installed by apt into a machine that boots, served behind its nginx as README.md says, upgraded, removed."""

import shutil
import subprocess

import pytest
from support import tomorrow
from support.box import Load, wait_for_unit
from support.interpreters import ROOT, supported

from .conftest import status, steps

SOCKET, SERVICE = "rcorn@shop.socket", "rcorn@shop.service"
APP = (ROOT / "tests/apps/plain.py").read_text()


@pytest.fixture(params=["bookworm", "trixie"])
def box(request, blank, deb):
    """A machine with the package in /root."""
    machine = blank(request.param)
    shutil.copy2(deb, machine.tree / "root")
    return machine


def apt(box, *words):
    return box.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", *words)


@pytest.fixture
def shop(box):
    """Everything that README.md says about the installation was done."""
    box.boot()
    said = box.run("sh", "-ec", f"cd /root\n{steps().replace('apt install', 'apt-get install')}")
    assert "hello from Flask\n" in said, said
    # The first worker may have answered while the second one still started.
    wait_for_unit(box, SERVICE)
    return box


def get(box):
    return box.run("curl", "-fsS", "http://localhost/")


def test_the_steps_of_the_readme(shop):
    assert [worker["state"] for worker in status(shop)["workers"]] == ["idle"] * 2
    assert shop.run("stat", "-c", "%U %G %a", "/run/rcorn/shop.sock").split() == ["root", "www-data", "660"]
    assert shop.show("rcorn.target", "ActiveState") == "active"
    assert shop.run("systemctl", "is-enabled", "rcorn.target", SOCKET).split() == ["enabled", "enabled"]
    assert shop.run("dpkg", "--verify", "rcorn") == "" and "rcorn" in shop.run("getent", "group", "rcorn")


def test_an_upgrade_reloads_what_runs(shop, later_deb):
    for name in ("idle", "broken"):
        shop.put(f"/etc/rcorn/{name}.toml", f'app = "plain"\nchdir = "/srv/{name}"\nbind = "unix:$RUNTIME_DIRECTORY/http.sock"\n')
        shop.put(f"/srv/{name}/plain.py", APP)
        shop.run("systemctl", "enable", "--now", f"rcorn@{name}")
    shop.run("systemctl", "stop", "rcorn@idle")
    shop.put("/srv/broken/plain.py", "import nowhere_to_be_found\n")
    # The clients want their numbers back.
    shop.put("/srv/shop/shop.py", APP.replace("def application(", "def app("))
    # (After a reload a kept connection of nginx would be answered once more by the former generation.)
    shop.run("systemctl", "restart", SERVICE)
    before = status(shop)
    shop.put("/root/rcorn_later.deb", later_deb.read_bytes())
    with Load(shop, "127.0.0.1:80", "fresh") as fresh, Load(shop, "127.0.0.1:80", "keep") as kept:
        said = apt(shop, "install", "/root/rcorn_later.deb")
    assert fresh.failures == [] and kept.failures == []
    after = status(shop)
    assert (after["version"], after["pid"]) == (tomorrow.VERSION, before["pid"]) and before["version"] != tomorrow.VERSION
    assert shop.show("rcorn@idle", "ActiveState") == "inactive", shop.said("rcorn@idle")
    assert "not every instance could be reloaded" in said and shop.show("rcorn@broken", "ActiveState") == "active"
    # What the package did not manage is done by hand, once the application is whole again.
    shop.put("/srv/broken/plain.py", APP)
    shop.run("systemctl", "reload", "rcorn@broken")
    assert status(shop, "broken")["version"] == tomorrow.VERSION


def test_remove_and_purge_and_again(shop):
    shop.put("/etc/rcorn/by_hand.toml", 'app = "plain"\nchdir = "/srv/by_hand"\nbind = "unix:$RUNTIME_DIRECTORY/http.sock"\n')
    shop.put("/srv/by_hand/plain.py", APP)
    shop.run("systemctl", "start", "rcorn@by_hand")
    apt(shop, "remove", "rcorn")
    for unit in (SERVICE, SOCKET, "rcorn@by_hand"):
        assert shop.show(unit, "ActiveState") == "inactive", unit
    assert shop.run("ls", "/etc/rcorn").split() == ["by_hand.toml", "shop.toml"] and shop.run("pgrep", "-f", "rcorn", code=1) == ""
    assert "502" in shop.run("curl", "-s", "http://localhost/"), "nobody is there"
    # What was enabled is there again with the package, and what was only started is not.
    shop.run("sh", "-c", "cd /root && apt-get install -y ./rcorn_*.deb")
    wait_for_unit(shop, SOCKET)
    assert get(shop) == "hello from Flask\n" and shop.show("rcorn@by_hand", "ActiveState") == "inactive"
    shop.run("sh", "-c", "mkdir -p /var/lib/rcorn/shop && touch /var/lib/rcorn/shop/data")
    apt(shop, "purge", "rcorn")
    assert shop.run("find", "/etc/systemd/system", "-name", "rcorn*") == ""
    assert shop.run("ls", "/etc/rcorn").split() == ["by_hand.toml", "shop.toml"], "what people wrote is theirs"
    assert shop.run("ls", "/var/lib/rcorn/shop").split() == ["data"] and not shop.run("find", "/var/cache/rcorn", code=1).startswith("/")
    shop.run("sh", "-c", "cd /root && apt-get install -y ./rcorn_*.deb")
    assert shop.show(SOCKET, "ActiveState") == "inactive", "a purge forgets what was enabled"
    shop.run("systemctl", "enable", "--now", SOCKET)
    assert get(shop) == "hello from Flask\n"


def test_one_package_for_every_python(box):
    """Debian's own, a virtual environment of it, and Pythons from elsewhere, at the same time."""
    versions = {"debian": None, "venv": None}
    for python in supported():
        if python.label != "system":
            base = subprocess.check_output([python.path, "-c", "import sys; print(sys.base_prefix)"], text=True).strip()
            box.binds[base] = f"/opt/{python.label}"
            (box.tree / f"opt/{python.label}").mkdir(parents=True)
            versions[python.label] = python.label
    if len(versions) == 2:
        pytest.skip("no Python from elsewhere (pyenv) is here")
    box.boot()
    box.run("sh", "-ec", "cd /root && apt-get install -y ./rcorn_*.deb && python3 -m venv --without-pip /srv/environment")
    versions["debian"] = versions["venv"] = box.run("python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    box.put("/srv/app.py", "import sys\ndef application(environ, start):\n    start('200 OK', [])\n    return [(sys.version + ' ' + sys.prefix).encode()]\n")
    pythons = {"debian": "", "venv": 'python = "/srv/environment"\n'}
    for number, name in enumerate(versions):
        python = pythons.get(name, f'python = "/opt/{name}/bin/python3"\nenv = ["LD_LIBRARY_PATH=/opt/{name}/lib"]\n')
        box.put(f"/etc/rcorn/{name.replace('.', '')}.toml", f'app = "app"\nchdir = "/srv"\nbind = "127.0.0.1:{8000 + number}"\n{python}')
        unit = f"rcorn@{name.replace('.', '')}"
        box.run("systemctl", "start", unit, code=None)
        assert box.show(unit, "ActiveState") == "active", box.said(unit)
    for number, (name, version) in enumerate(versions.items()):
        said = box.run("curl", "-fsS", f"http://127.0.0.1:{8000 + number}/")
        place = {"debian": "/usr", "venv": "/srv/environment"}.get(name, f"/opt/{name}")
        assert said.startswith(version) and said.endswith(place), (name, said)


def test_settings_that_only_applications_may_read(box):
    box.write("/srv/app.py", "def application(environ, start):\n    start('200 OK', [])\n    return [b'secret kept']\n")
    box.boot()
    box.run("sh", "-ec", "cd /root && apt-get install -y ./rcorn_*.deb")
    box.put("/etc/rcorn/shop.toml", 'app = "app"\nchdir = "/srv"\nbind = "127.0.0.1:8000"\n')
    box.run("sh", "-ec", "chown root:rcorn /etc/rcorn/shop.toml && chmod 640 /etc/rcorn/shop.toml")
    box.run("systemctl", "start", SERVICE)
    assert box.run("curl", "-fsS", "http://127.0.0.1:8000/") == "secret kept"
    assert "Permission denied" in box.run("setpriv", "--reuid=65534", "--clear-groups", "cat", "/etc/rcorn/shop.toml", code=1)
