"""An ASGI application that has something to be logged."""

import logging

logger = logging.getLogger("shop")


async def application(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    if scope["path"] == "/raises":
        raise RuntimeError("the application raised this")
    if scope["path"] == "/logs":
        logger.warning("a word of the shop: %s", scope["query_string"].decode().removeprefix("say="))
    headers = [(b"content-length", b"5"), (b"x-order", b"4711")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"noted"})
