"""Objects in both logs and in the application's, by a formatter of this file's."""

import json
import logging

bind = "unix:main.sock"
workers = 1
accesslog = "-"


class Objects(logging.Formatter):
    def format(self, record):
        said = {"logger": record.name, "level": record.levelname, "message": record.getMessage()}
        if record.name == "gunicorn.access":
            names = {"method": "m", "path": "U", "query": "q", "status": "s", "length": "B", "agent": "a", "host": "{host}i"}
            said = {"logger": record.name, **{name: record.args[atom] for name, atom in names.items()}}
            said["took"] = record.args["D"] >= 0
        if record.exc_info:
            said["raised"] = record.exc_info[0].__name__
        return json.dumps(said)


def file(name):
    return {"class": "logging.FileHandler", "filename": name, "formatter": "objects"}


logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"objects": {"()": Objects}},
    "handlers": {"access": file("access.json"), "error": file("error.json"), "shop": file("shop.json")},
    "root": {"level": "INFO", "handlers": ["shop"]},
    "loggers": {
        "gunicorn.access": {"level": "INFO", "handlers": ["access"], "propagate": False},
        "gunicorn.error": {"level": "INFO", "handlers": ["error"], "propagate": False},
    },
}


def post_fork(server, worker):
    server.log.info("worker %s is there", worker.age)
