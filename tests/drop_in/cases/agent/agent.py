"""What an agent of a monitoring service does: a thread of its own, and something around the application."""

import threading

harvested = threading.Event()
ENVIRONMENT = []


def initialize(path, environment):
    ENVIRONMENT.append((path, environment))
    threading.Thread(target=harvested.set, daemon=True).start()


def wrapped(application):
    def around(environ, start_response):
        def start(status, headers, exc_info=None):
            alive = harvested.wait(5)
            told = [("X-Agent", f"{ENVIRONMENT} {alive}"), ("X-Status", status)]
            return start_response(status, [*headers, *told], exc_info)

        return application(environ, start)

    return around
