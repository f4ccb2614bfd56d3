"""An ASGI application without a framework: each path tries one thing of a server."""

import asyncio
import contextvars
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs

MARK = contextvars.ContextVar("MARK", default="unset")
SEEN = {"signals": 0, "cancelled": 0}


def note(name, text=""):
    """What a test looks for: a file appears at once, with all that is in it."""
    new = f"{name}.{os.getpid()}"
    Path(new).write_text(text)
    os.rename(new, name)


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(scope, receive, send)
    route = ROUTES.get(scope["path"])
    if route is None:
        return await answer(send, "not found", 404)
    await route(scope, receive, send)


async def lifespan(scope, receive, send):
    assert (await receive())["type"] == "lifespan.startup"
    scope["state"]["started"] = "yes"
    scope["state"]["shared"] = []
    MARK.set("lifespan")
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, count_signal)
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    note("shutdown")
    await send({"type": "lifespan.shutdown.complete"})


def count_signal():
    SEEN["signals"] += 1


async def answer(send, text, status=200, headers=()):
    body = text if isinstance(text, bytes) else text.encode()
    fields = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def parameters(scope):
    return {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}


async def wait_for_file(name):
    while not os.path.exists(name):
        await asyncio.sleep(0.002)


async def body_of(receive):
    while True:
        event = await receive()
        assert event["type"] == "http.request", event
        yield event["body"]
        if not event["more_body"]:
            return


async def hello(scope, receive, send):
    await answer(send, "hello")


async def number(scope, receive, send):
    await answer(send, f"{parameters(scope)['n']} {os.getpid()}")


async def slow_number(scope, receive, send):
    await asyncio.sleep(0.003)
    await number(scope, receive, send)


async def pid(scope, receive, send):
    await answer(send, str(os.getpid()))


async def show_scope(scope, receive, send):
    shown = {key: value for key, value in scope.items() if key != "headers"}
    shown["headers"] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    await answer(send, json.dumps(shown, default=lambda value: value.decode("latin-1")))


async def digest(scope, receive, send):
    """The body, counted as it arrives."""
    total, pieces, largest, sha = 0, 0, 0, hashlib.sha256()
    async for piece in body_of(receive):
        total, pieces, largest = total + len(piece), pieces + 1, max(largest, len(piece))
        sha.update(piece)
    after = "waits"
    try:
        after = (await asyncio.wait_for(receive(), 0.02))["type"]
    except asyncio.TimeoutError:
        pass
    result = {"length": total, "pieces": pieces, "largest": largest, "sha256": sha.hexdigest(), "after": after}
    await answer(send, json.dumps(result))


async def unread(scope, receive, send):
    await answer(send, "not read")


async def late_reader(scope, receive, send):
    note("entered")
    await wait_for_file("read")
    await digest(scope, receive, send)


async def hold(scope, receive, send):
    name = parameters(scope)["name"]
    note(f"{name}.entered")
    await wait_for_file(f"{name}.release")
    await answer(send, "released")


async def stream(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    note("second.entered")
    await wait_for_file("second.release")
    await send({"type": "http.response.body", "body": b"second", "more_body": True})
    await send({"type": "http.response.body"})


async def late_body(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await wait_for_file("body")
    await send({"type": "http.response.body", "body": b"late", "more_body": True})
    await send({"type": "http.response.body"})


async def flood(scope, receive, send):
    """Writes as much as there is room for, and says how much that was."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    sent, total = 0, int(parameters(scope)["mib"]) * 16
    while sent < total:
        sending = asyncio.ensure_future(send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True}))
        done, _ = await asyncio.wait({sending}, timeout=0.5)
        if not done:
            note("held_up", str(sent))
        await sending
        sent += 1
    await send({"type": "http.response.body"})


async def watch(scope, receive, send):
    """Waits for the client to go, then goes on sending until that fails."""
    await anext(body_of(receive))
    note("watching")
    event = await receive()
    note("disconnected", event["type"])
    try:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.001)
    except OSError as error:
        note("send_failed", f"{type(error).__name__} {isinstance(error, ConnectionError)}")
        raise


async def deaf(scope, receive, send):
    """Does not mind its client, and is cancelled for it."""
    note("entered")
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        note("cancelled")
        raise


async def background(scope, receive, send):
    await answer(send, "answered")
    note("background.entered")
    await wait_for_file("background.release")
    note("background.done")


async def boom(scope, receive, send):
    raise RuntimeError("boom before")


async def boom_late(scope, receive, send):
    await asyncio.sleep(0.001)
    raise RuntimeError("boom later")


async def boom_within(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    raise RuntimeError("boom within")


async def boom_behind(scope, receive, send):
    """As if asyncio said that the task had no result yet."""
    await answer(send, "complete")
    raise asyncio.InvalidStateError("boom behind")


async def silent(scope, receive, send):
    pass


async def half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})


async def wrong(scope, receive, send):
    """One of the events that nobody may send; the error that it makes is the answer."""
    start = {"type": "http.response.start", "status": 200, "headers": []}
    body = {"type": "http.response.body", "body": b""}
    events = {
        "unknown": {"type": "http.nonsense"},
        "untyped": {"status": 200},
        "body_first": body,
        "text_body": {"type": "http.response.body", "body": "text"},
        "bad_name": start | {"headers": [(b"a b", b"c")]},
        "bad_value": start | {"headers": [(b"a", b"b\r\nc: d")]},
        "text_header": start | {"headers": [("a", "b")]},
        "bad_status": start | {"status": 99},
        "long_status": start | {"status": 2000},
        "longest_status": start | {"status": 65535},
        "no_dict": "text",
    }
    kind = parameters(scope)["kind"]
    if kind == "text_body":
        await send(start)
    try:
        await send(events[kind])
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if kind == "text_body":
            return await send({"type": "http.response.body", "body": text.encode()})
        return await answer(send, text)
    await answer(send, "accepted")


class Listed(list):
    pass


async def form(scope, receive, send):
    """Two fields in one of the forms that an event may have them in."""
    fields = [(b"x-one", b"1"), (b"x-two", b"2")]
    forms = {
        "tuple": tuple(fields),
        "generator": (pair for pair in fields),
        "lists": [list(pair) for pair in fields],
        "mixed": [fields[0], [bytearray(b"x-two"), memoryview(b"2")]],
        "subclass": Listed(fields),
    }
    event = {"type": "http.response.start", "status": 200, "headers": forms.get(parameters(scope)["form"], fields)}
    if parameters(scope)["form"] == "keys":
        # As they are when they come out of a parser: equal, but not the same objects.
        event = json.loads(json.dumps({"type": event["type"], "status": 200, "more": 1})) | {"".join(["head", "ers"]): fields}
    await send(event)
    await send(json.loads('{"type": "http.response.body"}') | {"".join(["bo", "dy"]): b"formed"})


async def twice(scope, receive, send):
    await answer(send, "once")
    try:
        await answer(send, "twice")
    except RuntimeError as error:
        note("twice", str(error))


async def context(scope, receive, send):
    """What the context of this request says, before and after it is set here."""
    before = MARK.get()
    MARK.set(parameters(scope)["mark"])
    await asyncio.sleep(0.001)
    task = asyncio.current_task()
    child = await asyncio.create_task(child_mark())
    await answer(send, json.dumps([before, MARK.get(), child, task is not None]))


async def child_mark():
    return MARK.get()


async def subprocess(scope, receive, send):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(6 * 7)", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    await answer(send, f"{out.decode().strip()} {process.returncode}")


async def to_thread(scope, receive, send):
    await answer(send, await asyncio.to_thread(lambda: "from a thread"))


async def signals(scope, receive, send):
    await answer(send, str(SEEN["signals"]))


async def block(scope, receive, send):
    await asyncio.sleep(0)
    note("blocking")
    time.sleep(3600)


async def tasks(scope, receive, send):
    """`receive()` and `send()` give what a task can be made of."""
    event = await asyncio.create_task(receive())
    start = {"type": "http.response.start", "status": 200, "headers": []}
    await asyncio.create_task(send(start))
    await asyncio.gather(send({"type": "http.response.body", "body": event["type"].encode()}))


async def state(scope, receive, send):
    scope["state"]["started"] += "!"
    scope["state"]["shared"].append(1)
    await answer(send, f"{scope['state']['started']} {len(scope['state']['shared'])}")


async def end_process(scope, receive, send):
    sys.exit("the application wants to end")


ROUTES = {
    "/": hello,
    "/number": number,
    "/slow_number": slow_number,
    "/pid": pid,
    "/scope": show_scope,
    "/sc%pe/é": show_scope,
    "/digest": digest,
    "/unread": unread,
    "/late_reader": late_reader,
    "/hold": hold,
    "/stream": stream,
    "/late_body": late_body,
    "/flood": flood,
    "/watch": watch,
    "/deaf": deaf,
    "/background": background,
    "/boom": boom,
    "/boom_late": boom_late,
    "/boom_within": boom_within,
    "/boom_behind": boom_behind,
    "/silent": silent,
    "/half": half,
    "/wrong": wrong,
    "/form": form,
    "/twice": twice,
    "/context": context,
    "/subprocess": subprocess,
    "/to_thread": to_thread,
    "/signals": signals,
    "/block": block,
    "/tasks": tasks,
    "/state": state,
    "/end_process": end_process,
}
