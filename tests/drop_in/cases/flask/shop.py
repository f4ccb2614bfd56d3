import os

from flask import Flask, request


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def index():
        return {
            "colour": os.environ["COLOUR"],
            "greeting": os.environ["GREETING"],
            "cwd": os.getcwd(),
            "multithread": request.environ["wsgi.multithread"],
            "multiprocess": request.environ["wsgi.multiprocess"],
            "run_once": request.environ["wsgi.run_once"],
        }

    @app.get("/environ")
    def environ():
        names = ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "wsgi.url_scheme"]
        return {name: request.environ[name] for name in names} | {
            name: value for name, value in request.environ.items() if name.startswith("HTTP_")
        }

    @app.get("/fail")
    def fail():
        raise ValueError("no")

    return app
