"""`gunicorn.error` as applications know it: what they write there is in the error log, among the server's own lines.

Many give its handlers and its level to a logger of their own. It must not know what the settings say of Python's logging.
"""

import logging


class ErrorLog(logging.Handler):
    """Writes to the server's error log, in the form of that."""

    def __init__(self, write):
        super().__init__()
        self.write = write

    def emit(self, record):
        try:
            self.write(record.levelno, self.format(record))
        except Exception:
            self.handleError(record)


def set_up(write, level):
    """Before anybody configures anything, so that a configuration says what differs, as it does to Gunicorn's."""
    log, access = logging.getLogger("gunicorn.error"), logging.getLogger("gunicorn.access")
    log.propagate = access.propagate = False
    log.setLevel(level.upper())
    access.setLevel(logging.INFO)
    log.addHandler(ErrorLog(write))


def withdraw():
    """Somebody else may have the lines."""
    log = logging.getLogger("gunicorn.error")
    for handler in [handler for handler in log.handlers if isinstance(handler, ErrorLog)]:
        log.removeHandler(handler)
