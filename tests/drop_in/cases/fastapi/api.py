import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request


@asynccontextmanager
async def lifespan(app):
    app.state.started = "by lifespan"
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def index(request: Request):
    return {"started": request.app.state.started, "stage": os.environ["STAGE"], "scheme": request.url.scheme}


@app.get("/items/{number}")
async def item(number: int):
    return {"number": number}
