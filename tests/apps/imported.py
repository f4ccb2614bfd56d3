"""Knows who imported it."""

import os

from plain import ROUTES, application, plain_text

IMPORTER = os.getpid()
ROUTES["/importer"] = lambda environ, start_response: plain_text(start_response, str(IMPORTER))

__all__ = ["application"]
