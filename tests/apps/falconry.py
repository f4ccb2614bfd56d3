"""A Falcon application (WSGI): media, a stream, a hook, an error of its own."""

import falcon


class Things:
    def on_get(self, request, response, name):
        response.media = {"name": name, "agent": request.get_header("X-Agent"), "remote": request.remote_addr}

    def on_post(self, request, response, name):
        response.status = falcon.HTTP_201
        response.media = {"name": name, "got": request.get_media()}

    def on_put(self, request, response, name):
        response.content_type = falcon.MEDIA_TEXT
        response.data = str(sum(len(piece) for piece in iter(lambda: request.bounded_stream.read(10_000), b""))).encode()


class Stream:
    def on_get(self, request, response):
        response.content_type = "application/octet-stream"
        response.stream = (b"x" * 1000 for _ in range(1000))


class Missing:
    def on_get(self, request, response):
        raise falcon.HTTPNotFound(title="nothing here")


application = falcon.App()
application.add_route("/things/{name}", Things())
application.add_route("/stream", Stream())
application.add_route("/missing", Missing())
