"""What Gunicorn's server hooks are given: `server`, `worker`, `cfg`, `log`, `req` and `resp`, with the attributes that people use."""

import itertools
import os
import signal
import socket
import sys
import traceback


class Setting:
    """One entry of `cfg.settings`."""

    def __init__(self, name, value):
        self.name = name
        self.value = value

    def get(self):
        return self.value

    def __repr__(self):
        return f"<Setting {self.name}={self.value!r}>"


class Cfg:
    """`cfg`: every setting by Gunicorn's name."""

    def __init__(self, values):
        self.settings = {name: Setting(name, value) for name, value in sorted(values.items())}

    def __getattr__(self, name):
        if name == "settings" or name not in self.settings:
            raise AttributeError(f"No configuration setting for: {name}")
        return self.settings[name].get()

    def __setattr__(self, name, value):
        if name != "settings" and name in self.settings:
            raise AttributeError("Invalid access!")
        super().__setattr__(name, value)

    @property
    def worker_class_str(self):
        kind = self.settings["worker_class"].get()
        return "gthread" if kind == "sync" and self.threads > 1 else kind

    @property
    def address(self):
        return [address(bind) for bind in self.bind]

    @property
    def uid(self):
        return self.user

    @property
    def gid(self):
        return self.group

    @property
    def env(self):
        return dict(pair.split("=", 1) for pair in self.raw_env)

    @property
    def proc_name(self):
        return self.settings["proc_name"].get() or self.default_proc_name

    @property
    def is_ssl(self):
        return False


def address(bind):
    """What `bind` names, as `socket.bind` takes it."""
    if bind.startswith("unix:"):
        return bind[len("unix:") :]
    if bind.startswith("fd://"):
        return int(bind[5:]) if bind[5:].isdigit() else bind
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


class Log:
    """`log`: writes into the error log, or to whom the settings have given that."""

    def __init__(self, say):
        self.say = say

    def __getattr__(self, name):
        """Whatever else Gunicorn's has, or a `logger_class` of somebody's own."""
        logger = own_logger()
        if logger is not None:
            return getattr(logger, name)
        if name not in ("error_log", "access_log"):
            raise AttributeError(f"the server's log has no {name}")
        import logging

        return logging.getLogger(f"gunicorn.{name.removesuffix('_log')}")

    def log(self, level, message, *args, **options):
        name = level.lower() if isinstance(level, str) else LEVELS.get(level // 10 * 10, "info")
        self.write(name, message, args, options)

    def write(self, level, message, args, options):
        logger = own_logger()
        if logger is not None:
            return getattr(logger, level)(message, *args, **options)
        text = str(message)
        if args:
            text %= args[0] if len(args) == 1 and isinstance(args[0], dict) and args[0] else args
        error = options.get("exc_info")
        if error:
            text = f"{text}\n{stack_of(error)}"
        return self.say(level, text.rstrip())

    def debug(self, message, *args, **options):
        self.write("debug", message, args, options)

    def info(self, message, *args, **options):
        self.write("info", message, args, options)

    def warning(self, message, *args, **options):
        self.write("warning", message, args, options)

    warn = warning

    def error(self, message, *args, **options):
        self.write("error", message, args, options)

    def critical(self, message, *args, **options):
        self.write("critical", message, args, options)

    def exception(self, message, *args, **options):
        self.write("error", message, args, {"exc_info": True, **options})

    def reopen_files(self):
        """Done by the server itself."""

    def close_on_exec(self):
        """They are."""


def own_logger():
    """Of the settings, where lines are for it and it has been made in this process: before the application is imported."""
    records = sys.modules.get("_rcorn.records")
    return records.logger if records is not None and records.takes_lines else None


LEVELS = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}


def stack_of(error):
    if isinstance(error, BaseException):
        return "".join(traceback.format_exception(error))
    if isinstance(error, tuple):
        return "".join(traceback.format_exception(*error))
    return traceback.format_exc()


class Listener:
    """One of `server.LISTENERS` and `worker.sockets`."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.made = None

    @property
    def sock(self):
        if self.made is None:
            self.made = socket.socket(fileno=os.dup(self.descriptor))
        return self.made

    def fileno(self):
        return self.descriptor

    def close(self):
        """Lets go of what was made here; the listener itself is the server's."""
        if self.made is not None:
            self.made.close()

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def __str__(self):
        name = self.sock.getsockname()
        if isinstance(name, tuple):
            host = f"[{name[0]}]" if ":" in name[0] else name[0]
            return f"http://{host}:{name[1]}"
        return f"unix:{name if isinstance(name, str) else name.decode()}"


class App:
    """`worker.app` and `server.app`."""

    def __init__(self, uri, cfg):
        self.app_uri = uri
        self.cfg = cfg
        self.callable = None

    def wsgi(self):
        return self.callable


class Server:
    """`server`: what Gunicorn calls the arbiter. Lives in the zygote; a worker has the copy of its fork."""

    master_name = "Master"
    master_pid = reexec_pid = 0
    systemd = False

    def __init__(self, cfg, log, app, listeners, pid, workers):
        self.cfg = cfg
        self.log = log
        self.app = app
        self.LISTENERS = listeners
        self.WORKERS = {}
        self.pid = pid
        self.num_workers = workers
        self.timeout = cfg.timeout
        self.address = cfg.address
        self.proc_name = cfg.proc_name
        self.worker_class = cfg.worker_class
        self.pidfile = cfg.pidfile
        self.worker_age = 0

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def kill_worker(self, pid, number):
        os.kill(pid, number)

    def kill_workers(self, number):
        for pid in list(self.WORKERS):
            self.kill_worker(pid, number)

    def wakeup(self):
        """The arbiter sees to everything by itself."""


class Beat:
    """`worker.tmp`: workers report through shared memory, so there is nothing to be done."""

    def notify(self):
        pass

    def close(self):
        pass

    def last_update(self):
        import time

        return time.monotonic()


class Worker:
    """`worker`."""

    reloader = None
    wsgi = None

    def __init__(self, age, server, native, counts):
        self.age = age
        self.pid = "[booting]"
        self.ppid = server.pid
        self.sockets = server.LISTENERS
        self.app = server.app
        self.timeout = server.timeout / 2.0
        self.cfg = server.cfg
        self.log = server.log
        self.booted = False
        self.aborted = False
        self.max_requests = server.cfg.max_requests or float("inf")
        self.tmp = Beat()
        self.native = native
        self.is_alive = True
        self.counted = 0
        self.count = itertools.count(1) if counts else None

    @property
    def asgi(self):
        """Gunicorn's ASGI worker has another name for it."""
        return self.wsgi

    @asgi.setter
    def asgi(self, application):
        self.wsgi = application

    @property
    def nr(self):
        """Requests that it has had."""
        return self.native.requests() if self.count is None else self.counted

    def had_another(self):
        if self.count is not None:
            self.counted = next(self.count)

    @property
    def alive(self):
        return self.is_alive

    @alive.setter
    def alive(self, value):
        """False has it leave as soon as everything in flight is finished; another one takes its place."""
        # What is set elsewhere than in the worker stays there.
        if self.is_alive and not value and self.pid == os.getpid():
            self.native.leave()
        self.is_alive = bool(value) and self.is_alive

    def notify(self):
        self.tmp.notify()

    def __str__(self):
        return f"<Worker {self.pid}>"
