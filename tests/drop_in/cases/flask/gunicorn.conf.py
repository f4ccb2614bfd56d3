"""A Flask application behind nginx on the same machine."""

import multiprocessing
import os
from pathlib import Path

HERE = Path(__file__).parent

wsgi_app = "shop:create_app()"
bind = ["127.0.0.1:0", f"unix:{HERE}/shop.sock"]
workers = multiprocessing.cpu_count() * 2 + 1
worker_class = "gthread"
threads = int(os.environ.get("THREADS", "2"))
umask = 0o007
timeout, graceful_timeout, keepalive = 30, 10, 5
max_requests = 1000
max_requests_jitter = 50
raw_env = ["COLOUR=red", 'GREETING=say "hi", they said']
pidfile = str(HERE / "shop.pid")
proc_name = "shop"
accesslog = str(HERE / "access.log")
errorlog = "-"
loglevel = "info"
forwarded_allow_ips = "*"
preload_app = True
