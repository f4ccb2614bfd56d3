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
    log = logging.getLogger("gunicorn.error")
    log.propagate = False
    log.setLevel(level.upper())
    log.addHandler(ErrorLog(write))
