"""A class of loggers that leaves out what a load balancer asks, defined here, with something of its own that hooks use."""

from gunicorn import glogging

bind = "unix:main.sock"
workers = 1
accesslog = "access.log"
errorlog = "error.log"
access_log_format = "%(m)s %(U)s %(s)s"


class Quiet(glogging.Logger):
    def setup(self, cfg):
        super().setup(cfg)
        self.left_out = 0
        self.settings = f"{cfg.workers} {cfg.accesslog.rpartition('/')[2]} {cfg.bind[0]} {cfg.proc_name}"

    def access(self, resp, req, environ, request_time):
        if environ["PATH_INFO"] == "/health":
            self.left_out += 1
        else:
            super().access(resp, req, environ, request_time)


logger_class = Quiet
proc_name = "shop"


def post_worker_init(worker):
    worker.log.info("made of %s, %s", worker.log.settings, worker.log.error_log.name)


def worker_exit(server, worker):
    worker.log.info("left out: %s", worker.log.left_out)
