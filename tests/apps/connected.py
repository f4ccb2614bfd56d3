"""Its import leaves a connection behind, which two processes must not share."""

import os
import socket

from plain import ROUTES, application, plain_text

listener = socket.create_server(("127.0.0.1", 0))
connection = socket.create_connection(listener.getsockname())
other_end, _ = listener.accept()
IMPORTER = os.getpid()
ROUTES["/importer"] = lambda environ, start_response: plain_text(start_response, str(IMPORTER))

__all__ = ["application"]
