"""A WSGI application that has something to be logged: fields, variables, files, its own logging, prints."""

import logging
import os
import sys
import time
from urllib.parse import parse_qs

from plain import application as plain

logger = logging.getLogger("shop")


def application(environ, start_response):
    wanted = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    route = globals().get("on_" + environ["PATH_INFO"].strip("/"))
    return route(environ, start_response, wanted) if route else plain(environ, start_response)


def answer(start_response, text, headers=()):
    body = text.encode()
    start_response("200 OK", [("Content-Length", str(len(body))), *headers])
    return [body]


def on_noted(environ, start_response, wanted):
    environ["shop.user"] = "eve \"the\" first"
    return answer(start_response, "noted", [("X-Order", "4711"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])


def on_file(environ, start_response, wanted):
    file = open(__file__, "rb")
    start_response("200 OK", [("Content-Length", str(os.path.getsize(__file__)))])
    return environ["wsgi.file_wrapper"](file)


def on_logs(environ, start_response, wanted):
    logger.warning("a word of the shop: %s", wanted.get("say"))
    return answer(start_response, "logged")


def on_prints(environ, start_response, wanted):
    print("printed", wanted.get("say"))
    print("complained", wanted.get("say"), file=sys.stderr)
    return answer(start_response, "printed")


def on_sleeps(environ, start_response, wanted):
    time.sleep(float(wanted["s"]))
    return answer(start_response, "slept")
