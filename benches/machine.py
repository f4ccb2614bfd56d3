"""What the figures were measured on."""

import os
import platform
import re
import subprocess
from datetime import date
from pathlib import Path

from .environment import PYTHON, RCORN


def describe():
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    lines = {
        "date": date.today().isoformat(),
        "processor": f"{model[1] if model else platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{int(memory[1]) // 1024 // 1024} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "TCP": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "interpreter": said(PYTHON, "-VV").split("\n")[0],
        "rcorn": said(RCORN, "--version"),
        "load": f"wrk {(re.search(r'wrk ([^ ]+)', said('wrk', '-v')) or [None, ''])[1]}",
    }
    packages = said(PYTHON, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    peers = re.findall(r"(?im)^((?:gunicorn|granian|uvicorn|fastwsgi|fastpysgi|bjoern|httptools|uvloop|gevent|flask|django|fastapi)==.+)$", packages)
    lines["peers"] = ", ".join([*peers, said("nginx", "-v")])
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


def said(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return f"no {command[0]}"
    return (done.stdout + done.stderr).strip()
