"""FastAPI with what people use of it."""

import asyncio
import os
import time
from contextlib import asynccontextmanager
from pathlib import Path

from asgi_plain import note
from fastapi import BackgroundTasks, FastAPI, Request, UploadFile, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles


@asynccontextmanager
async def lifespan(app):
    yield {"database": "connected"}
    note("shutdown")


Path("static").mkdir(exist_ok=True)
Path("static/page.txt").write_text("static " * 1000)
application = FastAPI(lifespan=lifespan)
application.mount("/static", StaticFiles(directory="static"))


@application.get("/", response_class=PlainTextResponse)
async def hello():
    return "hello"


@application.get("/blocks")
async def blocks():
    """What nobody should write."""
    note("blocking")
    time.sleep(3600)


@application.get("/waits")
async def waits(name: str):
    note(f"{name}.waits")
    await asyncio.sleep(3600)


@application.get("/number", response_class=PlainTextResponse)
async def number(n: int):
    return f"{n} {os.getpid()}"


@application.get("/sync/{name}")
def in_a_thread(name: str, request: Request):
    return {"name": name, "client": request.client.host, "url": str(request.url), "state": request.state.database}


@application.post("/upload")
async def upload(file: UploadFile):
    content = await file.read()
    return {"name": file.filename, "size": len(content), "sum": sum(content) % 65536, "rolled": file.file._rolled}


@application.post("/json")
async def as_json(request: Request):
    return await request.json()


@application.get("/stream")
async def stream():
    async def pieces():
        for index in range(5):
            yield f"piece {index}\n"
            await asyncio.sleep(0.001)

    return StreamingResponse(pieces(), media_type="text/plain")


@application.get("/events")
async def events(request: Request):
    """Server-sent events until the client goes."""

    async def pieces():
        note("events.begun")
        try:
            index = 0
            while True:
                yield f"data: {index}\n\n"
                index += 1
                await asyncio.sleep(0.01)
        finally:
            note("events.ended")

    return StreamingResponse(pieces(), media_type="text/event-stream")


@application.get("/background")
async def background(tasks: BackgroundTasks):
    tasks.add_task(note, "background", "done")
    return "later"


@application.get("/file")
async def file():
    return FileResponse("static/page.txt")


@application.get("/fail")
async def fail():
    raise RuntimeError("boom in FastAPI")


@application.websocket("/chat")
async def chat(socket: WebSocket):
    await socket.accept()
    try:
        while True:
            await socket.send_json({"heard": await socket.receive_text(), "state": socket.state.database})
    except WebSocketDisconnect as gone:
        note("chat.ended", str(gone.code))
