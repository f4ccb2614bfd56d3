"""A Django site: settings by the environment that this file sets, the code in a directory of its own."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "lib"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")

chdir = str(ROOT / "src")
bind = f"unix:{ROOT}/django.sock"
workers = 2
worker_tmp_dir = "/dev/shm"
pidfile = "../django.pid"
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
limit_request_line = 2048
capacity = {"unused": True}
