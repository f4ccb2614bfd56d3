"""Python's logging as the settings say it, set up before the application is imported.

Records of the server's own are for who asks for them (`records.py`): where the configuration names `gunicorn.error` or
`gunicorn.access`, or where `logger_class` is somebody's own.
"""

import importlib
import json
import logging
import logging.config
import os
import sys
from types import SimpleNamespace

ERROR, ACCESS = "gunicorn.error", "gunicorn.access"
# What Gunicorn has for whatever a configuration leaves out.
BASE = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "INFO", "handlers": ["console"]},
    "formatters": {
        "generic": {
            "class": "logging.Formatter",
            "format": "%(asctime)s [%(process)d] [%(levelname)s] %(message)s",
            "datefmt": "[%Y-%m-%d %H:%M:%S %z]",
        }
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stdout"},
        "error_console": {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"},
    },
}
# What stands for the server's own logger.
OURS = {None, "gunicorn.glogging.Logger", "gunicorn.instrument.statsd.Statsd"}


class Mistake(Exception):
    """The operator has to change something: a sentence."""


def set_up(settings, records):
    """Whether lines of the error log and of the access log are to be delivered by `records`, and whether that tells statsd."""
    values = json.loads(settings)
    if values["logger_class"] not in OURS:
        records.logger = instance(values["logger_class"], configuration(values))
        records.takes_lines = True
        return True, True, tells_statsd(records.logger)
    asked = configure(values)
    if not asked:
        return False, False, False
    records.logger = records.Logger(SimpleNamespace(**values["cfg"]))
    records.takes_lines = ERROR in asked
    return ERROR in asked, ACCESS in asked, False


# The logging configuration


def configure(values):
    """Applies it; which of the server's loggers it names."""
    try:
        if values["logconfig_dict"]:
            return configure_by("logconfig_dict", dictionary(values))
        if values["logconfig_json"]:
            return configure_by(f"logconfig_json: {values['logconfig_json']}", read_json(values["logconfig_json"]))
        if values["logconfig"]:
            return configure_by_file(values["logconfig"])
    except OSError as error:
        raise Mistake(f"logging configuration {error.filename}: {error.strerror}") from None
    return set()


def dictionary(values):
    if values["logconfig_dict"] != "python:":
        return json.loads(values["logconfig_dict"])
    # Evaluated in this process already, with objects in it that JSON does not know.
    namespaces = getattr(sys.modules.get("_rcorn.conf"), "NAMESPACES", {})
    return next((names["logconfig_dict"] for names in namespaces.values() if "logconfig_dict" in names), {})


def read_json(path):
    with open(path, encoding="utf-8") as file:
        try:
            found = json.load(file)
        except ValueError as error:
            raise Mistake(f"logconfig_json: {path}: this is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Mistake(f"logconfig_json: {path}: expected an object, found {type(found).__name__}")
    return found


def configure_by(what, config):
    whole = {**BASE, **config}
    if "root" not in config and "console" not in whole["handlers"]:
        # Gunicorn refuses handlers without one of that name, for a root logger that nobody has asked for.
        del whole["root"]
    try:
        logging.config.dictConfig(whole)
    except Exception as error:
        raise Mistake(f"{what}: {reason(error)}") from error
    return {name for name in config.get("loggers", {}) if name in (ERROR, ACCESS)}


def configure_by_file(path):
    with open(path, encoding="utf-8"):
        pass  # what cannot be read is told as such, which `fileConfig` does not do
    here = {"__file__": path, "here": os.path.dirname(path)}
    before = {name: list(logging.getLogger(name).handlers) for name in (ERROR, ACCESS)}
    try:
        logging.config.fileConfig(path, defaults=here, disable_existing_loggers=False, encoding="utf-8")
    except Exception as error:
        raise Mistake(f"logconfig: {path}: {reason(error)}") from error
    return {name for name in before if logging.getLogger(name).handlers != before[name] or names(path, name)}


def names(path, name):
    """Does an ini file have a section for this logger?"""
    with open(path, encoding="utf-8") as file:
        return any(line.replace(" ", "").rstrip() == f"qualname={name}" for line in file)


def reason(error):
    """An error and what caused it, in one line."""
    said = []
    while error is not None:
        text = str(error) or type(error).__name__
        text = f"there is no section or option {text}" if isinstance(error, KeyError) else text
        said.append(" ".join(text.split()))
        error = error.__cause__ or error.__context__
    return ": ".join(dict.fromkeys(said))


# Somebody's own class


def instance(chosen, cfg):
    kind = load(chosen)
    try:
        return kind(cfg)
    except Exception as error:
        raise Mistake(f"logger_class: {kind.__qualname__} cannot be made: {reason(error)}") from error


def load(name):
    module, _, attribute = name.replace(":", ".").rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        advice = "; it is made of Gunicorn's class, so install gunicorn beside the application" if missing(error) else ""
        raise Mistake(f"logger_class: {name} cannot be imported: {reason(error)}{advice}") from None
    except (AttributeError, ValueError):
        raise Mistake(f"logger_class: there is no {name}") from None


def tells_statsd(logger):
    """A class made of Gunicorn's `Statsd` sends all that rcorn would send, and what it has of its own."""
    module = sys.modules.get("gunicorn.instrument.statsd")
    return module is not None and isinstance(logger, module.Statsd)


def missing(error):
    return (getattr(error, "name", None) or "").partition(".")[0] == "gunicorn"


def configuration(values):
    """Gunicorn's own object with all its settings where it is installed, as classes that derive from Gunicorn's expect."""
    known = dict(values["cfg"])
    if values["logconfig_dict"]:
        known["logconfig_dict"] = dictionary(values)
    try:
        from gunicorn.config import Config
    except ImportError:
        return SimpleNamespace(**known)
    cfg = Config()
    for name, value in known.items():
        if name in cfg.settings:
            # Gunicorn's types already, as far as JSON has them.
            cfg.settings[name].value = tuple(value) if name == "statsd_host" and isinstance(value, list) else value
    return cfg
