"""One request under `pre_request` and `post_request`: what these are given, and when they are called."""


class Request:
    """`req`."""

    body = None
    fragment = ""
    must_close = False
    proxy_protocol_info = None

    def __init__(self, method, uri, path, query, version, headers, scheme, peer):
        self.method = method
        self.uri = uri
        self.path = path
        self.query = query
        self.version = version
        self.headers = headers
        self.trailers = []
        self.scheme = scheme
        self.remote_addr = self.peer_addr = peer

    def force_close(self):
        self.must_close = True

    def should_close(self):
        for name, value in self.headers:
            if name == "CONNECTION":
                return value.strip().lower() == "close"
        return self.version <= (1, 0)


class Response:
    """`resp`."""

    chunked = False
    upgrade = False

    def __init__(self, req, cfg, version):
        self.req = req
        self.cfg = cfg
        self.version = version
        self.status = None
        self.headers = []
        self.headers_sent = False
        self.sent = 0
        self.response_length = None
        self.must_close = False

    @property
    def status_code(self):
        return None if self.status is None else int(self.status.split(None, 1)[0])

    def begin(self, status, headers):
        self.status = status
        self.headers = [(name, value) for name, value in headers]
        lengths = [value for name, value in self.headers if name.lower() == "content-length"]
        self.response_length = int(lengths[0]) if lengths and lengths[0].strip().isdigit() else None
        self.chunked = self.response_length is None and self.req.version > (1, 0)

    def should_close(self):
        return self.must_close or self.req.should_close()


class Passage:
    """A request on its way through a worker with such hooks."""

    def __init__(self, hooks, *request):
        self.hooks = hooks
        self.req = Request(*request)
        self.environ = {}
        self.resp = None

    def begin(self):
        """Before the application is called: what is raised here is the request's end."""
        self.hooks.pre_request(self.hooks.worker, self.req)
        self.hooks.worker.had_another()

    def respond(self):
        hooks = self.hooks
        self.resp = Response(self.req, hooks.server.cfg, hooks.software)
        return self.resp

    def watch(self, environ, start_response):
        """The `start_response` that the application is called with."""
        self.environ, resp = environ, self.respond()

        def start(status, headers, exc_info=None, /):
            try:
                headers = list(headers)
                write = start_response(status, headers, exc_info) if exc_info else start_response(status, headers)
            finally:
                exc_info = None
            resp.begin(status, headers)
            return write

        return start

    def watch_send(self, scope, send):
        """The `send` that an ASGI application is called with."""
        self.environ, resp = scope, self.respond()

        def watched(event, /):
            if isinstance(event, dict) and "headers" in event:
                # What gives them may do so only once.
                event = {**event, "headers": list(event["headers"])}
            result = send(event)
            kind = event["type"]
            if kind == "http.response.start":
                pairs = event.get("headers") or ()
                resp.begin(
                    phrase(event["status"]),
                    [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in pairs],
                )
            elif kind == "http.response.body":
                resp.headers_sent = True
                resp.sent += len(event.get("body") or b"")
            elif kind in ("http.response.pathsend", "http.response.zerocopysend"):
                resp.headers_sent = True
                resp.sent += event.get("count") or resp.response_length or 0
            return result

        return watched

    def end(self, status, sent):
        """The response is over. `status` is the one that was sent, or nought."""
        resp = self.resp
        if resp is not None:
            resp.sent, resp.headers_sent = sent, status != 0
            if status and resp.status_code != status:
                resp.status = phrase(status)
        self.hooks.post_request(self.hooks.worker, self.req, self.environ, resp)

    def end_task(self, status):
        """The task of an ASGI application is over. `status` is the server's own answer, where the task has sent none."""
        resp = self.resp
        if resp is not None and resp.status is None:
            resp.status, resp.headers_sent = phrase(status), True
        self.hooks.post_request(self.hooks.worker, self.req, self.environ, resp)


def phrase(status):
    from http import HTTPStatus

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
