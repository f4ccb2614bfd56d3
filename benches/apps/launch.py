"""Starts the peers that have no command line of their own: `python launch.py SERVER MODULE:CALLABLE PORT`."""

import importlib
import sys


def main(server, spec, port):
    module, _, name = spec.partition(":")
    app = getattr(importlib.import_module(module), name)
    if server == "bjoern":
        import bjoern

        bjoern.run(app, "127.0.0.1", port)
    elif server == "fastpysgi":
        import fastpysgi

        fastpysgi.run(app, host="127.0.0.1", port=port, loglevel=0)
    else:
        import fastwsgi

        fastwsgi.run(wsgi_app=app, host="127.0.0.1", port=port, loglevel=0)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
