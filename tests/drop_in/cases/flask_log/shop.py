"""Gives its own loggers the server's handlers and level, as countless applications do."""

import logging

from flask import Flask

app = Flask(__name__)
server_log = logging.getLogger("gunicorn.error")
app.logger.handlers = server_log.handlers
app.logger.setLevel(server_log.level)


@app.get("/")
def index():
    app.logger.debug("too quiet")
    app.logger.info("tea is asked for")
    server_log.error("and %s is said to the server's own", "this")
    return "tea"
