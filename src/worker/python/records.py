"""The server's own records, for who asked Python's logging for them. Rust calls `deliver` with what happened."""

import json
import logging
import os
import time
import traceback
from datetime import timedelta
from types import SimpleNamespace

ERROR, ACCESS = "gunicorn.error", "gunicorn.access"


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
# Does it get what the server and its hooks have to say, and not only requests?
takes_lines = False


def deliver(entries):
    """Hands on what happened. Gives the tracebacks of what that raised."""
    failures = []
    for kind, *entry in entries:
        try:
            HANDLERS[kind](*entry)
        except SystemExit:
            """The worker is to end, which is noted elsewhere; what else has happened nobody would tell later."""
        except BaseException:
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
