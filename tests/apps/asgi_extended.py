"""ASGI's extensions, one each."""

import json
import os

from asgi_plain import answer


async def application(scope, receive, send):
    assert scope["type"] == "http"
    await ROUTES[scope["path"]](scope, receive, send)


async def offered(scope, receive, send):
    await answer(send, json.dumps(list(scope["extensions"])))


async def hint(scope, receive, send):
    links = [b"</a.css>; rel=preload", b"</b.js>; rel=preload"]
    await send({"type": "http.response.early_hint", "links": links})
    await answer(send, "hinted")


async def start(send, **more):
    await send({"type": "http.response.start", "status": 200, "headers": [], **more})


async def trailers(scope, receive, send):
    await start(send, trailers=True)
    await send({"type": "http.response.body", "body": b"body"})
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": True})
    await send({"type": "http.response.trailers", "headers": [(b"x-more", b"2")]})


async def path(scope, receive, send):
    await start(send)
    await send({"type": "http.response.pathsend", "path": os.path.abspath("large")})


async def missing(scope, receive, send):
    await start(send)
    try:
        await send({"type": "http.response.pathsend", "path": os.path.abspath("missing")})
    except OSError as error:
        await send({"type": "http.response.body", "body": type(error).__name__.encode()})


async def zerocopy(scope, receive, send):
    await start(send)
    with open("large", "rb") as file:
        await send({"type": "http.response.zerocopysend", "file": file})


async def pieces(scope, receive, send):
    await start(send)
    with open("large", "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for offset in range(0, size, 1_000_000):
            more = offset + 1_000_000 < size
            event = {"file": file, "offset": offset, "count": 1_000_000, "more_body": more}
            await send({"type": "http.response.zerocopysend", **event})


async def length(scope, receive, send):
    size = str(os.stat("large").st_size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", size)]})
    with open("large", "rb") as file:
        await send({"type": "http.response.zerocopysend", "file": file.fileno(), "count": 5000, "more_body": True})
        await send({"type": "http.response.zerocopysend", "file": file.fileno()})


async def stream_and_file(scope, receive, send):
    await start(send)
    with open("large", "rb") as file:
        await send({"type": "http.response.body", "body": file.read(100), "more_body": True})
        await send({"type": "http.response.zerocopysend", "file": file, "offset": 100})


async def part(scope, receive, send):
    await start(send)
    with open("large", "rb") as file:
        await send({"type": "http.response.zerocopysend", "file": file, "offset": 1000, "count": 2000})


async def pipe(scope, receive, send):
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe")
    os.close(writer)
    await start(send)
    await send({"type": "http.response.zerocopysend", "file": reader})
    os.close(reader)


ROUTES = {
    "/offered": offered,
    "/hint": hint,
    "/trailers": trailers,
    "/path": path,
    "/missing": missing,
    "/zerocopy": zerocopy,
    "/pieces": pieces,
    "/length": length,
    "/stream_and_file": stream_and_file,
    "/part": part,
    "/pipe": pipe,
}
