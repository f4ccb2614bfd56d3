"""Sentry in each worker, with a transport that writes to a file instead of to Sentry."""

import json
import os

bind = "unix:shop.sock"
workers = 2
wsgi_app = "shop:app"


def post_fork(server, worker):
    import sentry_sdk
    from sentry_sdk.transport import Transport

    class Recorder(Transport):
        def capture_envelope(self, envelope):
            event = envelope.get_event()
            if event and "exception" in event:
                with open("events", "a") as file:
                    raised = event["exception"]["values"][-1]
                    line = [raised["type"], raised["value"], event["transaction"], event["request"]["url"], event["tags"]["age"]]
                    file.write(json.dumps([*line, event["extra"]["sys.argv"][1:], event["contexts"]["process"]]) + "\n")

    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=Recorder, release="shop@1")
    sentry_sdk.set_tag("age", worker.age)
    sentry_sdk.set_context("process", {"own": worker.pid == os.getpid()})
    server.log.info("Sentry is there")
