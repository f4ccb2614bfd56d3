import json
import os


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    length = len(environ["wsgi.input"].read())
    return [json.dumps({"length": length, "level": os.environ.get("LOG_LEVEL"), "cwd": os.getcwd()}).encode()]
