def app(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("no")
    status = "404 Not Found" if environ["PATH_INFO"] == "/nowhere" else "200 OK"
    start_response(status, [("Content-Type", "text/plain")])
    return [b"tea"]
