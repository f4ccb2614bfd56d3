"""A Flask application that asks a slow server for each request."""

import urllib.request

from flask import Flask, g, request

application = Flask(__name__)


@application.before_request
def remember():
    g.name = request.args["name"]


@application.get("/")
def index():
    with urllib.request.urlopen(request.args["upstream"]) as answer:
        return f"{g.name} {request.args['name']} {answer.read().decode()}"
