import logging

log = logging.getLogger("shop")


def app(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("no")
    log.warning("%s is asked for", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"tea"]
