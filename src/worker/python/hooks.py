"""Gunicorn's server hooks: finding the functions, and calling each at its time. `docs/hooks.md` has the table."""

import importlib
import inspect
import os
import signal

# How many arguments each one takes.
ARGUMENTS = {
    "on_starting": 1,
    "when_ready": 1,
    "on_reload": 1,
    "pre_exec": 1,
    "on_exit": 1,
    "nworkers_changed": 3,
    "pre_fork": 2,
    "post_fork": 2,
    "post_worker_init": 1,
    "worker_int": 1,
    "worker_abort": 1,
    "worker_exit": 2,
    "child_exit": 2,
    "pre_request": 2,
    "post_request": 4,
}

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Unusable(Exception):
    """A hook that cannot be one; the text is a sentence."""


def find(names, namespace, source):
    """The functions that the settings of `source` set under these names."""
    given = {key.lower(): value for key, value in namespace.items()}
    found = {}
    for name in names:
        if name in ARGUMENTS and given.get(name) is not None:
            found[name] = function(name, given[name], source)
    return found


def function(name, value, source):
    if isinstance(value, str):
        value = imported(name, value, source)
    if not callable(value):
        raise Unusable(f"{source}: {name} is to be a function, and not {value!r}")
    count = sum(parameter.kind in POSITIONAL for parameter in inspect.signature(value).parameters.values())
    if name == "post_request" and count in (2, 3):
        return lambda *arguments: value(*arguments[:count])
    if count != ARGUMENTS[name]:
        raise Unusable(f"{source}: {name} is called with {ARGUMENTS[name]} arguments, and takes {count}")
    return value


def imported(name, value, source):
    module, _, attribute = value.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise Unusable(f"{source}: {name} is {value!r}, which cannot be imported: {error}") from None


class Hooks:
    """The hooks of one process: the zygote's, and after the fork those of the worker."""

    def __init__(self, functions, server, modules, native):
        conf, objects, passage, _ = modules
        self.functions = functions
        self.flush = conf.flush
        self.server = server
        self.objects = objects
        self.native = native
        self.new_passage = passage.Passage
        self.software = native.software()
        self.watches = "pre_request" in functions or "post_request" in functions
        self.members = {}
        self.worker = None
        self.threads_at_start = 0
        self.called = ""
        self.has_left = self.was_interrupted = self.was_aborted = False
        # One of those that run at a worker's end is running: nothing more interrupts it.
        self.is_ending = False

    def call(self, name, *arguments):
        """What the function raises is the caller's matter."""
        function = self.functions.get(name)
        if function is None:
            return
        # For whoever has to say what has failed.
        self.called = name
        try:
            function(*arguments)
        finally:
            self.flush()

    def call_safely(self, name, *arguments):
        """What the function raises is told, and no more."""
        try:
            self.call(name, *arguments)
        except Exception:
            self.server.log.exception("The hook %s has failed", name)

    # In the zygote.

    def start(self, occasion, before):
        """Before the application is imported."""
        count = self.server.num_workers
        if occasion == "start":
            self.call("nworkers_changed", self.server, count, None)
            self.call("on_starting", self.server)
        elif occasion == "reload":
            self.call("nworkers_changed", self.server, count, before)
            self.call("on_reload", self.server)
        self.threads_at_start = threads()

    def ready(self, occasion):
        """Before the first fork. Gives the number of threads that hooks have left running; a fork takes none of them along."""
        before = threads()
        if occasion == "start":
            self.call("when_ready", self.server)
        return self.threads_at_start + threads() - before

    def before_fork(self, age):
        server = self.server
        server.worker_age = age
        worker = self.objects.Worker(age, server, self.native, self.watches)
        self.members[age] = worker
        try:
            self.call("pre_fork", server, worker)
        except BaseException:
            del self.members[age]
            raise

    def after_fork(self, age, pid):
        """In the zygote: the worker has this process id, or there is none."""
        worker = self.members[age]
        if pid is None:
            del self.members[age]
            return
        worker.pid = pid
        self.server.WORKERS[pid] = worker

    def workers(self, now, before):
        self.server.num_workers = now
        self.call_safely("nworkers_changed", self.server, now, before)

    def ended(self, age, pid):
        worker = self.members.pop(age, None)
        if worker is None:
            # It was forked by another zygote, which is gone.
            worker = self.objects.Worker(age, self.server, self.native, False)
            worker.pid = pid
        self.server.WORKERS.pop(pid, None)
        self.call_safely("child_exit", self.server, worker)

    def before_exec(self):
        self.call("pre_exec", self.server)

    def retire(self):
        for listener in self.server.LISTENERS:
            listener.close()
        self.server.LISTENERS = []

    def exit(self):
        self.call_safely("on_exit", self.server)

    # In a worker.

    def become(self, age):
        self.worker = self.members[age]
        self.worker.pid = os.getpid()
        self.worker.sockets = self.server.LISTENERS
        if "worker_abort" in self.functions:
            signal.signal(signal.SIGABRT, self.handle_abort)

    def post_fork(self):
        self.call("post_fork", self.server, self.worker)

    def loaded(self, application):
        self.server.app.callable = self.worker.wsgi = application
        self.call("post_worker_init", self.worker)
        self.worker.booted = True
        return self.worker.wsgi

    def end(self, name, *arguments):
        self.is_ending = True
        try:
            self.call_safely(name, *arguments)
        finally:
            self.is_ending = False

    def interrupt(self):
        """The worker is to leave at once. True when it is about to, and what it does is not to be broken off."""
        if self.is_ending:
            return True
        if not self.was_interrupted and self.worker is not None:
            self.was_interrupted = True
            self.worker.is_alive = False
            self.end("worker_int", self.worker)
        return False

    def abort(self):
        """It is stuck."""
        if not self.was_aborted:
            self.was_aborted = True
            self.worker.is_alive = False
            self.worker.aborted = True
            self.end("worker_abort", self.worker)

    def handle_abort(self, number, frame):
        self.abort()
        # It leaves as on SIGQUIT, but that is no interrupt.
        self.was_interrupted = True
        signal.raise_signal(signal.SIGQUIT)

    def leave(self):
        if not self.has_left and self.worker is not None:
            self.has_left = True
            self.end("worker_exit", self.server, self.worker)

    # Around a request.

    def passage(self, *request):
        return self.new_passage(self, *request)

    def pre_request(self, worker, req):
        function = self.functions.get("pre_request")
        if function is not None:
            function(worker, req)

    def post_request(self, worker, req, environ, resp):
        function = self.functions.get("post_request")
        if function is not None:
            try:
                function(worker, req, environ, resp)
            except Exception:
                self.server.log.exception("Exception in post_request hook")


def threads():
    """How many there are beside this one."""
    return len(os.listdir("/proc/self/task")) - 1


def make(namespace, facts, modules, native):
    """The hooks of this zygote. `namespace` is what the settings file sets, `facts` is what the arbiter says."""
    _, objects, _, defaults = modules
    source, values = facts["source"], facts["values"]
    functions = find(facts["hooks"], namespace, source)
    own = {key.lower(): value for key, value in namespace.items()}
    settings = {**defaults, **{name: own[name] for name in defaults if name in own}, **values}
    if isinstance(settings["statsd_host"], list):
        settings["statsd_host"] = tuple(settings["statsd_host"])
    settings.update(dict.fromkeys(ARGUMENTS), config=source, user=os.geteuid(), group=os.getegid())
    settings.update(functions)
    cfg = objects.Cfg(settings)
    app = objects.App(facts["app"], cfg)
    listeners = [objects.Listener(number) for number in facts["listeners"]]
    server = objects.Server(cfg, objects.Log(native.say), app, listeners, facts["pid"], facts["workers"])
    return Hooks(functions, server, modules, native)
