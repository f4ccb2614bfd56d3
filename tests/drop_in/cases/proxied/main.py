import json

NAMES = ["wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR", "SERVER_NAME", "HTTP_X_SCHEME"]


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({name: environ.get(name) for name in NAMES}).encode()]
