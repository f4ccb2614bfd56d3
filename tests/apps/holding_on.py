"""Applications whose environments know what they were called with: they answer how many of these are still about."""

import gc
import json


def about(key):
    gc.collect()
    return sum(type(thing) is dict and key in thing for thing in gc.get_objects())


def application(environ, start_response):
    environ["called.with"] = start_response
    body = json.dumps(about("called.with")).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


async def scope_of_tasks(scope, receive, send):
    if scope["type"] != "http":
        return
    scope["called.with"] = receive, send
    body = json.dumps(about("called.with")).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})
