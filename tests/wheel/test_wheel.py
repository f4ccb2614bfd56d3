"""The wheel: what is in it, and that `rcorn app:app` works in a fresh environment wherever `gunicorn app:app` did."""

import base64
import csv
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename
from support import interpreters, tomorrow
from support.interpreters import ROOT, find, system
from support.server import call
from support.subject import Subject, binaries
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("its wheels are its own matter")

MAKER = ROOT / "packaging" / "wheel" / "make.py"
FLASK = ROOT / "examples" / "flask"
WHICH = """
import sys
from app import app

app.add_url_rule("/which", view_func=lambda: sys.prefix)
"""


def make(built, place, **environment):
    done = subprocess.run(
        [sys.executable, MAKER, built, place], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """A wheel of the build under test."""
    return make(binaries(), tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def archive(wheel):
    with zipfile.ZipFile(wheel) as archive:
        yield archive


class TestTheFile:
    def test_the_same_build_gives_the_same_bytes(self, wheel, directory):
        assert make(binaries(), directory).read_bytes() == wheel.read_bytes()
        later = make(binaries(), directory, SOURCE_DATE_EPOCH="1700000000")
        with zipfile.ZipFile(later) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}

    def test_the_tag_is_what_the_files_need(self, wheel, archive, directory):
        """The newest symbol of glibc, read in another way than the maker does."""
        newest = (0, 0)
        for name in [name for name in archive.namelist() if "scripts/" in name or name.endswith(".so")]:
            dump = subprocess.run(["objdump", "-T", archive.extract(name, directory)], capture_output=True, text=True, check=True)
            symbols = [word.strip("()") for word in dump.stdout.split() if word.strip("()").startswith("GLIBC_2.")]
            newest = max([newest, *(tuple(map(int, symbol[6:].split(".")))[:2] for symbol in symbols)])
        assert wheel.name.endswith(f"-py3-none-manylinux_{newest[0]}_{newest[1]}_{os.uname().machine}.whl")
        assert parse_wheel_filename(wheel.name)[3] & set(sys_tags()), "it can be installed here"

    def test_the_description_is_sound(self, archive):
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = Metadata.from_email(archive.read(name), validate=True)
        assert (metadata.name, str(metadata.version)) == ("rcorn", name.split("-")[1].removesuffix(".dist"))
        assert str(metadata.requires_python) == ">=3.11" and metadata.license_expression == "MIT OR Apache-2.0"
        licences = {f"{name.rpartition('/')[0]}/licenses/{licence}" for licence in metadata.license_files}
        assert licences <= set(archive.namelist())
        others = archive.read(next(name for name in licences if name.endswith("third-party.txt"))).decode()
        assert "hyper" in others and "pyo3" in others and "Permission is hereby granted" in others
        assert "](docs/" not in metadata.description and "pre-fork application server" in metadata.description

    def test_the_record_is_true(self, archive):
        record = next(name for name in archive.namelist() if name.endswith("RECORD"))
        rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(archive.read(record).decode()))}
        assert set(rows) == set(archive.namelist()) and rows.pop(record) == ["", ""]
        for name, (checksum, size) in rows.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).rstrip(b"=").decode()
            assert (checksum, int(size)) == (f"sha256={digest}", archive.getinfo(name).file_size), name

    def test_line_tables_stay_at_home(self, archive):
        assert sum(entry.file_size for entry in archive.infolist()) < 12_000_000


@pytest.fixture(scope="module", params=["system", "3.12", "3.13"])
def environment(request, tmp_path_factory):
    """A fresh environment."""
    found = system() if request.param == "system" else find(request.param)
    if found is None or not found.is_supported:
        pytest.skip(f"no Python {request.param} was found")
    return Environment(tmp_path_factory.mktemp("environment") / "env", found)


class Environment:
    """A virtual environment that has nothing but pip, and Flask from another one by a line in a file."""

    def __init__(self, place, interpreter):
        self.place = place
        self.interpreter = interpreter
        subprocess.run([interpreter.path, "-m", "venv", place], check=True)
        packages = next(interpreter.environment.glob("lib/python3*/site-packages"))
        self.packages = next(place.glob("lib/python3*/site-packages"))
        (self.packages / "flask.pth").write_text(f"{packages}\n")

    def pip(self, *words):
        command = [self.place / "bin" / "python", "-m", "pip", "--disable-pip-version-check", *map(str, words)]
        # Offline, and told nothing by this machine's settings.
        own = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return subprocess.run(command, check=True, capture_output=True, text=True, env={**own, "PIP_CONFIG_FILE": os.devnull}).stdout

    def install(self, wheel, *more):
        self.pip("install", *more, "--no-index", "--find-links", wheel.parent, "rcorn")
        return self

    def files(self):
        return {path for path in self.place.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def installed(environment, wheel):
    return environment.install(wheel)


def by_path(environment, _):
    return [environment.place / "bin" / "rcorn"], {}


def by_name(environment, _):
    """As in an environment that is activated."""
    return ["rcorn"], {"PATH": f"{environment.place}/bin:/usr/bin:/bin", "VIRTUAL_ENV": environment.place}


def by_link(environment, directory):
    """As pipx does it, while another environment is activated."""
    other = directory / "other"
    subprocess.run([environment.interpreter.path, "-m", "venv", "--without-pip", other], check=True)
    (directory / "links").mkdir()
    (directory / "links" / "rcorn").symlink_to(environment.place / "bin" / "rcorn")
    return ["rcorn"], {"PATH": f"{directory}/links:/usr/bin:/bin", "VIRTUAL_ENV": other}


def by_module(environment, _):
    return [environment.place / "bin" / "python", "-m", "rcorn"], {}


@pytest.mark.parametrize("way", [by_path, by_name, by_link, by_module])
def test_flask_is_served(start, installed, directory, way):
    """With no environment variables but those that the way brings, in the application's directory."""
    command, variables = way(installed, directory)
    words = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), *command]
    site = directory / "site"
    shutil.copytree(FLASK, site, ignore=shutil.ignore_patterns("__pycache__"))
    (site / "which.py").write_text(WHICH)
    subject = Subject(tuple(map(str, words)), Path(sys.executable))
    server = start(None, "--chdir", site, "-b", "127.0.0.1:0", handed=False, call="which:app", subject=subject)
    server.wait_for_log("serving: generation 1")
    assert "Guest book" in server.get("/").text
    assert server.get("/which").text == str(installed.place)
    assert server.stop() == 0


def test_what_python_sees_of_it(installed):
    code = "import rcorn, sys; print(rcorn.__version__)"
    said = subprocess.run([installed.place / "bin" / "python", "-c", code], check=True, capture_output=True, text=True).stdout
    assert f"rcorn {said}" == subprocess.run([installed.place / "bin" / "rcorn", "--version"], capture_output=True, text=True).stdout
    module = subprocess.run([installed.place / "bin" / "python", "-m", "rcorn", "--version"], capture_output=True, text=True)
    assert module.stdout == f"rcorn {said}"


@pytest.mark.parametrize("words", ["import rcorn.app.base", "from rcorn.app.wsgiapp import WSGIApplication"])
def test_who_embeds_gunicorn_is_told_what_to_do(installed, words):
    done = subprocess.run([installed.place / "bin" / "python", "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: rcorn has no BaseApplication to subclass")
    assert "python -m rcorn" in done.stderr


def test_rcornctl_comes_along(installed):
    done = subprocess.run([installed.place / "bin" / "rcornctl", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("rcornctl ")


def test_nothing_is_left_when_it_is_uninstalled(wheel, directory):
    environment = Environment(directory / "env", interpreters.supported()[0])
    before = environment.files()
    environment.install(wheel)
    assert len(environment.files()) > len(before) + 5
    environment.pip("uninstall", "-y", "rcorn")
    assert environment.files() == before


def test_the_python_that_was_named_wins(start, installed, directory):
    """Over the environment that rcorn lies in."""
    other = interpreters.supported()[0].environment
    subject = Subject((str(installed.place / "bin" / "rcorn"),), other / "bin" / "python")
    server = start("plain", "--python", other, subject=subject).ready()
    assert server.get("/interpreter").json["prefix"] == str(other)


def test_without_an_environment(wheel, directory, start):
    """As in a container: pip has installed it for a Python whose directory is nobody's virtual environment."""
    found = find("3.12") or find("3.13")
    if found is None:
        pytest.skip("neither Python 3.12 nor 3.13 was found")
    prefix = directory / "usr"
    command = [found.path, "-m", "pip", "install", "--quiet", "--no-index", "--prefix", prefix, wheel]
    subprocess.run(command, check=True, env={**os.environ, "PIP_CONFIG_FILE": os.devnull})
    name = "python{}.{}".format(*found.version)
    (prefix / "bin" / name).symlink_to(found.path)
    subject = Subject((str(prefix / "bin" / "rcorn"),), Subject.default().python)
    server = start("plain", subject=subject).ready()
    known = server.get("/interpreter").json
    assert tuple(known["version"]) == found.version and known["executable"] == str(prefix / "bin" / name)


def test_a_damaged_installation_is_told(wheel, directory):
    environment = Environment(directory / "env", interpreters.supported()[0]).install(wheel)
    (environment.packages / "rcorn" / "_rcorn.abi3.so").unlink()
    outcome = call("app", directory=directory, program=environment.place / "bin" / "rcorn")
    assert outcome.code == 1 and "is the installation complete?" in outcome.sentence


@pytest.mark.skipif(not (tomorrow.BINARIES / "rcorn").exists(), reason="no other build is there: make test makes one")
def test_an_upgrade_while_it_runs(wheel, directory, start):
    environment = Environment(directory / "env", interpreters.supported()[0]).install(wheel)
    later = make(tomorrow.BINARIES, directory / "later")
    subject = Subject((str(environment.place / "bin" / "rcorn"),), Subject.default().python)
    server = start("plain", subject=subject).ready()
    (old,) = server.wait_for_workers(1)
    environment.install(later, "--upgrade")
    assert server.get("/").text == "hello" and server.workers() == [old], "nothing happens before it is asked to"
    server.send(signal.SIGHUP).wait_for_log(r"reloaded: generation 2[^\n]*")
    wait_until(lambda: len(server.workers()) == 1 and server.workers() != [old], "the new worker is alone")
    assert Path(f"/proc/{server.pid}/exe").resolve() == environment.place / "bin" / "rcorn"
    loaded = Path(f"/proc/{server.workers()[0]}/maps").read_text().splitlines()
    assert not any("_rcorn" in line and "(deleted)" in line for line in loaded)
    assert server.get("/").text == "hello"
