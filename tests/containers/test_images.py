"""The Containerfiles: their steps, run in a chroot, and the container that they make, with rcorn as process 1."""

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from support import box
from support.containerfile import Builder, Image, parse
from support.interpreters import ROOT, TARGET, find
from support.subject import IS_RCORN, Subject
from support.waiting import wait_until

from containers.conftest import Container

CONTAINERFILES = [ROOT / "packaging" / "Containerfile", ROOT / "examples" / "kubernetes" / "Containerfile"]
PYTHON = Path("/usr/local/bin/python")
PACKAGES = "build-essential,ca-certificates,passwd,python3"
# For pip and cargo, as they are set up here.
SETTINGS = ("PIP_", "SSL_", "REQUESTS_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def base(name):
    """What stands for an image: Debian, with the Rust or the Python of this machine where the image has its own."""
    debian = box.root("bookworm", PACKAGES)
    settings = {key: value for key, value in os.environ.items() if key.startswith(SETTINGS)}
    if name.startswith("docker.io/library/rust:"):
        environment = {"PATH": "/usr/local/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin", "CARGO_HOME": "/usr/local/cargo", "CARGO_NET_OFFLINE": "true"}
        return Image([debian], environment, {"/usr/local/rust": output_of("rustc", "--print", "sysroot")})
    version = name.removeprefix("docker.io/library/python:").partition("-")[0]
    python = find(version)
    if python is None:
        pytest.skip(f"Python {version} was not found")
    image = Image([debian], {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", **settings})
    shutil.copytree(python.path.resolve().parents[1], image.tree / "usr/local", symlinks=True, dirs_exist_ok=True)
    subprocess.run(["/usr/sbin/chroot", image.tree, "/usr/sbin/ldconfig"], check=True)
    image.binds = {path: path for path in ("/etc/ssl", "/etc/hosts", "/etc/resolv.conf") if os.path.isdir(path)}
    shutil.copy("/etc/resolv.conf", image.tree / "etc/resolv.conf")
    return image


def cache(target):
    """What a build keeps for the next one."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    return {"/usr/local/cargo/registry": home / "registry", "/src/target": TARGET / "container"}[target]


@pytest.fixture(scope="module")
def image():
    if not IS_RCORN or (why := box.why_no_root()):
        pytest.skip(why if IS_RCORN else "Gunicorn has no Containerfile here")
    builder = Builder(base, cache)
    try:
        builder.build(CONTAINERFILES[0], ROOT, "rcorn")
        yield builder.build(CONTAINERFILES[1], ROOT / "examples" / "flask", "guestbook")
    except box.Unable as why:
        pytest.skip(str(why))
    finally:
        builder.remove()


def test_the_container_serves(image, start, directory):
    image.environment["PORT"] = "0"
    server = start(None, handed=False, subject=Subject(tuple(image.start()), PYTHON))
    server.wait_for_log(r"serving: generation 1, \d+ workers? (is|are) ready", seconds=30)
    assert "[1] [INFO] Listening at: http://0.0.0.0:" in server.log
    _, port = server.address
    assert b"Guest book" in ask(port)
    wait_until(lambda: '"GET / HTTP/1.1" 200' in server.output, "the access log is on stdout")
    workers = [Path(f"/proc/{pid}/status").read_text() for pid in server.workers()]
    assert workers and all("Uid:\t10001\t10001\t10001\t10001" in status for status in workers)
    assert Container(server).send(getattr(signal, image.facts["STOPSIGNAL"])).wait() == 0


def test_the_pod(image, start, directory):
    """As Kubernetes starts the container of the manifest: nothing can be written but its volumes; its commands work."""
    container = kubernetes()["spec"]["template"]["spec"]["containers"][0]
    volumes = {mount["mountPath"]: directory / mount["name"] for mount in container["volumeMounts"]}
    for place in volumes.values():
        place.mkdir()
        place.chmod(0o777)
    image.environment["PORT"] = "0"
    # Ports that nobody else has: those of the manifest are its own network's.
    arguments = [re.sub(r"^(--metrics-bind=.*):\d+$", r"\1:0", word) for word in container["args"]]
    command = image.start(arguments, binds=volumes, mode="ro")
    pod = Container(start(None, handed=False, subject=Subject(tuple(command), PYTHON)))
    pod.server.wait_for_log("serving: generation 1", seconds=30)
    (said,) = re.findall(r'"Listening at: http://0.0.0.0:(\d+) ', pod.server.log)
    assert b"Guest book" in ask(int(said))
    user = image.user.partition(":")[0]
    enter = ["nsenter", "-t", str(pod.first), "-m", "-p", "-r", "-S", user, "-G", user, "env", f"PATH={image.environment['PATH']}"]
    (metrics,) = re.findall(r'"Metrics at: http://0.0.0.0:(\d+)"', pod.server.log)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert ask(int(metrics), container[probe]["httpGet"]["path"])
    assert b"rcorn_ready 1" in ask(int(metrics), "/metrics")
    for words in (container["lifecycle"]["preStop"]["exec"]["command"], ["rcornctl", "status"]):
        done = subprocess.run([*enter, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert subprocess.run([*enter, "touch", "/app/file"], capture_output=True, text=True).stderr.endswith("Read-only file system\n")
    assert pod.send(signal.SIGTERM).wait() == 0
    assert all(json.loads(line) for line in (pod.server.log + pod.server.output).splitlines())
    assert "WARNING" not in pod.server.log


def kubernetes():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return yaml.safe_load((ROOT / "examples" / "kubernetes" / "deployment.yaml").read_text())


def ask(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as response:
        return response.read()


def test_what_it_says_of_itself(image):
    assert image.facts == {"EXPOSE": "8000", "STOPSIGNAL": "SIGTERM"} and image.words["ENTRYPOINT"] == ["rcorn"]


@functools.cache
def steps():
    return [step for path in CONTAINERFILES for step in parse(path)]


def test_no_shell_is_process_1():
    words = [text for instruction, text in steps() if instruction in ("ENTRYPOINT", "CMD")]
    assert len(words) == 3 and all(text.startswith("[") for text in words)
