"""Every hook says something, as in the example that comes with Gunicorn and that many have copied."""

bind = "unix:main.sock"
workers = 2
errorlog = "error.log"
loglevel = "debug"
graceful_timeout = 5


def on_starting(server):
    server.log.error_log.info("hook: on_starting with %s", server.cfg.loglevel)


def on_reload(server):
    server.log.info("hook: on_reload")


def when_ready(server):
    server.log.info("hook: when_ready, spawning %(count)s workers", {"count": server.num_workers})


def pre_fork(server, worker):
    server.log.debug("hook: pre_fork %s", worker.age)


def post_fork(server, worker):
    server.log.info("hook: post_fork %s", worker.age)


def post_worker_init(worker):
    worker.log.info("hook: post_worker_init %s", worker.age)


def pre_request(worker, req):
    worker.log.debug("hook: pre_request %s %s", req.method, req.path)


def post_request(worker, req, environ, resp):
    worker.log.debug("hook: post_request %s %s %s", req.method, environ["PATH_INFO"], resp.status)


def worker_int(worker):
    worker.log.warning("hook: worker_int %s", worker.age)


def worker_exit(server, worker):
    worker.log.info("hook: worker_exit %s", worker.age)


def child_exit(server, worker):
    server.log.info("hook: child_exit %s", worker.age)


def nworkers_changed(server, new_value, old_value):
    server.log.info("hook: nworkers_changed %s %s", old_value, new_value)


def on_exit(server):
    server.log.info("hook: on_exit")
