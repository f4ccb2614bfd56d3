"""What hooks are given: the same attributes with the same types as Gunicorn has them."""

import json
import os
import signal

import pytest
from support.waiting import wait_until

LOOK = """
import json

def dump(name, value):
    with open(name + ".part", "w") as file:
        json.dump(value, file)
    import os
    os.rename(name + ".part", name)

def types(thing, names):
    return {name: type(getattr(thing, name)).__name__ for name in names}

def when_ready(server):
    dump("server", types(server, "num_workers pid timeout address proc_name worker_age WORKERS LISTENERS pidfile".split()))
    cfg = server.cfg
    dump("cfg", {name: [type(s.get()).__name__, repr(s.get())] for name, s in cfg.settings.items() if not callable(s.get())})
    extra = "worker_class_str address uid gid env is_ssl proc_name".split()
    dump("extra", {name: repr(getattr(cfg, name)) for name in extra})
    try:
        cfg.no_such_setting
    except AttributeError as error:
        dump("missing", str(error))
    names = [listener.getsockname() for listener in server.LISTENERS]
    dump("listeners", [str(server.LISTENERS[0]) == "http://%s:%s" % names[0], server.LISTENERS[0].fileno() > 2])
    server.log.info("said %s", "by when_ready")
    server.log.error("%(what)s", {"what": "said by name"})
    try:
        1 / 0
    except ZeroDivisionError:
        server.log.exception("said with a traceback")

def post_worker_init(worker):
    dump("worker", types(worker, "pid age ppid timeout booted aborted alive nr sockets app cfg tmp max_requests".split()))
    worker.tmp.notify()
    worker.notify()
    worker.log.warning("said by %s", worker)
    dump("ppid", [worker.ppid, __import__("os").getppid(), callable(worker.app.wsgi()), str(worker)])

def pre_request(worker, req):
    headers = dict(req.headers)
    dump("req", [req.method, req.uri, req.path, req.query, req.fragment, req.version, req.scheme,
                 headers["X-MINE"], headers["HOST"], len(req.remote_addr), req.should_close()])
"""


def of_both(hooked, wait_for, *flags):
    found = []
    for name in ("rcorn", "gunicorn"):
        server = hooked(name, "-k", "sync", "--timeout", 7, "-e", "A=b", "--max-requests", 5, *flags, settings=LOOK).server
        server.get("/?a=b", headers=[("X-Mine", "yes")])
        wait_until(lambda: (server.directory / wait_for).exists(), "the hook has looked")
        read = {p.name: json.loads(p.read_text()) for p in server.directory.iterdir() if p.suffix == "" and p.name in FILES}
        found.append((server, read))
    return found


FILES = ("server", "cfg", "extra", "missing", "listeners", "worker", "ppid", "req")

# Where a value is of another type; `docs/hooks.md` has the reasons.
OTHER_TYPES = {"config", "sendfile", "ssl_version", "control_socket", "default_proc_name", "pythonpath", "wsgi_app"}


def test_the_same_as_in_gunicorn(hooked):
    (_, ours), (_, theirs) = of_both(hooked, "req")
    assert ours["server"] | {"proc_name": "str"} == theirs["server"]
    assert ours["missing"] == theirs["missing"] == "No configuration setting for: no_such_setting"
    assert ours["listeners"] == theirs["listeners"] == [True, True]
    assert set(theirs["cfg"]) - set(ours["cfg"]) == set(), "every setting of Gunicorn's is there"
    different = {
        name for name in theirs["cfg"] if ours["cfg"][name][0] != theirs["cfg"][name][0]
    }
    assert different <= OTHER_TYPES, {name: (ours["cfg"][name], theirs["cfg"][name]) for name in different}
    for name in ("timeout", "workers", "raw_env", "max_requests", "loglevel", "user", "group", "reuse_port"):
        assert ours["cfg"][name] == theirs["cfg"][name], name
    assert ours["extra"]["env"] == theirs["extra"]["env"] == "{'A': 'b'}"
    assert ours["extra"]["worker_class_str"] == theirs["extra"]["worker_class_str"] == "'sync'"
    assert (ours["extra"]["uid"], ours["extra"]["gid"]) == (theirs["extra"]["uid"], theirs["extra"]["gid"])
    assert ours["req"] == theirs["req"]
    alike = {"app", "cfg", "tmp"}
    assert {k: v for k, v in ours["worker"].items() if k not in alike} == {k: v for k, v in theirs["worker"].items() if k not in alike}
    for ppid, parent, callable_, text in (ours["ppid"], theirs["ppid"]):
        assert ppid == parent and callable_ and text.startswith("<Worker ")


SAID = {
    "statsd_host": "127.0.0.1:9",
    "statsd_prefix": "shop",
    "dogstatsd_tags": "a:b",
    "access_logformat": "%(h)s %(s)s",
    "log_syslog_facility": "local3",
    "log_syslog_prefix": "shop",
    "reload_engine": "poll",
    "reload_extra_file": "settings.py",
    "log_level": "warning",
}


def test_cfg_has_what_flags_say(hooked):
    flags = [word for name, value in SAID.items() for word in ("--" + name.replace("_", "-"), value)]
    (_, ours), (_, theirs) = of_both(hooked, "req", *flags, "--capture-output", "--enable-backlog-metric")
    names = "statsd_host statsd_prefix dogstatsd_tags access_log_format syslog_facility syslog_prefix syslog_addr syslog reload".split()
    for name in [*names, "reload_engine", "reload_extra_files", "loglevel", "capture_output", "enable_backlog_metric", "spew", "paste"]:
        assert ours["cfg"][name] == theirs["cfg"][name], name


def test_the_log_is_the_servers(hooked):
    server = of_both(hooked, "req")[0][0]
    server.wait_for_log(r"\[INFO\] said by when_ready\n")
    server.wait_for_log(r"\[ERROR\] said by name\n")
    server.wait_for_log(r"\[ERROR\] said with a traceback\nTraceback(?s:.*)ZeroDivisionError")
    server.wait_for_log(r"\[WARNING\] said by <Worker \d+>\n")


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent", "asgi"])
def test_a_worker_that_is_not_to_live_on_is_replaced_without_loss(hooked, kind):
    settings = """
def post_request(worker, req, environ, resp):
    if req.path == "/" and worker.nr >= 3:
        worker.alive = False

def worker_exit(server, worker):
    with open("left", "a") as file:
        file.write(f"{worker.age} {worker.nr}\\n")
"""
    app = {"app": "asgi_plain"} if kind == "asgi" else {}
    flags = ["--threads", 2] if kind == "gthread" else []
    server = hooked("rcorn", "-k", kind, "-w", 2, *flags, settings=settings, **app).server
    assert [server.get("/").status for _ in range(20)] == [200] * 20
    left = server.directory / "left"
    wait_until(lambda: left.exists() and len(left.read_text().splitlines()) >= 2, "two workers were replaced")
    server.wait_for_workers(2)
    assert "killed" not in server.log and server.stop() == 0


def test_a_thread_of_a_worker_can_have_it_leave_while_it_is_idle(hooked):
    settings = """
import threading

def post_worker_init(worker):
    if worker.age == 1:
        threading.Timer(0.3, setattr, (worker, "alive", False)).start()

def child_exit(server, worker):
    open(f"gone-{worker.age}", "w").close()
"""
    server = hooked(settings=settings).server
    wait_until((server.directory / "gone-1").exists, "it has left")
    assert server.get("/").status == 200


def test_alive_is_each_processs_own(hooked):
    settings = "def pre_fork(server, worker):\n    for other in server.WORKERS.values():\n        other.alive = False\n"
    server = hooked("rcorn", "-w", 3, settings=settings).server
    assert len(server.wait_for_workers(3)) == 3 and "leaves by itself" not in server.log


def test_post_request_takes_what_it_asks_for(hooked):
    for number, words in ((2, "worker, req"), (3, "worker, req, environ"), (4, "worker, req, environ, resp")):
        settings = f"def post_request({words}):\n    print(len(({words})), flush=True)\n"
        server = hooked(settings=settings).server
        server.get("/")
        wait_until(lambda: server.output == f"{number}\n", "the hook has run")


def test_a_hook_can_be_named(hooked):
    settings = "when_ready = 'named.ready'\n"
    server = hooked(settings=settings, env={"PYTHONPATH": os.path.dirname(__file__)}).server
    server.made("named")


def test_the_application_is_imported_behind_the_early_hooks(hooked):
    settings = """
import sys

def post_fork(server, worker):
    print("plain" in sys.modules, flush=True)
"""
    server = hooked(settings=settings).server
    assert server.output == "False\n" and "preload is off: the settings have post_fork" in server.log
    server = hooked("rcorn", "--preload", settings=settings).server
    assert server.output == "True\n"
    late = hooked(settings="def child_exit(server, worker):\n    pass\n").server
    assert "preload is off" not in late.log


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
def test_all_hooks_run_as_the_user_of_the_workers(hooked):
    hooks = {"on_starting": "server", "post_fork": "server, worker", "child_exit": "server, worker", "on_exit": "server"}
    lines = [f"def {hook}({words}):\n    print('{hook}', os.getuid(), flush=True)\n" for hook, words in hooks.items()]
    server = hooked("rcorn", "--user", "54321", settings="import os\n" + "".join(lines)).server
    server.stop()
    assert server.output.splitlines() == [f"{hook} 54321" for hook in hooks]


def test_what_hooks_print_is_printed_once(hooked):
    settings = "def on_starting(server):\n    print('here')\ndef on_exit(server):\n    print('there')\n"
    server = hooked("rcorn", "-w", 3, settings=settings).server
    server.stop(signal.SIGTERM)
    assert server.output.splitlines() == ["here", "there"]


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent", "asgi"])
def test_an_application_that_post_worker_init_wraps_is_the_one_that_is_served(hooked, kind):
    name = "asgi" if kind == "asgi" else "wsgi"
    settings = f"""
def post_worker_init(worker):
    application = worker.{name}
    worker.{name} = lambda *arguments: print("around", flush=True) or application(*arguments)
"""
    app = {"app": "asgi_plain"} if kind == "asgi" else {}
    flags = ["--threads", 2] if kind == "gthread" else ["--lifespan", "off"]
    server = hooked("rcorn", "-k", kind, *flags, settings=settings, **app).server
    assert server.get("/").status == 200
    wait_until(lambda: server.output == "around\n", "it was called")
