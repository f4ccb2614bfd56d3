"""Quart with what people use of it."""

from asgi_plain import note
from quart import Quart, request, websocket

application = Quart(__name__)


@application.before_serving
async def begin():
    application.begun = "begun"


@application.after_serving
async def end():
    note("shutdown")


@application.get("/")
async def hello():
    return application.begun


@application.post("/echo")
async def echo():
    return await request.get_data()


@application.get("/stream")
async def stream():
    async def pieces():
        for index in range(5):
            yield f"piece {index}\n".encode()

    return pieces(), 200


@application.websocket("/chat")
async def chat():
    while True:
        await websocket.send(await websocket.receive())
