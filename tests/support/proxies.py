"""Real proxies in front of the server, with the very configuration that docs/behind-a-proxy.md shows."""

import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from .client import Connection
from .interpreters import ROOT
from .waiting import wait_until

PAGE = ROOT / "docs" / "behind-a-proxy.md"


def shown(heading):
    """The indented lines under a heading of the page."""
    section = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.sub(r"(?m)^    ", "", "\n".join(re.findall(r"(?m)^(?:    .*|)$", section))) + "\n"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Proxy:
    """A running proxy that listens on `port`."""

    def __init__(self, directory: Path, program, configuration, command):
        self.port = free_port()
        self.log = directory / f"{program}.log"
        path = directory / f"{program}.conf"
        path.write_text(configuration(self.port))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [shutil.which(program), *command(path)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        wait_until(self._answers, f"{program} listens; it said: {self.log.read_text()}")

    def _answers(self):
        assert self.process.poll() is None, f"the proxy ended: {self.log.read_text()}"
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return False
        return True

    def connect(self):
        return Connection(("127.0.0.1", self.port))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def nginx(directory, path_of_socket):
    def configuration(port):
        shop = shown("nginx").replace("/run/shop/http.sock", path_of_socket)
        shop = shop.replace("listen 80;", f"listen 127.0.0.1:{port};")
        places = "".join(
            f"{kind}_temp_path {directory}/{kind};" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        )
        return (
            f"daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr;\n"
            f"events {{}}\nhttp {{ access_log off; {places}\n{shop} }}\n"
        )

    return Proxy(directory, "nginx", configuration, lambda path: ["-c", str(path), "-p", str(directory)])


def haproxy(directory, port_of_server):
    def configuration(port):
        shop = shown("HAProxy").replace("bind :80", f"bind 127.0.0.1:{port}")
        shop = shop.replace("127.0.0.1:8000", f"127.0.0.1:{port_of_server}")
        return "defaults\n    mode http\n    timeout connect 5s\n    timeout client 10s\n    timeout server 10s\n" + shop

    return Proxy(directory, "haproxy", configuration, lambda path: ["-f", str(path)])
