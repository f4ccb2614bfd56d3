"""The smallest applications, WSGI and ASGI, and variations on them that need no framework."""

import asyncio
import gc
import os
import time

HELLO = b"Hello, world!"
PLAIN = ("Content-Type", "text/plain")
BODIES = {"/10k": b"x" * 10_240, "/1m": b"x" * 1_048_576}
FILE = os.environ.get("BENCH_FILE", __file__)


def app(environ, start_response):
    start_response("200 OK", [PLAIN, ("Content-Length", "13")])
    return [HELLO]


def various(environ, start_response):
    """By path: a body of some size, a stream, a file, an upload, a wait."""
    path = environ["PATH_INFO"]
    body = BODIES.get(path) or SPECIAL[path](environ, start_response)
    if path in BODIES:
        start_response("200 OK", [PLAIN, ("Content-Length", str(len(body)))])
        return [body]
    return body


def stream(environ, start_response):
    start_response("200 OK", [PLAIN])
    return (b"x" * 1024 for _ in range(100))


def file(environ, start_response):
    start_response("200 OK", [PLAIN, ("Content-Length", str(os.path.getsize(FILE)))])
    return environ["wsgi.file_wrapper"](open(FILE, "rb"), 65536)


def upload(environ, start_response):
    total, source = 0, environ["wsgi.input"]
    while chunk := source.read(65536):
        total += len(chunk)
    body = str(total).encode()
    start_response("200 OK", [PLAIN, ("Content-Length", str(len(body)))])
    return [body]


def wait(milliseconds):
    def waiting(environ, start_response):
        time.sleep(milliseconds / 1000)
        return app(environ, start_response)

    return waiting


def collect(environ, start_response):
    gc.collect()
    body = str(os.getpid()).encode()
    start_response("200 OK", [PLAIN, ("Content-Length", str(len(body)))])
    return [body]


SPECIAL = {
    "/stream": stream,
    "/file": file,
    "/upload": upload,
    "/wait5": wait(5),
    "/wait50": wait(50),
    "/collect": collect,
}


START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"content-length", b"13")],
}
BODY = {"type": "http.response.body", "body": HELLO}


async def asgi(scope, receive, send):
    if scope["type"] == "websocket":
        return await echo(receive, send)
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await send(START)
    await send(BODY)


async def echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": message["bytes"]})


async def asgi_various(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    path = scope["path"]
    if body := BODIES.get(path):
        await answer(send, body)
    elif path == "/file":
        size = str(os.path.getsize(FILE)).encode()
        await send({**START, "headers": [(b"content-length", size)]})
        await send_file(scope, send)
    elif path == "/upload":
        total, more = 0, True
        while more:
            message = await receive()
            total, more = total + len(message.get("body", b"")), message.get("more_body", False)
        await answer(send, str(total).encode())
    else:
        await asyncio.sleep(0.005)
        await answer(send, HELLO)


async def answer(send, body):
    await send({**START, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


async def send_file(scope, send):
    """By the server where it can do that, else by hand as Starlette does."""
    if "http.response.pathsend" in scope.get("extensions", {}):
        return await send({"type": "http.response.pathsend", "path": FILE})
    with open(FILE, "rb") as source:
        while chunk := source.read(65536):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})
