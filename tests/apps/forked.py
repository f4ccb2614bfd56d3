"""Knows whether the handlers of a fork have run."""

import os
import random

from plain import ROUTES, application, plain_text

handled = False
random.seed(1)


def after_in_child():
    global handled
    handled = True


def tell(environ, start_response):
    global number
    number = number or random.random()
    return plain_text(start_response, f"{os.getpid()} {handled} {number}")


number = None
os.register_at_fork(after_in_child=after_in_child)
ROUTES["/forked"] = tell

__all__ = ["application"]
