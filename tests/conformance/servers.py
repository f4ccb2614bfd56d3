"""The servers that the cases are tried on: one for each group of settings, for as long as the tests of this process run."""

import shutil
import tempfile
from pathlib import Path

from support import systemd
from support.lines import whole_lines
from support.server import Server, copy_app
from support.subject import IS_RCORN
from support.waiting import wait_until

PERMITS = ["obsolete-folding", "unconventional-http-method", "unconventional-http-version"]

# Flags that both servers know, and those of rcorn alone.
GROUPS = {
    "plain": ([], []),
    "small": (
        ["--limit-request-line", 64, "--limit-request-fields", 8, "--limit-request-field_size", 100],
        ["--limit-request-body", 50],
    ),
    "impatient": ([], ["--header-timeout", "400ms", "--body-timeout", "400ms", "--keep-alive", "400ms"]),
    "unkept": (["--keep-alive", 0], []),
    "permits": ([f"--permit-{what}" for what in PERMITS] + ["--strip-header-spaces"], []),
    "casefold": (["--casefold-http-method"], []),
    "refuses-underscores": (["--header-map", "refuse"], []),
    "passes-underscores": (["--header-map", "dangerous"], []),
    "strangers": (["--forwarded-allow-ips", "192.0.2.1"], []),
    "proxy-protocol": (["--proxy-protocol"], []),
    "proxy-protocol-strangers": (["--proxy-protocol", "--proxy-allow-from", "192.0.2.1"], []),
    "mounted": ([], ["--script-name", "/shop"]),
    "forwarded-for": ([], ["--forwarded-for", "x-forwarded-for"]),
    "forwarded": ([], ["--forwarded-for", "forwarded"]),
    "pep3333": ([], []),
    "validated": ([], []),
}
# Where that is not `conformant`.
APPS = {"pep3333": "pep3333", "validated": "validated"}


class Servers:
    """Starts them when they are first asked for."""

    def __init__(self, kind):
        self.kind = kind
        self.running = {}

    def get(self, group):
        if group not in self.running:
            self.running[group] = self._start(group)
        return self.running[group]

    def _start(self, group):
        both, ours = GROUPS[group]
        directory = Path(tempfile.mkdtemp(prefix="rcorn-"))
        app = APPS.get(group, "conformant")
        for name in {app, "pep3333"}:
            copy_app(name, directory)
        threads = {"sync": ["--threads", 1], "threads": ["--threads", 4], "gevent": ["--worker-class", "gevent"]}.get(self.kind, [])
        flags = [*both, *(ours if IS_RCORN else []), *threads, "--access-logfile", directory / "access", "--workers", 1]
        return Server(directory, [*flags, app], listener=systemd.tcp_listener()).ready()

    def stop(self):
        complaints = [server.clean_up() for server in self.running.values()]
        for server in self.running.values():
            shutil.rmtree(server.directory, ignore_errors=True)
        assert not any(complaints), complaints


def calls(server, group):
    """How often the application was called."""
    mount = "/shop" if group == "mounted" and IS_RCORN else ""
    return int(server.get(f"{mount}/calls").text)


def access_lines(server):
    return whole_lines(server.directory / "access")


def wait_for_line(server, count):
    """The access log has more than `count` lines beside those about the count of calls; the next one."""

    def lines():
        return [line for line in access_lines(server) if "/calls " not in line]

    with server.explained():
        return wait_until(lambda: lines()[count:], "the request has a line in the access log")[0]
