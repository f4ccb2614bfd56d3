"""statsd, with a prefix and Datadog's tags."""

import os

from gunicorn.instrument.statsd import Statsd

bind = "127.0.0.1:0"
workers = 2
statsd_host = os.environ["STATSD"]
statsd_prefix = "shop"
dogstatsd_tags = "env:test"


class Measured(Statsd):
    """Tells of more than Gunicorn does."""

    def access(self, resp, req, environ, request_time):
        super().access(resp, req, environ, request_time)
        self.histogram("shop.bytes", resp.sent)


if "MEASURED" in os.environ:
    logger_class = Measured


def post_worker_init(worker):
    worker.log.info("told to %s", worker.cfg.statsd_host)
    worker.log.warning("beware")
