"""A settings file with every hook, each of which writes a line: what it is, and what it was given."""

import contextlib
import json
import os


def note(hook, worker=None, **more):
    line = {"hook": hook, "age": worker and worker.age, "process": os.getpid(), **more}
    with open("notes", "a") as notes:
        notes.write(json.dumps(line) + "\n")


def on_starting(server):
    note("on_starting", workers=server.num_workers)


def when_ready(server):
    note("when_ready", workers=server.num_workers, members=len(server.WORKERS))


def on_reload(server):
    note("on_reload", workers=server.num_workers)


def pre_exec(server):
    note("pre_exec")


def on_exit(server):
    note("on_exit", members=len(server.WORKERS))


def nworkers_changed(server, new, old):
    note("nworkers_changed", new=new, old=old)


def pre_fork(server, worker):
    worker.mark = "set before the fork"
    note("pre_fork", worker, pid=worker.pid)


def post_fork(server, worker):
    note("post_fork", worker, own=worker.pid == os.getpid(), mark=worker.mark)


def post_worker_init(worker):
    note("post_worker_init", worker, loaded=callable(getattr(worker, "wsgi", note)), booted=worker.booted)


def worker_int(worker):
    note("worker_int", worker, alive=worker.alive)


def worker_abort(worker):
    note("worker_abort", worker, alive=worker.alive)


def worker_exit(server, worker):
    note("worker_exit", worker, nr=worker.nr)


def child_exit(server, worker):
    note("child_exit", worker, known=worker.pid in server.WORKERS, pid=worker.pid)


def pre_request(worker, req):
    with contextlib.suppress(AttributeError):  # Gunicorn's ASGI requests keep nothing
        req.mine = "kept"
    note("pre_request", worker, method=req.method, uri=req.uri, path=req.path, query=req.query, nr=worker.nr)
    if req.path == "/refused":
        raise RuntimeError("not this one")


def post_request(worker, req, environ, resp):
    more = {}
    if resp is not None:
        more = {"status": resp.status, "code": getattr(resp, "status_code", None), "sent": resp.sent, "length": resp.response_length}
    note("post_request", worker, path=req.path, mine=getattr(req, "mine", None), nr=worker.nr, **more)
