"""Loggers that people have beside their applications: made of Gunicorn's class."""

import json
import logging
import queue
import threading

from gunicorn import glogging


class Quiet(glogging.Logger):
    """Leaves out what a load balancer asks."""

    def access(self, resp, req, environ, request_time):
        if environ.get("PATH_INFO") != "/health":
            super().access(resp, req, environ, request_time)


class Structured(glogging.Logger):
    """One object a line, and an atom of its own."""

    def atoms(self, resp, req, environ, request_time):
        return {**super().atoms(resp, req, environ, request_time), "order": dict(resp.headers).get("X-Order", "none")}

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.handlers[0].setFormatter(Objects())


class Objects(logging.Formatter):
    def format(self, record):
        raised = record.exc_info[0].__name__ if record.exc_info else None
        return json.dumps({"level": record.levelname, "text": record.getMessage(), "raised": raised})


class Broken(glogging.Logger):
    def setup(self, cfg):
        raise ValueError("no such place")


class Failing(glogging.Logger):
    def access(self, resp, req, environ, request_time):
        raise KeyError("forgotten")


class Threaded(logging.FileHandler):
    """Writes in a thread, which does not survive a fork."""

    def __init__(self, filename):
        super().__init__(filename)
        self.waiting = queue.Queue()
        threading.Thread(target=self.write, daemon=True).start()

    def emit(self, record):
        self.waiting.put(record)

    def write(self):
        while record := self.waiting.get():
            super().emit(record)


class AccessFormatter(logging.Formatter):
    """Works on a record's atoms."""

    def format(self, record):
        atoms = record.args
        known = {name: atoms[name] for name in ("h", "m", "U", "s", "B", "{user-agent}i", "{x-order}o")}
        return json.dumps({**known, "name": record.name, "message": record.getMessage()})
