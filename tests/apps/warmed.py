"""Tells what was done before it served, and where."""

import gc
import os

from plain import ROUTES, application, plain_text

DONE = []
ROUTES["/warm"] = lambda environ, start_response: plain_text(start_response, f"{len(DONE)} {DONE[0] if DONE else 0} {gc.isenabled()}")


def warm_up(given):
    """As people would: a first request, without a server."""
    environ = {"PATH_INFO": "/", "REQUEST_METHOD": "GET", "QUERY_STRING": ""}
    assert b"".join(given(environ, lambda *_: None)) == b"hello"
    DONE.append(os.getpid())


def fails(given):
    raise LookupError("the cache is away")


__all__ = ["application"]
