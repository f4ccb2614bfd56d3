def app(environ, start_response):
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("no")
    headers = [("Content-Type", "text/plain"), ("X-Answer", "forty-two")]
    if environ["PATH_INFO"] == "/streamed":
        start_response("200 OK", headers)
        return iter([b"one", b"two"])
    status = "404 Not Found" if environ["PATH_INFO"] == "/nowhere" else "200 OK"
    start_response(status, [*headers, ("Content-Length", str(len(body) + 4))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"tea:", body]
