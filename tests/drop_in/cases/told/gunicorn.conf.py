"""statsd, with a prefix and Datadog's tags."""

import os

bind = "127.0.0.1:0"
workers = 2
statsd_host = os.environ["STATSD"]
statsd_prefix = "shop"
dogstatsd_tags = "env:test"


def post_worker_init(worker):
    worker.log.info("told to %s", worker.cfg.statsd_host)
    worker.log.warning("beware")
