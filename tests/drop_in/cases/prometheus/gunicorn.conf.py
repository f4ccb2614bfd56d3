"""prometheus_client in several processes, as its documentation has it, and with a directory that each start empties."""

import os
import shutil
from pathlib import Path

METRICS = Path(__file__).parent / "metrics"
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS)

bind = "unix:shop.sock"
workers = 2


def on_starting(server):
    shutil.rmtree(METRICS, ignore_errors=True)
    METRICS.mkdir()


def child_exit(server, worker):
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)
