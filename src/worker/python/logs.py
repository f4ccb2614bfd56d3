"""Python's logging, set up before the application is imported; and the server's own records for those who ask for them.

They are delivered where the logging configuration names `gunicorn.error` or `gunicorn.access`, or where `logger_class` is
somebody's own. Rust calls `set_up` once, and `deliver` with what happened since.
"""

import importlib
import json
import logging
import logging.config
import os
import sys
import time
import traceback
from datetime import timedelta
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


def set_up(settings):
    """Whether lines of the error log and of the access log are to be delivered."""
    global logger
    values = json.loads(settings)
    if values["logger_class"] not in OURS:
        logger = instance(values["logger_class"], configuration(values))
        return True, True
    asked = configure(values)
    if not asked:
        return False, False
    logger = Logger(SimpleNamespace(**values["cfg"]))
    return ERROR in asked, ACCESS in asked


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
        if name in cfg.settings and value is not None:
            cfg.set(name, value)
    return cfg


# The server's own


class Atoms(dict):
    """What a format may name. Nothing that a client sent can end a line or a quoted field of a message."""

    def __getitem__(self, name):
        value = self.get(name.lower() if name.startswith("{") else name, "-")
        return escaped(value) if isinstance(value, str) else value


def escaped(text):
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    known = {'"': '\\"', "\\": "\\\\"}
    return "".join(known.get(c) or (c if " " <= c <= "~" else "".join(f"\\x{b:02x}" for b in raw(c))) for c in text)


def raw(character):
    return character.encode("latin-1") if ord(character) < 256 else character.encode("utf-8", "backslashreplace")


class Logger:
    """Writes to the loggers that the configuration names, as Gunicorn's own would."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.error_log, self.access_log = logging.getLogger(ERROR), logging.getLogger(ACCESS)
        for log in (self.error_log, self.access_log):
            if log.level == logging.NOTSET:
                log.setLevel(logging.INFO)

    def __getattr__(self, name):
        return getattr(self.error_log, name)

    def access(self, resp, req, environ, request_time):
        if self.cfg.access_log_format == "json":
            self.access_log.info(json.dumps(fields(resp, req, environ, request_time)))
        else:
            self.access_log.info(self.cfg.access_log_format, Atoms(atoms(resp, req, environ, request_time)))


def atoms(resp, req, environ, took):
    microseconds = took // timedelta(microseconds=1)
    found = {
        "h": environ.get("REMOTE_ADDR") or "-",
        "l": "-",
        "u": req.user or "-",
        "t": time.strftime("[%d/%b/%Y:%H:%M:%S %z]"),
        "r": req.line or "-",
        "m": req.method or "-",
        "U": req.path,
        "q": req.query,
        "H": req.protocol or "-",
        "s": f"{resp.status_code:03}",
        "B": resp.sent,
        "b": str(resp.sent),
        "f": environ.get("HTTP_REFERER", "-"),
        "a": environ.get("HTTP_USER_AGENT", "-"),
        "T": microseconds // 1_000_000,
        "M": microseconds // 1_000,
        "D": microseconds,
        "L": f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06}",
        "p": f"<{os.getpid()}>",
        "queue": environ.get("rcorn.queue_us", "-"),
        "reason": environ.get("rcorn.reason", "-"),
    }
    found.update({f"{{{name.lower()}}}i": value for name, value in req.headers})
    found.update({f"{{{name.lower()}}}o": value for name, value in resp.headers})
    found.update({f"{{{name.lower()}}}e": value for name, value in environ.items()})
    return found


def fields(resp, req, environ, took):
    """The record that `access_log_format = "json"` makes elsewhere."""
    found = {
        "client": environ.get("REMOTE_ADDR") or None,
        "user": req.user,
        "method": req.method,
        "target": req.uri,
        "protocol": req.protocol,
        "status": resp.status_code,
        "bytes": resp.sent,
        "duration_us": took // timedelta(microseconds=1),
        "queue_us": environ.get("rcorn.queue_us"),
        "referer": environ.get("HTTP_REFERER"),
        "user_agent": environ.get("HTTP_USER_AGENT"),
        "reason": environ.get("rcorn.reason"),
    }
    return {name: value for name, value in found.items() if value is not None}


# What happened

logger = None


def deliver(entries):
    """Hands on what happened. Gives the tracebacks of what that raised."""
    failures = []
    for kind, *entry in entries:
        try:
            HANDLERS[kind](*entry)
        except Exception:
            failures.append(traceback.format_exc())
    return failures


def say(level, text, error):
    method = getattr(logger, level)
    if error is None:
        method(text)
    else:
        method(text, exc_info=(type(error), error, error.__traceback__))


def tell_request(line, headers, head, numbers, environ, words):
    status, sent, nanoseconds, queued = numbers
    peer, user, path, why = words
    req = request_of(line, headers, peer, user, path)
    resp = response_of(head, status, sent)
    environ = dict(environ) if environ is not None else environment_of(req)
    if why is not None:
        environ["rcorn.reason"] = why
    if queued is not None:
        environ["rcorn.queue_us"] = queued // 1000
    logger.access(resp, req, environ, timedelta(microseconds=nanoseconds // 1000))


def text(data):
    return data.decode("latin-1")


def request_of(line, headers, peer, user, path):
    method, uri, protocol = (text(line).split(" ", 2) + ["", "", ""])[:3]
    return SimpleNamespace(
        line=text(line),
        method=method,
        uri=uri,
        path=text(path),
        query=uri.partition("?")[2],
        protocol=protocol,
        version=(1, 0) if protocol == "HTTP/1.0" else (1, 1),
        headers=[(text(name).upper(), text(value)) for name, value in headers],
        remote_addr=peer,
        peer_addr=peer,
        user=text(user) if user is not None else None,
    )


def response_of(head, status, sent):
    first, *lines = text(head).rstrip().split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return SimpleNamespace(
        status=first.partition(" ")[2] or f"{status:03}",
        status_code=status,
        headers=[(name, value.strip()) for name, _, value in pairs],
        sent=sent,
        response_length=None,
    )


def environment_of(req):
    """For a request that had none: what Gunicorn's ASGI worker has there."""
    environ = {
        "REQUEST_METHOD": req.method,
        "RAW_URI": req.uri,
        "PATH_INFO": req.path,
        "QUERY_STRING": req.query,
        "SERVER_PROTOCOL": req.protocol,
        "REMOTE_ADDR": req.remote_addr or "",
    }
    environ.update({"HTTP_" + name.replace("-", "_"): value for name, value in req.headers})
    return environ


def reopen():
    """Opens the files of all handlers anew, the application's as well, as Gunicorn does."""
    if hasattr(logger, "reopen_files"):
        return logger.reopen_files()
    logs = [logging.root, *logging.root.manager.loggerDict.values()]
    for handler in {handler for log in logs for handler in getattr(log, "handlers", ())}:
        if isinstance(handler, logging.FileHandler) and handler.stream is not None:
            with handler.lock:
                handler.close()
                handler.stream = handler._open()


HANDLERS = {"line": say, "request": tell_request, "reopen": reopen}
