"""One build, every Python from 3.11 on: the application lives in its own virtual environment, untouched."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import interpreters
from support.interpreters import ROOT, find, supported, system
from support.server import APPS, call
from support.subject import Subject, binary, extension

pytestmark = pytest.mark.rcorn("Gunicorn runs inside the interpreter")

MATRIX = ["system", *interpreters.WANTED]


@pytest.fixture(params=MATRIX)
def interpreter(request):
    found = system() if request.param == "system" else find(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} was found: not the system's, not on PATH, not pyenv's")
    if not found.is_supported:
        pytest.skip("the system's python3 is older than 3.11")
    return found


@pytest.fixture
def serve_with(start, interpreter):
    def serve_with(app, *flags, **options):
        subject = Subject((str(binary()),), interpreter.environment / "bin" / "python")
        return start(app, *flags, subject=subject, **options).ready()

    return serve_with


@pytest.mark.parametrize("preload", ["on", "off"])
def test_the_application_is_at_home(serve_with, interpreter, preload):
    server = serve_with("plain", f"--preload={preload}")
    known = server.get("/interpreter").json
    environment = interpreter.environment
    assert tuple(known["version"]) == interpreter.version
    assert known["prefix"] == str(environment)
    assert known["executable"] in {str(environment / "bin" / name) for name in ("python", "python3")}
    assert any(path.startswith(f"{environment}/lib") and path.endswith("site-packages") for path in known["path"])
    assert known["path"][0] in (str(server.directory), ""), known["path"]
    assert known["cwd"] == str(server.directory) and known["name"] == "plain"
    assert not any(str(binary().parent) in path for path in known["path"]), "nothing of rcorn is on sys.path"


def test_argv_is_the_servers_own(serve_with):
    server = serve_with("plain", "--workers", 1)
    argv = server.get("/interpreter").json["argv"]
    assert argv == server.arguments, argv


def test_flask(serve_with):
    server = serve_with(None, "--chdir", ROOT / "examples" / "flask", call="app:app")
    assert "Guest book" in server.get("/").text


def test_django(serve_with):
    server = serve_with(None, "--chdir", ROOT / "examples" / "django", call="mysite.wsgi")
    assert "Guest book" in server.get("/", headers={"Host": "localhost"}).text


def test_everyday_life(serve_with):
    """Bodies in and out, streams, errors, replacement: what goes through the C API of this version."""
    server = serve_with("plain", "--workers", 2)
    body = os.urandom(3_000_000)
    assert server.request("/echo", "POST", body=body).body == body
    assert server.get("/pieces?count=100&size=1000").body == b"x" * 100_000
    assert server.get("/raises").status == 500
    old = server.workers()
    for worker in old:
        os.kill(worker, 9)
    assert server.get("/").text == "hello"
    server.wait_for_workers(2)
    assert server.stop() == 0


class TestHowItIsFound:
    """The setting; the python beside the executable; $VIRTUAL_ENV; .venv or venv in chdir; python3 on PATH."""

    @pytest.fixture
    def other(self):
        """An environment that is not the one which the tests run in."""
        if len(supported()) < 2:
            pytest.skip("needs two interpreters")
        return supported()[1].environment

    @pytest.mark.parametrize("form", ["bin/python", "."], ids=["interpreter", "environment"])
    def test_by_the_setting(self, start, other, form):
        server = start("plain", "--python", other / form).ready()
        assert server.get("/interpreter").json["prefix"] == str(other)

    def test_by_the_environment(self, start, other):
        server = start("plain", env={"VIRTUAL_ENV": other}).ready()
        assert server.get("/interpreter").json["prefix"] == str(other)

    @pytest.mark.parametrize("name", [".venv", "venv"])
    def test_in_the_directory(self, start, directory, other, name):
        place = directory / "project"
        place.mkdir()
        shutil.copy(APPS / "plain.py", place)
        (place / name).symlink_to(other)
        server = start(None, "--chdir", place, call="plain", env={"VIRTUAL_ENV": None}).ready()
        known = server.get("/interpreter").json
        assert Path(known["prefix"]).resolve() == other.resolve() and known["cwd"] == str(place)

    def test_on_path(self, start, directory, other):
        tools = directory / "tools"
        tools.mkdir()
        (tools / "python3").symlink_to(supported()[0].path)
        env = {"VIRTUAL_ENV": None, "PATH": f"{tools}:/usr/bin:/bin"}
        server = start("plain", env=env).ready()
        assert tuple(server.get("/interpreter").json["version"]) == supported()[0].version

    def test_beside_the_executable(self, start, directory):
        """As the wheel installs it: into the application's environment."""
        environment = directory / "env"
        subprocess.run([supported()[0].path, "-m", "venv", "--without-pip", environment], check=True)
        shutil.copy(binary(), environment / "bin")
        shutil.copy(extension(), environment / "bin")
        subject = Subject((str(environment / "bin" / "rcorn"),), supported()[0].environment / "bin" / "python")
        server = start("plain", subject=subject).ready()
        assert server.get("/interpreter").json["prefix"] == str(environment)


class TestWhatIsNoInterpreter:
    """One clear sentence and exit code 1."""

    @pytest.fixture
    def refused(self, directory):
        shutil.copy(APPS / "plain.py", directory)

        def refused(python, **options):
            arguments = ["--python", python] if python else []
            outcome = call(*arguments, "--bind", "127.0.0.1:0", "plain", directory=directory, **options)
            assert outcome.code == 1, outcome
            said = [line for line in outcome.err.splitlines() if "[INFO]" not in line]
            assert len(said) == 1, outcome.err
            return said[0]

        return refused

    @pytest.mark.parametrize("minor", ["3.10", "3.9"])
    def test_one_that_is_too_old(self, refused, minor):
        old = find(minor)
        if old is None:
            pytest.skip(f"no Python {minor} was found")
        said = refused(old.path)
        assert str(old.path) in said and minor in said and "3.11" in said

    def test_one_that_is_far_too_old(self, refused):
        path = python2()
        if path is None:
            pytest.skip("no Python 2.7 was found")
        said = refused(path)
        assert "2.7" in said and "3.11" in said

    def test_a_path_that_is_not_there(self, refused):
        said = refused("/nowhere/bin/python")
        assert "/nowhere/bin/python" in said

    def test_a_directory_that_is_no_environment(self, refused, directory):
        (directory / "empty").mkdir()
        assert str(directory / "empty") in refused(directory / "empty")

    def test_a_file_that_is_not_executable(self, refused, directory):
        path = directory / "python"
        path.write_text("no program")
        path.chmod(0o644)
        assert str(path) in refused(path)

    @pytest.mark.parametrize("program", ["/bin/true", "/bin/false", "/bin/cat", "/bin/sh", "/bin/echo"])
    def test_a_program_that_is_not_python(self, refused, program):
        if not os.access(program, os.X_OK):
            pytest.skip(f"there is no {program}")
        assert program in refused(program)

    def test_a_script_without_interpreter(self, refused, directory):
        path = directory / "python"
        path.write_text("#!/nowhere/at/all\n")
        path.chmod(0o755)
        assert str(path) in refused(path)

    def test_no_python_anywhere(self, refused, directory):
        said = refused(None, env={"PATH": str(directory), "VIRTUAL_ENV": None})
        assert "python" in said.lower()


def python2():
    """A Python 2.7 that runs, or None."""
    of_pyenv = [path for root in filter(None, interpreters.pyenv_roots()) for path in Path(root).glob("versions/2.7*/bin/python")]
    for path in [*of_pyenv, shutil.which("python2.7")]:
        if path and subprocess.run([path, "-c", "pass"], capture_output=True, check=False).returncode == 0:
            return path
    return None
