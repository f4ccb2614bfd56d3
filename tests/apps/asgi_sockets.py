"""Websockets without a framework: each path tries one thing."""

import asyncio
import json

from asgi_plain import answer, note, wait_for_file


async def application(scope, receive, send):
    if scope["type"] == "http":
        return await answer(send, "hello")
    assert scope["type"] == "websocket"
    assert await receive() == {"type": "websocket.connect"}
    await ROUTES[scope["path"]](scope, receive, send)


async def echo(scope, receive, send):
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event.get("text"), "bytes": event.get("bytes")})
    note("ended", json.dumps([event["code"], event["reason"]]))
    try:
        await send({"type": "websocket.send", "text": "too late"})
    except OSError as error:
        note("late", type(error).__name__)
    assert (await receive())["code"] == event["code"]


async def show_scope(scope, receive, send):
    chosen = scope["subprotocols"][-1] if scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": chosen, "headers": [(b"x-mine", b"yes")]})
    shown = {name: scope[name] for name in ("type", "scheme", "path", "subprotocols", "extensions", "http_version")}
    await send({"type": "websocket.send", "text": json.dumps(shown | {"method": "method" in scope})})
    await send({"type": "websocket.close", "code": 3001, "reason": "that was it"})
    note("ended", str((await receive())["code"]))


async def refuse(scope, receive, send):
    await send({"type": "websocket.close"})
    note("ended", str((await receive())["code"]))


async def deny(scope, receive, send):
    start = {"status": 401, "headers": [(b"www-authenticate", b"Basic")]}
    await send({"type": "websocket.http.response.start", **start})
    await send({"type": "websocket.http.response.body", "body": b"who are ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"you?"})


async def fail(scope, receive, send):
    raise RuntimeError("boom before")


async def fail_later(scope, receive, send):
    await send({"type": "websocket.accept"})
    raise RuntimeError("boom within")


async def leave(scope, receive, send):
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "bye"})


async def ignore(scope, receive, send):
    pass


async def listen_late(scope, receive, send):
    await send({"type": "websocket.accept"})
    await wait_for_file("listen")
    count = 0
    while (event := await receive())["type"] == "websocket.receive":
        count += 1
        if event.get("text") == "last":
            await send({"type": "websocket.send", "text": str(count)})


async def push(scope, receive, send):
    """Sends until it is held up, and says so."""
    await send({"type": "websocket.accept"})
    for number in range(1000):
        sending = asyncio.ensure_future(send({"type": "websocket.send", "bytes": bytes(65_536)}))
        done, _ = await asyncio.wait({sending}, timeout=0.5)
        if not done:
            note("held_up", str(number))
        await sending
    await send({"type": "websocket.close"})


async def wrong(scope, receive, send):
    said = []
    for event in (
        {"type": "websocket.send", "text": "early"},
        {"type": "websocket.accept", "subprotocol": "never offered"},
        {"type": "websocket.accept", "headers": [(b"sec-websocket-accept", b"mine")]},
        {"type": "websocket.nonsense"},
        {"type": "websocket.accept"},
        {"type": "websocket.accept"},
        {"type": "websocket.send"},
        {"type": "websocket.close", "code": 12},
    ):
        try:
            await send(event)
            said.append("fine")
        except Exception as error:
            said.append(type(error).__name__)
    await send({"type": "websocket.send", "text": json.dumps(said)})


ROUTES = {
    "/echo": echo,
    "/scope": show_scope,
    "/refuse": refuse,
    "/deny": deny,
    "/fail": fail,
    "/fail_later": fail_later,
    "/leave": leave,
    "/ignore": ignore,
    "/listen_late": listen_late,
    "/push": push,
    "/wrong": wrong,
}
