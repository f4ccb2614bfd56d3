"""An agent that is started in each worker and wraps the application when that is there."""

import agent

bind = "unix:main.sock"
workers = 1


def post_fork(server, worker):
    agent.initialize("agent.ini", "production")


def post_worker_init(worker):
    worker.wsgi = agent.wrapped(worker.wsgi)
